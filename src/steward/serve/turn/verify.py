"""Stage 7: each sentence is checked against its evidence and the release's policy before it is sent.

The checks in their order: promises and effects that nobody may claim, what must not be given away, the
citation, numbers and names, contradictions, and at last how probably the cited passages say it.
`faults.py` tells each reason in words. The evaluations import the same checks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from steward.base.language.grounding import GroundingHead
from steward.base.language.grounding_text import (
    FUNCTION_WORDS,
    Told,
    content_stems,
    stem,
    told,
    words_of,
)
from steward.base.language.leaks import Kept
from steward.govern.privacy.detection import Detector
from steward.serve.turn.claims import claims_of, makes_claim, without_marker
from steward.serve.turn.conflicts import clauses_of, conflict_of
from steward.serve.turn.disclosures import Disclosures
from steward.serve.turn.drafts import Draft
from steward.serve.turn.effects import claims_effect
from steward.serve.turn.faults import Fault
from steward.serve.turn.promises import Promises
from steward.serve.turn.quantities import Known, Measure, known_in, known_of, missing_quantity
from steward.supply.knowledge.contracts import Passage

_NAME = re.compile(r"(?<!\w)[^\W\d_]+(?:['’][^\W\d_]+)?(?!\w)")
_LABEL = re.compile(r"\*\*[^*\n]{1,80}?\*\*|^[^.!?\n]{1,60}:\s*$")
"""Words that head a line: capitals name nobody there."""
_BEGINS = re.compile(r"[.!?:\n\"“(]\s*$|^\s*$|[-*•]\s*$")
_CALENDAR = (Measure.DATE, Measure.CLOCK)
_FEWEST_STEMS = 2
"""Content words of a claim from which its grounding is weighed; fewer tell too little."""
_KEPT_TALKS = 64
"""Conversations of turns under way; each turn has another, so more of customers' words were kept in vain."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence and why it may not be sent; `reason` is None where it may.

    `support` is the probability that the cited passages say it, of its weakest claim; 1 where it claims
    nothing or stands in a passage word for word.
    """

    draft: Draft
    reason: Fault | None
    support: float

    @property
    def passed(self) -> bool:
        """Whether the sentence may be sent."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class _Talk:
    """What a conversation gives: quantities, its words in lower case, and their stems."""

    known: Known
    words: frozenset[str]
    every: frozenset[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """What sentences of a release are held against, compiled once.

    `grounding` is the probability that the cited passages must reach for each claim, `support` the
    share of a sentence's words that must stand in them.
    """

    head: GroundingHead
    grounding: float
    support: float
    promises: Promises
    disclosures: Disclosures


def compile_policy(
    head: GroundingHead,
    *,
    grounding: float,
    support: float,
    forbidden: Sequence[str],
    instructions: str,
    detector: Detector,
) -> Policy:
    """Prepare a release's rules for `verify`."""
    return Policy(
        head,
        grounding,
        support,
        Promises.of(forbidden),
        Disclosures(Kept.of(instructions), detector),
    )


def verify(draft: Draft, passages: Sequence[Passage], context: str, policy: Policy) -> Checked:
    """Check one sentence.

    Args:
        draft: the sentence and the passages it names.
        passages: what it may stand on, in the order of their numbers.
        context: the masked conversation so far; its numbers and names may be repeated.
        policy: the release's rules.
    """
    texts = [evidence_of(passage) for passage in passages]
    cited = [texts[number - 1] for number in draft.cited if 0 < number <= len(texts)]
    reason = _policy_fault(draft.text, cited, context, policy) or _citation_fault(draft, len(texts), context)
    if reason is not None or not draft.cited or not makes_claim(draft.text, context):
        return Checked(draft, reason or _fact_fault(draft.text, cited, context), 1.0)
    if stands_in(draft.text, cited):
        return Checked(draft, None, 1.0)
    support = support_of(draft.text, cited, policy.head)
    return Checked(draft, _evidence_fault(draft, cited, texts, context, policy, support), support)


def prepare(passages: Sequence[Passage]) -> None:
    """Take passages apart before sentences are checked against them; what is taken apart is kept."""
    for text in map(evidence_of, passages):
        told(text)
        known_in(text)
        clauses_of(text)


def evidence_of(passage: Passage) -> str:
    """Return what of a passage a sentence may stand on."""
    return f"{passage.title}\n{passage.heading}\n{passage.body}"


def support_of(text: str, evidence: Sequence[str], head: GroundingHead) -> float:
    """Return the probability that texts say what a sentence says, of its weakest claim."""
    whole = without_marker(text)
    claims = [claim for claim in claims_of(whole) if len(set(content_stems(claim))) >= _FEWEST_STEMS]
    return min((head.score(claim, evidence) for claim in dict.fromkeys((whole, *claims))), default=1.0)


def stands_in(text: str, evidence: Sequence[str]) -> bool:
    """Tell whether a sentence stands in a text word for word."""
    spaced = " ".join(text.split())
    return any(spaced in " ".join(item.split()) for item in evidence)


def _policy_fault(text: str, cited: Sequence[str], context: str, policy: Policy) -> Fault | None:
    """Return what nobody may say; the knowledge base's own words can only break the folder's list."""
    if policy.promises.written_in(text):
        return Fault.FORBIDDEN_PROMISE
    if stands_in(text, cited):
        return None
    if policy.promises.made_in(text):
        return Fault.FORBIDDEN_PROMISE
    if claims_effect(text):
        return Fault.CLAIMS_EFFECT
    return policy.disclosures.fault_of(text, cited, context)


def _citation_fault(draft: Draft, passages: int, context: str) -> Fault | None:
    if any(not 0 < number <= passages for number in draft.cited):
        return Fault.UNKNOWN_CITATION
    if not draft.cited and content_stems(draft.text) and makes_claim(draft.text, context):
        return Fault.NO_CITATION
    return None


def _evidence_fault(
    draft: Draft, cited: Sequence[str], texts: Sequence[str], context: str, policy: Policy, support: float
) -> Fault | None:
    fault = _fact_fault(draft.text, cited, context) or _conflict(draft.text, cited)
    if fault is not None:
        return fault
    if support >= policy.grounding and covered(draft.text, cited) >= policy.support:
        return None
    elsewhere = max(
        (support_of(draft.text, [text], policy.head) for text in texts if text not in cited), default=0
    )
    return (
        Fault.WRONG_CITATION if elsewhere >= policy.grounding and elsewhere > support else Fault.UNSUPPORTED
    )


def covered(text: str, evidence: Sequence[str]) -> float:
    """Return the share of a sentence's words of meaning that stand in the evidence (0..1)."""
    wanted = set(content_stems(text))
    if not wanted:
        return 1.0
    return sum(any(item in told(each).stems for each in evidence) for item in wanted) / len(wanted)


def _conflict(text: str, cited: Sequence[str]) -> Fault | None:
    claims = dict.fromkeys((without_marker(text), *claims_of(without_marker(text))))
    return next((fault for claim in claims if (fault := conflict_of(claim, cited))), None)


def _fact_fault(text: str, cited: Sequence[str], context: str) -> Fault | None:
    plain = _LABEL.sub("", without_marker(text))
    talk = _talk(context)
    missing = missing_quantity(plain, [talk.known, *map(known_in, cited)])
    if missing is not None:
        return Fault.UNKNOWN_DATE if missing.measure in _CALENDAR else Fault.UNKNOWN_NUMBER
    known: list[_Talk | Told] = [talk, *map(told, cited)]
    for name in _names(plain):
        word = name.lower().replace("’", "'")
        if not any(word in item.words or stem(word) in item.every for item in known):
            return Fault.UNKNOWN_NAME
    return None


@lru_cache(maxsize=_KEPT_TALKS)
def _talk(context: str) -> _Talk:
    """Take a conversation apart, once for all sentences of a turn."""
    words = frozenset(words_of(context))
    return _Talk(known_of(context), words, frozenset(map(stem, words)))


def _names(text: str) -> list[str]:
    """Return capitalised words inside the sentence: names as far as spelling tells."""
    return [
        word.group()
        for word in list(_NAME.finditer(text))[1:]
        if word.group()[0].isupper()
        and len(word.group()) > 1
        and word.group().lower().replace("’", "'") not in FUNCTION_WORDS
        and not _BEGINS.search(text[: word.start()])
    ]
