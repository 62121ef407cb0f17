"""How strong the passages found are as evidence for an answer."""

from __future__ import annotations

from collections.abc import Sequence

from steward.supply.knowledge.contracts import Passage


def strength(passages: Sequence[Passage]) -> float:
    """Return 0..1: the score of the best passage, none found being 0."""
    return max(0.0, min(1.0, passages[0].score)) if passages else 0.0
