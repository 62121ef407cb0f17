"""A sentence that says the opposite of its evidence, or says for certain what that says with a reservation.

A claim is held against the clause of the evidence that shares most of its words. Only where the two
are nearly alike does a difference of one denial, one opposite or one reservation count: what the
passage merely says in other words is left to the grounding score.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from steward.base.language.grounding_text import FUNCTION_WORDS, stem, words_of
from steward.base.language.sentences import sentences
from steward.serve.turn.claims import claims_of
from steward.serve.turn.faults import Fault

_OPPOSITES = tuple(
    tuple(frozenset(side.split("/")) for side in pair.split("|"))
    for pair in (
        "before|after",
        "minimum/least|maximum/most",
        "include/includes/included/including|exclude/excludes/excluded/excluding",
        "allow/allows/allowed/permit/permits/permitted|forbid/forbids/forbidden/prohibited",
        "increase/increases/increased/rise/rises/rose/raise/raised|decrease/decreases/decreased/fall/falls/fell/reduce/reduces/reduced/lower/lowered",
        "free|charge/charged/charges/charging/paid",
        "refundable|nonrefundable/unrefundable",
        "enable/enabled/enables|disable/disabled/disables",
        "open/opens/opened|closed/closes/close/shut",
        "accept/accepts/accepted|refuse/refuses/refused/reject/rejects/rejected/decline/declined",
        "with|without",
        "more|less/fewer",
        "above/over|below/under",
        "possible|impossible",
        "required/mandatory/compulsory/must|optional",
        "inside|outside",
        "valid|invalid/expired",
        "eligible|ineligible",
        "available|unavailable",
        "automatic/automatically|manual/manually",
        "first|last",
        "largest/highest/biggest|smallest/lowest",
        "earlier|later",
        "start/starts/started/begin/begins|end/ends/ended/stop/stops/stopped",
    )
)
_DENIALS = frozenset("not never no nobody none nothing neither nor cannot unable without hardly".split())
_RESERVED = frozenset("may might could usually normally sometimes often generally typically mostly".split())
_CERTAIN = frozenset("always definitely certainly guaranteed surely whenever".split())
_POLAR = frozenset(word for pair in _OPPOSITES for side in pair for word in side)
_ANSWERS = re.compile(r"^\W*(?:no|yes)\b\s*[,.:;–-]\s*", re.IGNORECASE)
"""An answer to a question turns nothing round."""
_ALIKE = 0.8
"""Share of a claim's other words that a clause must hold to be taken for the one it tells."""
_ALIKE_BACK = 0.6
"""Share of the clause's words that the claim must hold in turn."""
_FEWEST_STEMS = 2
_REACH = 5
"""Words behind a denial in which the one that it denies is looked for."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One claim of a text.

    `stems` are those of its words of meaning, `matter` the same without opposites and certainty, `denied`
    those that a denial stands before.
    """

    words: frozenset[str]
    stems: frozenset[str]
    matter: frozenset[str]
    denied: frozenset[str]


def conflict_of(claim: str, evidence: Sequence[str]) -> Fault | None:
    """Return how a claim goes against texts that it stands on; None where it doesn't."""
    said = clause_of(claim)
    if len(said.stems) < _FEWEST_STEMS or not said.matter:
        return None
    near = [clause for text in evidence for clause in clauses_of(text) if _tells_of(said, clause)]
    if not near:
        return None
    if all(_opposed(said, clause) for clause in near):
        return Fault.CONTRADICTS
    if said.words & _CERTAIN and all(_reserved(clause, said) for clause in near):
        return Fault.OVERSTATES
    return None


@lru_cache(maxsize=4096)
def clauses_of(text: str) -> tuple[Clause, ...]:
    """Return the clauses of a passage and its whole sentences; the latest passages are kept."""
    return tuple(
        clause_of(part)
        for sentence in sentences(text)
        for part in dict.fromkeys((sentence, *claims_of(sentence)))
    )


def clause_of(text: str) -> Clause:
    """Take one claim apart."""
    words = words_of(_ANSWERS.sub("", text))
    content = [word for word in words if word not in FUNCTION_WORDS and not _denies(word)]
    return Clause(
        words=frozenset(words),
        stems=frozenset(map(stem, content)),
        matter=frozenset(stem(word) for word in content if word not in _POLAR and word not in _CERTAIN),
        denied=frozenset(_denied(words)),
    )


def _denied(words: Sequence[str]) -> Iterator[str]:
    """Yield the stem of the first word of meaning behind each denial."""
    for at, word in enumerate(words):
        if _denies(word):
            behind = words[at + 1 : at + 1 + _REACH]
            meant = (item for item in behind if item not in FUNCTION_WORDS and not _denies(item))
            yield from map(stem, islice(meant, 1))


def _denies(word: str) -> bool:
    return word in _DENIALS or word.endswith("n't")


def _tells_of(said: Clause, clause: Clause) -> bool:
    shared = len(said.matter & clause.matter)
    return shared >= _ALIKE * len(said.matter) and shared >= _ALIKE_BACK * max(len(clause.matter), 1)


def _opposed(said: Clause, clause: Clause) -> bool:
    """Tell whether one difference turns a claim round; two turn it back."""
    turned = said.denied.isdisjoint(clause.stems) != clause.denied.isdisjoint(said.stems)
    for one, other in _OPPOSITES:
        if (_only(said, one, other) and _only(clause, other, one)) or (
            _only(said, other, one) and _only(clause, one, other)
        ):
            turned = not turned
    return turned


def _only(clause: Clause, wanted: frozenset[str], opposite: frozenset[str]) -> bool:
    return not clause.words.isdisjoint(wanted) and clause.words.isdisjoint(opposite)


def _reserved(clause: Clause, said: Clause) -> bool:
    return not clause.words.isdisjoint(_RESERVED) and said.words.isdisjoint(_RESERVED)
