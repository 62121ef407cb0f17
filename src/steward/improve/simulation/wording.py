"""How a customer writes: the same words politely, in a hurry, in capitals, or angrily. Pure."""

from __future__ import annotations

import re
from enum import StrEnum
from random import Random

_WORD = re.compile(r"[A-Za-z]{5,}")
_PLEASANT = re.compile(r"\b(?:please|thanks|thank you|hello|hi)\b[,.!]?\s*", re.IGNORECASE)


class Style(StrEnum):
    """A way of writing."""

    PLAIN = "plain"
    POLITE = "polite"
    SHORT = "short"
    HASTY = "hasty"
    """With typos."""
    SHOUTING = "shouting"
    """In capitals."""
    ANGRY = "angry"


_GREETINGS = ("Hello, ", "Hi there. ", "Good day. ", "Hi, sorry to bother you. ")
_THANKS = (" Thank you.", " Many thanks.", " Thanks in advance.", "")
_GRUMBLES = (
    " This is ridiculous.",
    " I'm really annoyed.",
    " Sort it out.",
    " I've had enough of this.",
)
_YES = {
    Style.PLAIN: ("yes", "yes please"),
    Style.POLITE: ("yes please", "Yes, please do."),
    Style.SHORT: ("yes", "ok"),
    Style.HASTY: ("yes", "yes pls"),
    Style.SHOUTING: ("YES", "YES PLEASE"),
    Style.ANGRY: ("yes", "Yes, do it."),
}
_NO = {
    Style.PLAIN: ("no", "no thanks"),
    Style.POLITE: ("no thank you", "No thanks, leave it for now."),
    Style.SHORT: ("no",),
    Style.HASTY: ("no", "no thx"),
    Style.SHOUTING: ("NO",),
    Style.ANGRY: ("no", "No, leave it."),
}
_COMPLAINTS = (
    "That doesn't help me at all.",
    "You didn't answer my question. I'm not happy with this.",
    "I'm getting nowhere here. How do I complain?",
)
_ASKS_FOR_AGENT = ("agent", "I want to talk to a person", "can I speak to somebody please", "human please")
_THANKS_AT_END = ("thanks", "Great, thank you!", "ok thanks", "perfect, that helps")


def written(text: str, style: Style, chance: Random) -> str:
    """Return a matter in somebody's way of writing."""
    match style:
        case Style.POLITE:
            end = "" if text.endswith((".", "?", "!")) else "."
            return chance.choice(_GREETINGS) + text + end + chance.choice(_THANKS)
        case Style.SHORT:
            return _PLEASANT.sub("", text).rstrip(".!").lower() or text
        case Style.HASTY:
            return with_typos(text, chance)
        case Style.SHOUTING:
            return text.upper()
        case Style.ANGRY:
            return text.rstrip(".! ") + "." + chance.choice(_GRUMBLES)
        case _:
            return text


def with_typos(text: str, chance: Random) -> str:
    """Return the text with a typo in one or two of its longer words; numbers stay as they are."""
    words = list(_WORD.finditer(text))
    wrong = {each.start() for each in chance.sample(words, min(len(words), chance.choice((1, 1, 2))))}

    def spoil(found: re.Match[str]) -> str:
        word = found[0]
        if found.start() not in wrong:
            return word
        at = chance.randrange(1, len(word) - 1)
        match chance.randrange(3):
            case 0:
                return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
            case 1:
                return word[:at] + word[at + 1 :]
            case _:
                return word[:at] + word[at] + word[at:]

    return _WORD.sub(spoil, text)


def yes(style: Style, chance: Random) -> str:
    """Return an agreement."""
    return chance.choice(_YES[style])


def no(style: Style, chance: Random) -> str:
    """Return a refusal."""
    return chance.choice(_NO[style])


def complaint(style: Style, chance: Random) -> str:
    """Return what somebody writes who is fed up."""
    return _loud(chance.choice(_COMPLAINTS), style)


def wish_for_agent(style: Style, chance: Random) -> str:
    """Return what somebody writes who wants a person."""
    return _loud(chance.choice(_ASKS_FOR_AGENT), style)


def thanks(style: Style, chance: Random) -> str:
    """Return a last word."""
    return _loud(chance.choice(_THANKS_AT_END), style)


def _loud(text: str, style: Style) -> str:
    return text.upper() if style is Style.SHOUTING else text
