"""The guard on what business systems answer: an order hidden in a tool's result reaches nobody.

Texts of a result come from whoever filled in the field: a delivery note, a subject line. Each free text is
scored before the result is stored, put into a sentence or shown to a model; one that looks like an order is
replaced. Codes, names, dates and amounts are too short to hold one and cost nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from steward.base.language.contracts import Embedder
from steward.base.language.injection import InjectionHead, pieces_of
from steward.base.language.injection_veils import unveiled
from steward.supply.connectors.contracts import (
    Argument,
    CallResult,
    Connector,
    Done,
    FindResult,
    OperationSpec,
    Refused,
)

WITHHELD: Final = "[text withheld]"
"""What stands where a text was that looked like an order."""
_FEWEST_WORDS: Final = 4
_LONGEST_WORD: Final = 20
_LOG = logging.getLogger(__name__)


class GuardedConnector:
    """Calls a connector and takes orders out of what it answers; implements `Connector`."""

    def __init__(
        self, connector: Connector, *, head: InjectionHead, embedder: Embedder, threshold: float
    ) -> None:
        """Wrap a connector; texts whose score reaches `threshold` are withheld."""
        self._connector = connector
        self._head = head
        self._embedder = embedder
        self._threshold = threshold

    def operation(self, full_name: str) -> OperationSpec:
        """Return the operation called `system.operation`."""
        return self._connector.operation(full_name)

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        """Call the operation; its answer comes without orders."""
        answer = await self._connector.call(operation, arguments, idempotency_key=idempotency_key)
        if isinstance(answer, Done):
            return replace(answer, result=await self._cleaned(operation, answer.result))
        if isinstance(answer, Refused):
            return await self._refusal(operation, answer)
        return answer

    async def find(self, operation: str, idempotency_key: str) -> FindResult:
        """Ask what became of a write; the answer comes without orders."""
        answer = await self._connector.find(operation, idempotency_key)
        if isinstance(answer, Done):
            return replace(answer, result=await self._cleaned(operation, answer.result))
        if isinstance(answer, Refused):
            return await self._refusal(operation, answer)
        return answer

    async def _refusal(self, operation: str, answer: Refused) -> Refused:
        cleaned = await self._cleaned(operation, {"sentence": answer.sentence})
        return replace(answer, sentence=cleaned["sentence"])

    async def _cleaned(self, operation: str, result: Mapping[str, Any]) -> dict[str, Any]:
        texts = tuple(dict.fromkeys(_free_texts(result)))
        orders = {text for text in texts if await self._is_order(text)}
        if orders:
            _LOG.warning("%s answered with %d texts that look like orders; withheld", operation, len(orders))
        return {key: _without(value, orders) for key, value in result.items()}

    async def _is_order(self, text: str) -> bool:
        readings = [text, *unveiled(text)]
        pieces = pieces_of(text)
        vectors = await self._embedder.embed([*readings, *pieces])
        scores = [self._head.score(one, vector) for one, vector in zip(readings, vectors, strict=False)]
        scores += self._head.score_pieces(pieces, vectors[len(readings) :]).tolist()
        return max(scores) >= self._threshold


def _free_texts(value: Any) -> Iterator[str]:
    """Yield the texts of a JSON value that are long enough to say something, or to hide it."""
    if isinstance(value, str):
        words = value.split()
        if len(words) >= _FEWEST_WORDS or any(len(word) > _LONGEST_WORD for word in words):
            yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _free_texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _free_texts(inner)


def _without(value: Any, orders: set[str]) -> Any:
    if isinstance(value, str):
        return WITHHELD if value in orders else value
    if isinstance(value, Mapping):
        return {key: _without(inner, orders) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(inner, orders) for inner in value]
    return value
