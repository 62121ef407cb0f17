"""Stage 3: what the customer wants. One embedding, used by all later stages."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steward.base.language.contracts import Prediction
from steward.base.language.which_language import language_of
from steward.serve.turn.runtime import Runtime
from steward.supply.assistant.schema.intents import Category, Intent

_QUESTION = re.compile(
    r"\?|^\s*(?:(?:and|but|so|ok|okay|well|also)\b[\s,]*)?"
    r"(?:what|why|how|when|where|which|who|whose|can|could|do|does|did|is|are|will|would|should|may)\b",
    re.IGNORECASE,
)
_NOTHING_SAID = re.compile(r"[\W_]*", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message was taken for.

    `language` is None for English and for messages too short to tell. `empty` means that there is
    nothing to understand: no letter and no digit.
    """

    vector: NDArray[np.float32]
    prediction: Prediction
    intent: Intent
    category: Category
    override: str | None
    language: str | None
    question: bool
    empty: bool

    @property
    def out_of_scope(self) -> bool:
        """Whether the message is nobody's business here."""
        return self.prediction.out_of_scope

    @property
    def confidence(self) -> float:
        """Probability that the intent is right."""
        return self.prediction.confidence


async def understand(text: str, runtime: Runtime) -> Understood:
    """Embed and classify a masked message."""
    vector = (await runtime.embedder.embed([text]))[0]
    prediction = runtime.intent_head.predict(text, vector)
    intent = runtime.intents[prediction.label]
    return Understood(
        vector=vector,
        prediction=prediction,
        intent=intent,
        category=runtime.categories[intent.category],
        override=runtime.overrides.find(text),
        language=language_of(text),
        question=bool(_QUESTION.search(text)),
        empty=bool(_NOTHING_SAID.fullmatch(text)),
    )
