"""A turn's decisions as they are stored: JSON, compressed, sealed under the customer's key.

They hold the text of every sentence and the passages that were found. Compressed they take a third, so most
rows need no page beside the table's own.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any, Final

from steward.govern.privacy.sealing import CustomerKey

_PURPOSE: Final = "turn.decisions"
_LEVEL: Final = 1


def seal_decisions(key: CustomerKey, decisions: Sequence[dict[str, Any]]) -> bytes:
    """Return what is stored of a turn's decisions, in their order."""
    written = json.dumps(decisions, separators=(",", ":")).encode()
    return key.seal(zlib.compress(written, _LEVEL), _PURPOSE)


def open_decisions(key: CustomerKey, sealed: bytes) -> list[dict[str, Any]]:
    """Return the decisions that `seal_decisions` sealed; older rows hold the JSON as it is."""
    written = key.open(bytes(sealed), _PURPOSE)
    decisions: list[dict[str, Any]] = json.loads(
        written if written.startswith(b"[") else zlib.decompress(written)
    )
    return decisions
