"""Recognisers from outside: installed packages, and an analyzer behind HTTP (Presidio's `/analyze`).

What they find joins the own rules, it never replaces them. An analyzer that doesn't answer in time either
has the message refused or leaves it to the own rules, as the installation chose. Spans are remembered for a
moment, so that a text can be looked at before a transaction and masked inside it with one request.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.metadata import entry_points
from typing import Final

import httpx2
import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from steward.govern.privacy.contracts import Kind, Recogniser, Span
from steward.govern.privacy.errors import NoSuchRecogniser, RecogniserUnavailable
from steward.govern.privacy.known import kind_named
from steward.govern.privacy.scanning import compact, squeezed

GROUP: Final = "steward.recognisers"
"""Entry points that name callables without arguments; each returns a `Recogniser`."""
_REMEMBERED: Final = 64
_WORDS: Final = frozenset({Kind.NAME, Kind.ADDRESS})
_KINDS: Final = {
    "PERSON": Kind.NAME,
    "LOCATION": Kind.ADDRESS,
    "EMAIL_ADDRESS": Kind.EMAIL,
    "PHONE_NUMBER": Kind.PHONE,
    "CREDIT_CARD": Kind.CARD,
    "IBAN_CODE": Kind.IBAN,
    "IP_ADDRESS": Kind.IP,
    "US_BANK_NUMBER": Kind.ACCOUNT,
    "US_PASSPORT": Kind.PASSPORT,
    "US_SSN": Kind.NATIONAL_ID,
    "US_ITIN": Kind.NATIONAL_ID,
    "US_DRIVER_LICENSE": Kind.NATIONAL_ID,
    "UK_NHS": Kind.NATIONAL_ID,
    "UK_NINO": Kind.NATIONAL_ID,
}
"""Presidio's names; another name becomes a kind of its own."""

_log = structlog.get_logger(__name__)


class OnFailure(StrEnum):
    """What happens to a text that an analyzer couldn't look at."""

    REFUSE = "refuse"
    OWN_RULES = "own_rules"


@dataclass(frozen=True, slots=True)
class Analyzer:
    """Where an analyzer is and what it is asked; `entities` are Presidio's names."""

    url: str
    entities: tuple[str, ...]
    language: str = "en"
    least_score: float = 0.5
    timeout_s: float = 0.5
    token: str | None = field(default=None, repr=False)


class _Found(BaseModel):
    entity_type: str
    start: int
    end: int
    score: float


_ANSWER = TypeAdapter(list[_Found])


class HttpAnalyzer:
    """Asks an analyzer that speaks Presidio's REST API."""

    def __init__(self, analyzer: Analyzer) -> None:
        """Take where it is; nothing is asked yet."""
        self._analyzer = analyzer
        headers = {"Authorization": f"Bearer {analyzer.token}"} if analyzer.token else {}
        self._client = httpx2.AsyncClient(timeout=analyzer.timeout_s, headers=headers)
        self._url = analyzer.url.rstrip("/") + "/analyze"

    async def find(self, text: str) -> tuple[Span, ...]:
        """Return what the analyzer found.

        Raises:
            RecogniserUnavailable: it doesn't answer in time, refuses, or answers in another form.
        """
        asked = self._analyzer
        body = {
            "text": text,
            "language": asked.language,
            "score_threshold": asked.least_score,
            "entities": list(asked.entities),
        }
        try:
            async with asyncio.timeout(asked.timeout_s):
                response = await self._client.post(self._url, json=body)
            response.raise_for_status()
            found = _ANSWER.validate_json(response.content)
        except (httpx2.HTTPError, TimeoutError, ValidationError, UnicodeEncodeError) as error:
            raise RecogniserUnavailable(type(error).__name__) from None
        return tuple(_span(item, text) for item in found if _fits(item, text, asked.least_score))

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()


class Elsewhere:
    """Everything outside that looks at a text: an analyzer, and recognisers of installed packages."""

    def __init__(
        self,
        analyzer: HttpAnalyzer | None,
        recognisers: Sequence[Recogniser] = (),
        *,
        on_failure: OnFailure = OnFailure.REFUSE,
    ) -> None:
        """Take who looks, and what to do when the analyzer doesn't answer."""
        self._analyzer = analyzer
        self._looks: list[Callable[[str], Awaitable[Sequence[Span]]]] = [
            _beside_the_loop(recogniser) for recogniser in recognisers
        ]
        if analyzer is not None:
            self._looks.append(analyzer.find)
        self._on_failure = on_failure
        self._asked: OrderedDict[bytes, asyncio.Task[tuple[Span, ...]]] = OrderedDict()

    async def find(self, text: str) -> tuple[Span, ...]:
        """Return what was found outside; the latest texts are remembered.

        Raises:
            RecogniserUnavailable: the analyzer doesn't answer, and texts are refused then.
        """
        if not text.strip():
            return ()
        place = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
        task = self._asked.get(place)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._asked[place] = asyncio.create_task(self._look(text))
            task.add_done_callback(_seen)
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Close the analyzer's connections."""
        if self._analyzer is not None:
            await self._analyzer.close()

    async def _look(self, text: str) -> tuple[Span, ...]:
        found: list[Span] = []
        for look in self._looks:
            try:
                found += await look(text)
            except RecogniserUnavailable as error:
                if self._on_failure is OnFailure.REFUSE:
                    raise
                _log.warning("recogniser.unavailable", problem=error.problem, masked_by="own rules")
        return tuple(found)


def _seen(task: asyncio.Task[tuple[Span, ...]]) -> None:
    """Look at a task's end, so that one whose caller has gone isn't reported as forgotten."""
    if not task.cancelled():
        task.exception()


def installed_recognisers(names: Sequence[str]) -> tuple[Recogniser, ...]:
    """Load recognisers of installed packages by their entry points' names.

    Raises:
        NoSuchRecogniser: no installed package offers one of that name.
    """
    offered = {point.name: point for point in entry_points(group=GROUP)}
    loaded = []
    for name in names:
        if name not in offered:
            raise NoSuchRecogniser(name, tuple(offered))
        make: Callable[[], Recogniser] = offered[name].load()
        loaded.append(make())
    return tuple(loaded)


def _beside_the_loop(recogniser: Recogniser) -> Callable[[str], Awaitable[Sequence[Span]]]:
    """Return what asks a package in a thread: it may take its time, with a model of its own for instance."""

    async def ask(text: str) -> Sequence[Span]:
        return await asyncio.to_thread(_found_by, recogniser, text)

    return ask


def _found_by(recogniser: Recogniser, text: str) -> list[Span]:
    """Return what a package found, under kinds that a token can name.

    Raises:
        RecogniserUnavailable: it failed.
    """
    try:
        found = list(recogniser.find(text))
    except Exception as error:  # noqa: BLE001 - other people's code; what it says may quote the text
        raise RecogniserUnavailable(type(error).__name__) from None
    return [Span(span.start, span.end, kind_named(span.kind), span.value) for span in found]


def _fits(item: _Found, text: str, least_score: float) -> bool:
    return 0 <= item.start < item.end <= len(text) and item.score >= least_score


def _span(item: _Found, text: str) -> Span:
    kind = _KINDS.get(item.entity_type) or kind_named(item.entity_type)
    written = text[item.start : item.end]
    value = squeezed(written) if kind in _WORDS else compact(written)
    return Span(item.start, item.end, str(kind), value or written)
