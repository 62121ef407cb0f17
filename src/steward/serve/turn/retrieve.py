"""Stage 5: the passages that an answer may stand on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from steward.serve.turn.receive import Received
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.understand import Understood
from steward.supply.knowledge.contracts import Audience, Passage

_LEANS_ON_BEFORE = re.compile(
    r"^\W*(?:and|but|so|or|then|what about|how about|why|how|when|where|which|it|that|this|those|these|they|"
    r"also)\b",
    re.IGNORECASE,
)
_SHORT_WORDS = 7
"""A message this short that leans on what was said before is searched together with it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Passages, best first, and how strong the best is (0..1)."""

    passages: tuple[Passage, ...]
    strength: float
    weak: bool


async def retrieve(
    text: str, received: Received, understood: Understood, runtime: Runtime, *, today: date
) -> Evidence:
    """Search the release's knowledge for what the customer asks, as far as they may see it."""
    query, vector = text, understood.vector
    before = received.last_customer_text
    if before and leans_on_before(text):
        query = f"{before} {text}"
        vector = (await runtime.embedder.embed([query]))[0]
    settings = runtime.folder.guardrails.evidence
    found = await runtime.search.find(
        query,
        vector,
        audience=Audience.CUSTOMER if received.conversation.verified else Audience.PUBLIC,
        groups=(),
        today=today,
        limit=settings.passages,
    )
    return Evidence(found.passages, found.evidence, found.evidence < float(settings.answer_from))


def leans_on_before(text: str) -> bool:
    """Tell whether a message can only be understood with the one before it."""
    return len(text.split()) <= _SHORT_WORDS and bool(_LEANS_ON_BEFORE.match(text))
