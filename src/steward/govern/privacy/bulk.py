"""Masking in bulk, without a vault: documents, another system's logs, texts of any length.

Values become tokens as in a conversation, numbered anew in each; they aren't kept anywhere and can't be
turned back. Texts come and go one by one, so memory doesn't grow with their number or their length.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from steward.govern.privacy.contracts import Span, TokenUse
from steward.govern.privacy.fragments import NOTHING, Before
from steward.govern.privacy.tokens import joined, literals_in, replaced

SEGMENT = 8_000
"""Characters of a long text that are masked at once."""
LOOKAHEAD = 600
"""Characters after a segment that are looked at with it, so that no value is cut."""
LOOKBACK = 200
"""Characters before a segment that are looked at with it: "my password is" may end the segment before."""
_WINDOW = SEGMENT + LOOKAHEAD
_WIDEST = 4 * _WINDOW
"""Characters looked at where a value goes on beyond the window: a private key in PEM can have 20,000."""
_PIECES = 3
_CHUNK = 32
_WAITING_CHUNKS = 4
"""Chunks per process that are under way: enough to keep it busy."""


class Finder(Protocol):
    """What finds personal data in a text: a `Detector`, or something that leaves a part of its finds out."""

    def find(self, text: str, *, before: Before = NOTHING) -> Sequence[Span]:
        """Return what is to be masked, in order, without overlaps."""
        ...


class Numbering:
    """Tokens of one conversation or document: the same value is the same token."""

    def __init__(self) -> None:
        self.counts = Counter[str]()
        self._uses: dict[tuple[str, str], TokenUse] = {}
        self._numbers = Counter[str]()

    def use(self, span: Span) -> TokenUse:
        """Return the token of a find."""
        self.counts[span.kind] += 1
        place = (span.kind, span.value)
        if place not in self._uses:
            self._numbers[span.kind] += 1
            self._uses[place] = TokenUse(span.kind, self._numbers[span.kind])
        return self._uses[place]


@dataclass(frozen=True, slots=True)
class BulkMasked:
    """Masked messages of one conversation, and how many places were replaced by kind."""

    texts: tuple[str, ...]
    counts: dict[str, int]


def mask_conversation(messages: Sequence[str], detector: Finder) -> BulkMasked:
    """Mask messages in order; a value may be given in pieces over several of them."""
    numbering, said = Numbering(), list[str]()
    for message in messages:
        masker = StreamMasker(detector, numbering=numbering, before=Before(tuple(said[-_PIECES:])))
        said.append(masker.feed(message) + masker.close())
    return BulkMasked(tuple(said), dict(numbering.counts))


def mask_many(
    conversations: Iterable[Sequence[str]], make_detector: Callable[[], Finder], *, processes: int = 1
) -> Iterator[BulkMasked]:
    """Mask conversations (a document is one of a single text), in order.

    Args:
        conversations: read only as far as needed.
        make_detector: called once in each process; a function that can be pickled.
        processes: how many work; 1 works in this one.
    """
    if processes <= 1:
        detector = make_detector()
        yield from (mask_conversation(messages, detector) for messages in conversations)
        return
    rest = iter(conversations)
    with ProcessPoolExecutor(processes, initializer=_begin, initargs=(make_detector,)) as pool:
        waiting: deque[Future[list[BulkMasked]]] = deque()
        while chunk := [tuple(messages) for messages in islice(rest, _CHUNK)]:
            waiting.append(pool.submit(_mask_chunk, chunk))
            if len(waiting) >= processes * _WAITING_CHUNKS:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


_detectors: list[Finder] = []
"""The detector of a process that `mask_many` started."""


def _begin(make_detector: Callable[[], Finder]) -> None:
    _detectors[:] = [make_detector()]


def _mask_chunk(conversations: list[tuple[str, ...]]) -> list[BulkMasked]:
    return [mask_conversation(messages, _detectors[0]) for messages in conversations]


class StreamMasker:
    """Masks a text that comes in chunks, holding back what could still become part of a value.

    What comes out doesn't depend on how the text was cut into chunks. A text of up to `SEGMENT` characters
    is masked as a whole; a longer one in segments that end at a line break or a space outside every value,
    each seen with the end of the one before and the beginning of the next.
    """

    def __init__(
        self, detector: Finder, *, numbering: Numbering | None = None, before: Before = NOTHING
    ) -> None:
        """Take the rules, the tokens to go on with, and what was said before the text."""
        self._detector = detector
        self._numbering = numbering or Numbering()
        self._before = before
        self._passed = ""
        self._held = ""
        self._window = _WINDOW

    @property
    def counts(self) -> dict[str, int]:
        """How many places were replaced, by kind."""
        return dict(self._numbering.counts)

    def feed(self, chunk: str) -> str:
        """Take more of the text and return what is masked for good."""
        self._held += chunk
        out: list[str] = []
        done = 0
        while len(self._held) - done >= self._window:
            seen = self._held[done : done + self._window]
            spans = self._spans(seen)
            cut = _cut(seen, spans)
            if cut == len(seen) < _WIDEST:
                self._window *= 2
                continue
            out.append(self._masked(seen[:cut], [span for span in spans if span.end <= cut]))
            self._passed = (self._passed + seen[:cut])[-LOOKBACK:]
            done += cut
            self._window = _WINDOW
            self._before = NOTHING
        self._held = self._held[done:]
        return "".join(out)

    def close(self) -> str:
        """Return the rest."""
        rest, self._held = self._held, ""
        return self._masked(rest, self._spans(rest))

    def _spans(self, text: str) -> Sequence[Span]:
        """Return what is to be masked in a text that stands behind what has passed."""
        seen, passed = self._passed + text, len(self._passed)
        found = joined(self._detector.find(seen, before=self._before), literals_in(seen), seen)
        return [
            Span(max(0, span.start - passed), span.end - passed, span.kind, span.value)
            for span in found
            if span.end > passed
        ]

    def _masked(self, text: str, spans: Sequence[Span]) -> str:
        return replaced(text, spans, [self._numbering.use(span) for span in spans])


def _cut(text: str, spans: Sequence[Span]) -> int:
    """Return where a segment ends: after a line break or a space near its end, and outside every value."""
    cut = (
        max(text.rfind("\n", SEGMENT - LOOKAHEAD, SEGMENT), text.rfind(" ", SEGMENT - LOOKAHEAD, SEGMENT)) + 1
    )
    cut = cut or SEGMENT
    return next((span.end for span in spans if span.start < cut < span.end), cut)
