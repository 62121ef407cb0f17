"""Reading yes, no and "leave it" from a customer's words.

Only clear words count: a confirmation that isn't certain is asked again, never assumed.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Consent(StrEnum):
    """What an answer to a yes-or-no question means."""

    YES = "yes"
    NO = "no"
    UNCLEAR = "unclear"


_YES = frozenset(
    """yes y yep yeah yup yess ye sure ok okay okey k correct right confirm confirmed agreed absolutely
    definitely certainly indeed""".split()
)
_YES_PHRASES = (
    "go ahead",
    "do it",
    "please do",
    "sounds good",
    "that's right",
    "thats right",
    "of course",
    "i confirm",
    "i agree",
    "that is correct",
    "that is right",
    "fine by me",
    "all good",
    "please proceed",
    "proceed",
    "by all means",
    "works for me",
    "that's fine",
    "thats fine",
    "that's correct",
    "thats correct",
    "yes please",
)
_NO = frozenset("""no n nope nah not don't dont never wrong incorrect stop cancel neither""".split())
_BARE_NO = frozenset("no n nope nah".split())
_NO_PHRASES = (
    "leave it",
    "never mind",
    "nevermind",
    "forget it",
    "no thanks",
    "no thank you",
    "not now",
    "changed my mind",
    "hold on",
    "rather not",
    "don't do",
    "do not",
)
_CANCEL_PHRASES = (
    "never mind",
    "nevermind",
    "forget it",
    "leave it",
    "cancel that",
    "cancel this",
    "stop this",
    "changed my mind",
    "forget about it",
    "don't bother",
    "dont bother",
    "no longer need",
    "skip it",
    "abort",
)
_EMOJI_YES = frozenset("👍✅👌")
_EMOJI_NO = frozenset("👎❌")
_HESITATES = frozenset("but if unless maybe perhaps why before later".split())
_BESIDE_YES = frozenset(
    """please pls plz thanks thank you agree very much a i i'm am is it it's that that's thats this them the
    all so with by me my for of do go ahead on now then right away fine good great perfect lovely
    cool happy sounds works means course proceed send book refund make change restart start submit
    have can may""".split()
)
"""Words that may stand beside a yes; any other ("to my new card") may change what was asked, so the
question is put again."""
_POLITE = frozenset("please pls plz thanks thank you go ahead do it then that's thats fine".split())


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower().replace("’", "'")).strip()


def read_consent(text: str) -> Consent:
    """Return what an answer means; anything with more to it, a question or both words is unclear."""
    plain = _plain(text)
    words = re.findall(r"[a-z']+", plain)
    said_no = bool(_NO.intersection(words)) or any(phrase in plain for phrase in _NO_PHRASES)
    said_yes = bool(_YES.intersection(words)) or any(phrase in plain for phrase in _YES_PHRASES)
    said_yes = said_yes or any(mark in text for mark in _EMOJI_YES)
    said_no = said_no or any(mark in text for mark in _EMOJI_NO)
    if plain in {"no problem", "not a problem", "why not", "no worries", "no problem, go ahead"}:
        return Consent.YES
    if said_no and said_yes:
        return Consent.UNCLEAR
    if said_no:
        return Consent.NO
    if said_yes and "?" not in plain and _BESIDE_YES.union(_YES).issuperset(words):
        return Consent.YES
    return Consent.UNCLEAR


def accepts(text: str) -> bool:
    """Tell whether an offer, which causes nothing yet, is taken up: a yes with more behind it will do."""
    plain = _plain(text)
    words = re.findall(r"[a-z']+", plain)
    if read_consent(text) is Consent.YES:
        return True
    begins = bool(words) and words[0] in _YES and "?" not in plain
    return begins and not _HESITATES.intersection(words) and not _NO.intersection(words)


def is_bare_answer(text: str) -> bool:
    """Tell whether a message is nothing but yes or no, with or without a please."""
    words = set(re.findall(r"[a-z']+", _plain(text)))
    said = words & ((_YES | _BARE_NO) - _POLITE)
    return bool(said) and words <= said | _POLITE


def wants_to_stop(text: str) -> bool:
    """Tell whether the customer drops the matter, whatever was asked."""
    plain = _plain(text)
    return any(phrase in plain for phrase in _CANCEL_PHRASES) or plain.strip(" .!") in {
        "cancel",
        "stop",
        "no",
    }
