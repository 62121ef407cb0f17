"""What a sentence claims: whether anything, and its claims one by one."""

from __future__ import annotations

import re

from steward.base.language.grounding_text import FUNCTION_WORDS, content_stems, words_of

_ECHO = re.compile(
    r"^\W*(?:hi|hello|hey|thanks|thank you|sorry|i['’]m (?:very |really |so )?sorry|i am sorry|i understand|"
    r"i see|i (?:don['’]t|do not) know|i (?:can['’]t|cannot|couldn['’]t) find|"
    r"i (?:don['’]t|do not) have (?:\w+ ){0,3}(?:information|details)|is there anything|let me know|i hope|"
    r"please type|type|here['’]s (?:how|what)|here (?:is|are) (?:how|what)|to do (?:so|this|that))\b",
    re.IGNORECASE,
)
"""Openings after which a sentence may say again what the customer said."""
_AGREE = re.compile(
    r"^\W*(?:of course|sure|great|good (?:morning|afternoon|evening)|you['’]re welcome|happy to help|"
    r"no problem|that sounds|yes|no)\b",
    re.IGNORECASE,
)
"""Openings that agree: what follows would be a promise in the customer's own words."""
_OFFERS_HELP = re.compile(
    r"^\W*(?:i can (?:help|look|check)|let me|i['’]?d be|i['’]m (?:here|happy|glad))\b", re.IGNORECASE
)
_PART = re.compile(r"[,;:–—]|\b(?:and|but|so|because)\b", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_MARKER = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)])(?:\s+|$)")
# fmt: off
_COURTESY = frozenset(
    content
    for word in """agent annoying answer anything apologies apologise ask assist bit check colleague concern
    confusion contact day delay difficult document else experience feel find frustrated frustration glad good
    happy hear help hope inconvenience information issue know look luck matter message moment morning nice
    patience person problem question reach right situation sorry stress tell testing thing trouble type
    understand understandable unfortunate upset wait welcome word worry worried""".split()
    for content in content_stems(word)
)
"""Stems of what politeness is made of."""
# fmt: on
_JOINT = re.compile(r"\s*;\s+|,?\s+(?:but|whereas|while|although)\s+|,\s+(?:and|so)\s+|\s+[–—]\s+")
_STATES = re.compile(
    r"\b(?:is|are|was|were|be|been|can|could|will|would|may|might|must|should|shall|has|have|had|does|do|did|"
    r"costs?|takes?|gets?|needs?|includes?|gives?|means|starts?|ends?|stays?|comes?|goes|pays?|works?|covers?|"
    r"\w+n['’]t)\b",
    re.IGNORECASE,
)
_FEWEST_STEMS = 2


def makes_claim(text: str, context: str = "") -> bool:
    """Tell whether a sentence states something, as greetings, empathy and questions don't.

    A polite opening proves nothing about what follows it ("I'm sorry, your contract ends free of
    charge"): behind it only politeness, an offer of help or the customer's own words are no claim.
    """
    text = without_marker(text)
    if text.rstrip().endswith("?"):
        return bool(re.match(r"\W*did you know\b", text, re.IGNORECASE))
    if not any(character.isalpha() for character in text) and not _DIGIT.search(text):
        return False
    echo = _ECHO.match(text)
    opening = echo or _AGREE.match(text)
    if opening is None or _DIGIT.search(text):
        return True
    said = _COURTESY.union(content_stems(context))
    first, *rest = _PART.split(text[opening.end() :])
    parts = rest if echo is not None and said.issuperset(content_stems(first)) else [first, *rest]
    return not all(
        (said if _OFFERS_HELP.match(part) else _COURTESY).issuperset(content_stems(part)) for part in parts
    )


def claims_of(text: str) -> tuple[str, ...]:
    """Split a sentence into its claims; one that can't be split is a single claim.

    It's split where a joint stands between two parts that each state something of their own, so a list
    ("bills, payments and refunds") stays whole.
    """
    claims: list[str] = []
    start = 0
    for joint in _JOINT.finditer(text):
        if _stands_alone(text[start : joint.start()]) and _stands_alone(text[joint.end() :]):
            claims.append(text[start : joint.start()].strip())
            start = joint.end()
    return (*claims, text[start:].strip())


def without_marker(text: str) -> str:
    """Return a line of a list without its bullet or number."""
    return _MARKER.sub("", text)


def _stands_alone(part: str) -> bool:
    if _STATES.search(part) is None:
        return False
    return sum(word not in FUNCTION_WORDS for word in words_of(part)) >= _FEWEST_STEMS
