"""What a decision stood on, in the one form that timeline and ledger keep: JSON whose numbers lose no bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from steward.base.digests import canonical_json


def exact(value: Any) -> Any:
    """Return plain values that have one JSON form: floats as the texts that read back to the same bits."""
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(key): exact(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [exact(item) for item in value]
    return value


def text_of(value: Any) -> str:
    """Return the canonical text of what `exact` made."""
    return canonical_json(value).decode()


def read(text: str) -> dict[str, Any]:
    """Read what `text_of` wrote."""
    read_back: dict[str, Any] = json.loads(text)
    return read_back
