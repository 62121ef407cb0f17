"""Saying that something was done: only the workflow engine may."""

from __future__ import annotations

import re

_DEEDS = (
    "refunded|credited|sent|emailed|changed|cancelled|canceled|booked|reset|processed|issued|updated|activated|"
    "unlocked|restarted|upgraded|removed|applied|arranged|scheduled|submitted|opened|raised|transferred|paid|"
    "approved|completed|reversed|returned"
)
_EFFECT = re.compile(
    r"\b(?:i|we)(?:['’]ve|\s+have|\s+had|\s+just|\s+already|\s+now)?"
    rf"\s+(?:(?:just|already|now|successfully|gone\s+ahead\s+and)\s+)*(?:{_DEEDS})\b"
    r"|\b(?:your|the)\s+(?:refund|payment|order|plan|account|password|ticket|request|cancellation|booking|money|"
    r"amount)\b.{0,20}\b(?:(?:has|have)\s+(?:(?:now|just|already)\s+)?been|was|were)\s+(?:\w+ly\s+)?"
    rf"(?:{_DEEDS})\b"
    r"|\b(?:your|the)\s+(?:refund|payment|money|cancellation)\b.{0,20}\b(?:went\s+through|has\s+gone|is\s+on\s+its\s+way)",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|when|whether|once|after|until|unless|before|where|in case|that)\b[^,;.]*$", re.IGNORECASE
)


def claims_effect(text: str) -> bool:
    """Tell whether a sentence says that something was done; what is only supposed isn't."""
    return any(not _SUPPOSED.search(text[: found.start()]) for found in _EFFECT.finditer(text))
