"""How the model's numbers are held: part of the identity of every vector made by it."""

from __future__ import annotations

from enum import StrEnum

# Raised whenever the builder would write another graph from the same weights.
BUILDER_VERSION = 1
# Length of MiniLM's vectors.
DIMENSIONS = 384


class NumericForm(StrEnum):
    """How matrix products are computed."""

    INT8 = "int8"
    EXACT = "fp32"
