"""Stage 7: each sentence is checked against its evidence and the release's policy before it is sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from steward.govern.privacy.detection import Detector
from steward.serve.turn.drafts import Draft
from steward.supply.knowledge.contracts import Passage

_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)*")
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_CALENDAR = frozenset(
    """january february march april june july august september october november december monday tuesday
    wednesday thursday friday saturday sunday""".split()
)
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
_ECHO = re.compile(
    r"^\W*(?:hi|hello|hey|thanks|thank you|sorry|i['’]m (?:very |really |so )?sorry|i am sorry|i understand|"
    r"i see|i don['’]t know|i do not know|i can['’]t find|is there anything|let me know|i hope|please type|"
    r"type|here['’]s (?:how|what)|here is (?:how|what)|to do (?:so|this|that))\b",
    re.IGNORECASE,
)
"""Openings after which a sentence may say again what the customer said."""
_AGREE = re.compile(
    r"^\W*(?:of course|sure|great|good (?:morning|afternoon|evening)|you['’]re welcome|happy to help|"
    r"no problem|that sounds)\b",
    re.IGNORECASE,
)
"""Openings that agree: what follows would be a promise in the customer's own words."""
_OFFERS_HELP = re.compile(
    r"^\W*(?:i can (?:help|look|check)|let me|i['’]?d be|i['’]m (?:here|happy|glad))\b", re.IGNORECASE
)
_PART = re.compile(r"[,;:–—]|\b(?:and|but|so|because)\b", re.IGNORECASE)
_COURTESY = frozenset(
    """agent annoy answer anyth apologise apology ask assist bit check colleague concern confus contact day
    delay difficult document el else experience feel find frustrat frustration glad good happy hear help
    hope inconvenience information issue know look luck matter message moment morning nice patience
    person problem question reach right situation sorry stress tell test thing trouble type understand
    understandable unfortunate upset wait welcome word worry worri""".split()
)
"""Stems of what politeness is made of."""
_FUNCTION_WORDS = frozenset(
    """a about above after again all also am an and any are as at be because been before being below
    between both but by can could did do does doing don down during each else ever every few for
    from further get gets go goes had has have having he her here hers him his how i if in into is
    it its itself just know let like may me might more most must my need no nor not now of off on
    once only onto or other our ours out over own per please same she should so some such than thank
    thanks that the their theirs them then there these they this those through to too under until up
    us use very via want was we were what when where which while who whom whose why will with would
    yes you your yours' i'm i've i'll we'll we're we've you'll you're you've it's that's there's
    don't can't won't isn't aren't doesn't""".split()
)
_SHINGLE = 8
"""Consecutive words shared with the instructions from which a sentence counts as leaking them."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence and why it may not be sent; `reason` is None where it may."""

    draft: Draft
    reason: str | None
    support: float

    @property
    def passed(self) -> bool:
        """Whether the sentence may be sent."""
        return self.reason is None


@dataclass(frozen=True, slots=True)
class Policy:
    """What sentences of a release are held against, compiled once.

    `leaked` are the runs of eight words of the instructions.
    """

    support: float
    forbidden: re.Pattern[str] | None
    leaked: frozenset[tuple[str, ...]]
    detector: Detector


@dataclass(frozen=True, slots=True)
class Facts:
    """What a text holds: its numbers, its words in lower case, and their stems."""

    numbers: frozenset[str]
    words: frozenset[str]
    stems: frozenset[str]


@lru_cache(maxsize=4096)
def facts_of(text: str) -> Facts:
    """Return what a text holds; passages are asked for again and again, so the latest are kept."""
    words = frozenset(word.lower() for word in _WORD.findall(text))
    return Facts(frozenset(_numbers(text)), words, frozenset(_stem(word) for word in words))


def verify(draft: Draft, passages: Sequence[Passage], context: str, policy: Policy) -> Checked:
    """Check one sentence.

    Args:
        draft: the sentence and the passages it names.
        passages: what it may stand on, in the order of their numbers.
        context: the masked conversation so far; its numbers and names may be repeated.
        policy: the release's rules.
    """
    cited = [passages[number - 1] for number in draft.cited if 0 < number <= len(passages)]
    texts = [f"{item.title} {item.heading} {item.body}" for item in cited]
    facts = [facts_of(text) for text in texts]
    words = _content_words(draft.text)
    support = _support(words, facts)
    reason = (
        _policy_fault(draft, " ".join(texts), policy)
        or _citation_fault(draft, len(passages), words, context)
        or _fact_fault(draft.text, [*facts, facts_of(context)])
        or ("unsupported" if draft.cited and words and support < policy.support else None)
    )
    return Checked(draft, reason, support)


