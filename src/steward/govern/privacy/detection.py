"""Finding personal data in a text: own rules by family, the folder's patterns, known values, taggers.

The text is folded once, looked at once, and only the families that something in it speaks for are run.
What they find may overlap: the surer kind wins and the span covers both, so nothing half-found stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from steward.govern.privacy.answers import find_answers, find_promised
from steward.govern.privacy.bare import find_bare
from steward.govern.privacy.contracts import Kind, Recogniser, Span
from steward.govern.privacy.credentials import find_credentials
from steward.govern.privacy.digits import find_numbers
from steward.govern.privacy.emails import find_emails
from steward.govern.privacy.encoded import encoded_stretches
from steward.govern.privacy.folding import Folded, fold
from steward.govern.privacy.fragments import NOTHING, Before, find_fragments, going_on
from steward.govern.privacy.harmless import harmless_stretches
from steward.govern.privacy.ibans import find_ibans
from steward.govern.privacy.identities import find_identities
from steward.govern.privacy.known import compiled, find_declared, find_known
from steward.govern.privacy.machines import find_machines
from steward.govern.privacy.names import find_names
from steward.govern.privacy.national import find_national
from steward.govern.privacy.overlaps import added
from steward.govern.privacy.places import find_places
from steward.govern.privacy.scanning import Candidate, Family, Rank, Scan, scan, squeezed
from steward.govern.privacy.spelled import find_spelled

_FAMILIES: tuple[Family, ...] = (
    find_emails,
    find_ibans,
    find_credentials,
    find_identities,
    find_national,
    find_machines,
    find_bare,
    find_places,
    find_names,
    find_spelled,
)
_YIELDING = frozenset(
    {
        Kind.POSTCODE,
        Kind.SORT_CODE,
        Kind.ACCOUNT,
        Kind.ONE_TIME_CODE,
        Kind.PASSPORT,
        Kind.NATIONAL_ID,
        Kind.PHONE,
    }
)
"""Kinds that give way to the folder's patterns to keep."""


class Detector:
    """The masking rules of one release."""

    def __init__(
        self,
        keep: Sequence[tuple[str, str]] = (),
        mask: Sequence[tuple[str, str]] = (),
        *,
        recognisers: Sequence[Recogniser] = (),
    ) -> None:
        """Take the folder's patterns as (name, regular expression) and further recognisers.

        Raises:
            BadPattern: a pattern isn't a regular expression.
        """
        self._keep = compiled(keep)
        self._mask = compiled(mask)
        self._recognisers = tuple(recognisers)

    def find(
        self,
        text: str,
        *,
        known: Sequence[tuple[str, str]] = (),
        before: Before = NOTHING,
        elsewhere: Sequence[Span] = (),
    ) -> tuple[Span, ...]:
        """Return what is personal in a text, in order, without overlaps.

        Args:
            text: as typed.
            known: the customer's own values as (kind or claim name, value), masked wherever they stand.
            before: what was said before, masked: a value may have been begun there.
            elsewhere: what others found in this very text.
        """
        folded = fold(text)
        looked = scan(folded.text)
        spans = [
            _original(found, folded)
            for found in _resolved(self._candidates(looked, known, before), looked.text)
        ]
        extra = [
            *elsewhere,
            *(span for recogniser in self._recognisers for span in recogniser.find(text)),
        ]
        return added(spans, extra, text) if extra else tuple(spans)

    def _candidates(
        self, looked: Scan, known: Sequence[tuple[str, str]], before: Before
    ) -> Iterator[Candidate]:
        yield from self._written(looked, known, before)
        for start, end, plain in encoded_stretches(looked.text):
            inside = next(self._written(scan(fold(plain).text), known, NOTHING), None)
            if inside is not None:
                yield Candidate(start, end, inside.kind, looked.text[start:end], Rank.SHAPE)

    def _written(self, looked: Scan, known: Sequence[tuple[str, str]], before: Before) -> Iterator[Candidate]:
        kept = [match.span() for _, pattern in self._keep for match in pattern.finditer(looked.text)]
        if known:
            yield from find_known(looked, known)
        if self._mask:
            yield from find_declared(looked, self._mask)
        harmless = [*kept, *harmless_stretches(looked)] if looked.has_digit else kept
        for found in self._by_form(looked, before, kept, harmless):
            yield found
            if (wider := going_on(looked.text, found, harmless)) is not None:
                yield wider

    def _by_form(
        self,
        looked: Scan,
        before: Before,
        kept: Sequence[tuple[int, int]],
        harmless: Sequence[tuple[int, int]],
    ) -> Iterator[Candidate]:
        for family in _FAMILIES:
            for found in family(looked):
                if not (kept and found.kind in _YIELDING and _within(found, kept)):
                    yield found
        yield from find_fragments(looked, before, harmless)
        if before.said:
            yield from find_promised(looked, before.said[-1])
        if before.asked:
            yield from find_answers(looked, before.asked)
        yield from find_numbers(looked, harmless)


def _within(found: Candidate, kept: Iterable[tuple[int, int]]) -> bool:
    return any(start <= found.start and found.end <= end for start, end in kept)


def _resolved(candidates: Iterable[Candidate], text: str) -> Iterator[Candidate]:
    """Merge overlapping finds: one span over all of them, of the kind that is surest."""
    ordered = sorted(candidates, key=lambda found: (found.start, -found.end))
    best: Candidate | None = None
    start = end = 0
    for found in ordered:
        if best is None or found.start >= end:
            if best is not None:
                yield _widened(best, start, end, text)
            best, start, end = found, found.start, found.end
            continue
        end = max(end, found.end)
        if found.rank > best.rank:
            best = found
    if best is not None:
        yield _widened(best, start, end, text)


def _widened(best: Candidate, start: int, end: int, text: str) -> Candidate:
    if (best.start, best.end) == (start, end):
        return best
    return Candidate(start, end, best.kind, squeezed(text[start:end]) or text[start:end], best.rank)


def _original(found: Candidate, folded: Folded) -> Span:
    start, end = folded.original(found.start, found.end)
    return Span(start, end, str(found.kind), found.value)
