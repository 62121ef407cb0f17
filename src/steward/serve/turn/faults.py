"""Why a sentence isn't sent, as a closed set and in words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Fault(StrEnum):
    """What is wrong with a sentence; the first that is found is named."""

    FORBIDDEN_PROMISE = "forbidden_promise"
    CLAIMS_EFFECT = "claims_effect"
    LEAKS_SECRET = "leaks_secret"  # noqa: S105 - a word, not a secret
    LEAKS_INSTRUCTIONS = "leaks_instructions"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - a word, not a secret
    PERSONAL_DATA = "personal_data"
    UNKNOWN_CITATION = "unknown_citation"
    NO_CITATION = "no_citation"
    UNKNOWN_NUMBER = "unknown_number"
    UNKNOWN_DATE = "unknown_date"
    UNKNOWN_NAME = "unknown_name"
    CONTRADICTS = "contradicts"
    OVERSTATES = "overstates"
    WRONG_CITATION = "wrong_citation"
    UNSUPPORTED = "unsupported"
    JUDGED_UNSUPPORTED = "judged_unsupported"
    NOT_JUDGED = "not_judged"


IN_WORDS: Final[dict[Fault, str]] = {
    Fault.FORBIDDEN_PROMISE: "It makes a promise that the assistant's folder forbids.",
    Fault.CLAIMS_EFFECT: "It says that something was done, which only the workflow engine may say.",
    Fault.LEAKS_SECRET: "It tells a secret that stands in the instructions.",
    Fault.LEAKS_INSTRUCTIONS: "It tells the assistant's instructions.",
    Fault.UNKNOWN_TOKEN: "It names a hidden value that isn't of this conversation.",
    Fault.PERSONAL_DATA: "It holds personal data that stands in no evidence.",
    Fault.UNKNOWN_CITATION: "It cites a passage that doesn't exist.",
    Fault.NO_CITATION: "It states something without naming a passage.",
    Fault.UNKNOWN_NUMBER: "It gives a number, an amount or a length of time that the cited passage lacks.",
    Fault.UNKNOWN_DATE: "It gives a day, a date or a time that the cited passage lacks.",
    Fault.UNKNOWN_NAME: "It names somebody or something that neither the passage nor the customer named.",
    Fault.CONTRADICTS: "It says the opposite of the cited passage.",
    Fault.OVERSTATES: "It says for certain what the cited passage says with a reservation.",
    Fault.WRONG_CITATION: "Another passage says it, not the one that it cites.",
    Fault.UNSUPPORTED: "The cited passage doesn't say it.",
    Fault.JUDGED_UNSUPPORTED: "The judge found that the cited passage doesn't say it.",
    Fault.NOT_JUDGED: "It had to be judged, and the judge didn't answer in time.",
}

_SENTENCES: Final = {fault.value: sentence for fault, sentence in IN_WORDS.items()}


def in_words(reason: str | None) -> str:
    """Return a stored reason as a sentence; one that isn't known any more is told as it stands."""
    if reason is None:
        return ""
    return _SENTENCES.get(reason, reason)