def compile_policy(
    *, support: float, forbidden: Sequence[str], instructions: str, detector: Detector
) -> Policy:
    """Prepare a release's rules for `verify`."""
    joined = "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in forbidden)
    pattern = re.compile(rf"(?<!\w)(?:{joined})(?!\w)", re.IGNORECASE) if forbidden else None
    return Policy(support, pattern, frozenset(_shingles(instructions)), detector)


def makes_claim(text: str, context: str = "") -> bool:
    """Tell whether a sentence states something, as greetings, empathy and questions don't.

    A polite opening proves nothing about what follows it ("I'm sorry, your contract ends free of
    charge"): behind it only politeness, an offer of help or the customer's own words are no claim.
    """
    if text.rstrip().endswith("?"):
        return bool(re.match(r"\W*did you know\b", text, re.IGNORECASE))
    echo = _ECHO.match(text)
    opening = echo or _AGREE.match(text)
    if opening is None or _NUMBER.search(text):
        return True
    said = _COURTESY.union(_content_words(context))
    first, *rest = _PART.split(text[opening.end() :])
    parts = rest if echo is not None and said.issuperset(_content_words(first)) else [first, *rest]
    return not all(
        (said if _OFFERS_HELP.match(part) else _COURTESY).issuperset(_content_words(part)) for part in parts
    )


def _policy_fault(draft: Draft, evidence: str, policy: Policy) -> str | None:
    text = draft.text
    if policy.forbidden and policy.forbidden.search(text):
        return "forbidden_promise"
    if _claims_effect(text) and text not in evidence:
        return "claims_effect"
    if not policy.leaked.isdisjoint(_shingles(text)):
        return "leaks_instructions"
    personal = [text[span.start : span.end] for span in policy.detector.find(text)]
    if any(value not in evidence for value in personal):
        return "personal_data"
    return None


def _claims_effect(text: str) -> bool:
    return any(not _SUPPOSED.search(text[: found.start()]) for found in _EFFECT.finditer(text))


def _citation_fault(draft: Draft, passages: int, words: Sequence[str], context: str) -> str | None:
    if any(not 0 < number <= passages for number in draft.cited):
        return "unknown_citation"
    if not draft.cited and words and makes_claim(draft.text, context):
        return "no_citation"
    return None


def _fact_fault(text: str, known: Sequence[Facts]) -> str | None:
    if any(all(number not in facts.numbers for facts in known) for number in _numbers(text)):
        return "unknown_number"
    for word in _WORD.findall(text):
        if word.lower() in _CALENDAR and all(word.lower() not in facts.words for facts in known):
            return "unknown_date"
    for name in _names(text):
        if all(name.lower() not in facts.words for facts in known):
            return "unknown_name"
    return None


def _numbers(text: str) -> set[str]:
    return {number.replace(",", "").rstrip(".:/") for number in _NUMBER.findall(text)}


def _names(text: str) -> list[str]:
    """Return capitalised words inside the sentence: names as far as spelling tells."""
    words = list(_WORD.finditer(text))
    return [
        word.group()
        for word in words[1:]
        if word.group()[0].isupper()
        and len(word.group()) > 1
        and word.group().lower() not in _FUNCTION_WORDS
        and not re.search(r"[.!?:\n\"“(]\s*$|^\s*$|[-*•]\s*$", text[: word.start()])
    ]


def _content_words(text: str) -> list[str]:
    return [
        _stem(word.lower())
        for word in _WORD.findall(text)
        if word.lower().replace("’", "'") not in _FUNCTION_WORDS
    ]


def _support(words: Sequence[str], evidence: Sequence[Facts]) -> float:
    """Return the share of content words that the evidence holds (0..1)."""
    if not words:
        return 1.0
    return sum(any(word in facts.stems for facts in evidence) for word in words) / len(words)


@lru_cache(maxsize=20_000)
def _stem(word: str) -> str:
    for ending in ("ings", "ing", "edly", "ied", "ies", "ed", "es", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def _shingles(text: str) -> list[tuple[str, ...]]:
    words = [word.lower() for word in _WORD.findall(text)]
    return [tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1)]
