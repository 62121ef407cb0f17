"""Stage 3: what the customer wants. One embedding, used by all later stages."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steward.base.language.contracts import Prediction, Vectors
from steward.base.language.which_language import language_of
from steward.serve.turn.runtime import Runtime
from steward.supply.assistant.schema.intents import Category, Intent

_QUESTION = re.compile(
    r"\?|^\s*(?:(?:and|but|so|ok|okay|well|also)\b[\s,]*)?"
    r"(?:what|why|how|when|where|which|who|whose|can|could|do|does|did|is|are|will|would|should|may)\b",
    re.IGNORECASE,
)
_NOTHING_SAID = re.compile(r"[\W_]*", re.UNICODE)
_LEANS_ON_BEFORE = re.compile(
    r"^\W*(?:and|but|so|or|then|what about|how about|why|how|when|where|which|it|that|this|those|these|they|"
    r"also|is there|is it|are there|are they)\b",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"\[[A-Z][A-Z0-9_]*_\d+\]")
_SHORT_WORDS = 7
"""A message this short that leans on what was said before is understood and searched together with it."""
SURE_OF_HUMAN = 0.5
"""Confidence from which the intent of wanting a human hands over; words ("agent") need none."""


@dataclass(frozen=True, slots=True)
class Understood:
    """What a message was taken for.

    `language` is None for English and for messages too short to tell. `empty` means that there is
    nothing to understand, no letter and no digit; `wordless`, no letter; `sure`, that the intent is
    one to act on. `query` and `query_vector` are what to search for: the message, with the one before
    it where it leans on that.
    """

    vector: NDArray[np.float32]
    query: str
    query_vector: NDArray[np.float32]
    prediction: Prediction
    intent: Intent
    category: Category
    override: str | None
    language: str | None
    question: bool
    empty: bool
    wordless: bool
    sure: bool

    @property
    def out_of_scope(self) -> bool:
        """Whether the message is nobody's business here."""
        return self.prediction.out_of_scope

    @property
    def confidence(self) -> float:
        """Probability that the intent is right."""
        return self.prediction.confidence


def begin_embedding(text: str, runtime: Runtime) -> asyncio.Task[Vectors]:
    """Start to embed a masked message while it is being stored; `understand` waits for it."""
    return asyncio.create_task(runtime.embedder.embed([runtime.reading.read(text)]))


async def understand(
    text: str,
    runtime: Runtime,
    *,
    before: str | None = None,
    embedding: asyncio.Task[Vectors] | None = None,
) -> Understood:
    """Embed and classify a masked message.

    Args:
        text: the masked message.
        runtime: its release.
        before: what the customer said before it.
        embedding: the message's embedding, where that was begun already.
    """
    read = runtime.reading.read(text)
    embedding = embedding or begin_embedding(text, runtime)
    # What goes by words alone is done while the embedding's thread is at work.
    by_words = runtime.intent_head.by_words(read)
    override, language, question = runtime.overrides.find(text), language_of(text), is_question(text)
    wordless = not any(letter.isalpha() for letter in _TOKEN.sub("", text))
    vector = (await embedding)[0]
    prediction = runtime.intent_head.predict(read, vector, by_words=by_words)
    query, query_vector = read, vector
    if before and leans_on_before(text):
        query = f"{runtime.reading.read(before)} {read}"
        query_vector = (await runtime.embedder.embed([query]))[0]
        if not _sure(prediction, runtime):
            prediction = runtime.intent_head.predict(query, query_vector)
    intent = runtime.intents[prediction.label]
    return Understood(
        vector=vector,
        query=query,
        query_vector=query_vector,
        prediction=prediction,
        intent=intent,
        category=runtime.categories[intent.category],
        override=override,
        language=language,
        question=question,
        empty=bool(_NOTHING_SAID.fullmatch(text)),
        wordless=wordless,
        sure=_sure(prediction, runtime) and not wordless,
    )


def asks_for_human(understood: Understood) -> bool:
    """Tell whether the message means a human without one of the words for it."""
    wanted = understood.intent.hand_over and understood.confidence >= SURE_OF_HUMAN
    return wanted and not understood.out_of_scope and not understood.wordless


def is_question(text: str) -> bool:
    """Tell whether a message asks something."""
    return bool(_QUESTION.search(text))


def leans_on_before(text: str) -> bool:
    """Tell whether a message can only be understood with the one before it."""
    return len(text.split()) <= _SHORT_WORDS and bool(_LEANS_ON_BEFORE.match(text))


def _sure(prediction: Prediction, runtime: Runtime) -> bool:
    needed = float(runtime.folder.guardrails.confidence.offer_workflow)
    return not prediction.out_of_scope and prediction.confidence >= needed
