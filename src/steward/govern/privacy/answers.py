"""What the message before announces: "What was your mother's maiden name?" - "it was gray".

The other side asks for it, or the customer says "my password is" and writes the rest in the next message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.credentials import NOT_SECRETS
from steward.govern.privacy.names import NOT_NAMES
from steward.govern.privacy.scanning import Candidate, Rank, Scan, squeezed, word_set

_SECURITY = re.compile(
    r"\b(?:maiden\sname|security\s(?:question|answer|word)|memorable\s(?:word|name|place|answer)"
    r"|name\sof\s(?:the|your)\s(?:first\s|childhood\s)?(?:pet|school|teacher|street)"
    r"|(?:first|childhood)\s(?:pet|school|teacher|car)|secret\s(?:word|answer))\b[^?]{0,80}\?",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(?:your|full|first|last|family|account\sholder'?s?)\s(?:full\s|first\s|last\s)?(?:name|surname)\b"
    r"[^?]{0,60}\?|\bwhat\s(?:are\syou|should\si\scall\syou|is\sit)\scalled\b[^?]{0,40}\?"
    r"|\b(?:whom?)\s(?:am\si|do\si)\s(?:speaking|talking|have)\b[^?]{0,40}\?",
    re.IGNORECASE,
)
_PROMISED = re.compile(
    r"\b(?:pass\s?words?|passcodes?|pass\s?phrases?|passwd|pwd|pin|puk|maiden\sname|(?:security|secret|memorable)\s(?:answer|word))"
    r"\s{0,2}(?:is|was|[:=])\s{0,3}$",
    re.IGNORECASE,
)
_PROMISING = frozenset("sS:= ")
"""Signs with which a promise ends."""
_SECRET = re.compile(r"\s{0,4}(?:it'?s\s|is\s)?[\"'`]?(?P<value>[^\s\"'`]{1,80})", re.IGNORECASE)
_MOST_SECRET_WORDS = 4
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['-](?=[^\W\d_])){0,29}")
_GAP = re.compile(r"\.?[ \t]{1,2}")
_LEAD = word_set(
    "yes yeah yep ok okay sure oh ah um well so and it it's its is was the my mine that's that i think "
    "maybe hi hello name answer pet dog cat called mother's mothers mother maiden first last full school "
    "teacher probably believe of course sorry guess remember"
)
_REFUSING = word_set("dont cant know knew forget forgot forgotten idk unsure nope nothing none skip never")
_LONGEST_ANSWER = 80
_MOST_WORDS = 3


def find_answers(scan: Scan, asked: str) -> Iterator[Candidate]:
    """Find the answer in a short text, where the question before asked for a name or a secret.

    Args:
        scan: the text.
        asked: the other side's last words before it.
    """
    question = asked[-300:]
    if "?" not in question or len(scan.text) > _LONGEST_ANSWER:
        return
    kind, rank = Kind.PASSWORD, Rank.SECRET
    if _SECURITY.search(question) is None:
        kind, rank = Kind.NAME, Rank.NAME
        if _NAME.search(question) is None:
            return
    found = _answer(scan.text)
    if found is not None:
        start, end = found
        yield Candidate(start, end, kind, squeezed(scan.text[start:end]), rank)


def find_promised(scan: Scan, said: str) -> Iterator[Candidate]:
    """Find the secret that a short text begins with, where the customer's message before ends on its name.

    Args:
        scan: the text.
        said: the customer's message before it.
    """
    if said[-1:] not in _PROMISING or len(scan.text) > _LONGEST_ANSWER:
        return
    if _PROMISED.search(said, max(0, len(said) - _LONGEST_ANSWER)) is None:
        return
    match = _SECRET.match(scan.text)
    if match is None or len(scan.text.split()) > _MOST_SECRET_WORDS:
        return
    stem = match["value"].lower().strip(".,;:!?()")
    if stem and stem not in NOT_SECRETS and "n't" not in stem:
        yield Candidate(*match.span("value"), Kind.PASSWORD, match["value"], Rank.SECRET)


def _answer(text: str) -> tuple[int, int] | None:
    """Return where the first words stand that say more than "it was"."""
    start = end = -1
    count = 0
    for match in _WORD.finditer(text):
        word = match[0].lower()
        if start < 0:
            if word in _LEAD:
                continue
            if word in NOT_NAMES or word in _REFUSING or "n't" in word:
                return None
            start, end, count = *match.span(), 1
            continue
        if count == _MOST_WORDS or word in NOT_NAMES or _GAP.fullmatch(text, end, match.start()) is None:
            break
        end = match.end()
        count += 1
    return (start, end) if start >= 0 else None
