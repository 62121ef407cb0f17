"""Types of personal data, of what finds it and of what takes it out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol
from uuid import UUID

CustomerId = NewType("CustomerId", UUID)


class Kind(StrEnum):
    """Built-in kinds of personal data. A folder's own patterns add kinds by their names."""

    CARD = "CARD"
    CARD_CODE = "CARD_CODE"
    CARD_EXPIRY = "CARD_EXPIRY"
    IBAN = "IBAN"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    ACCOUNT = "ACCOUNT"
    SORT_CODE = "SORT_CODE"
    NATIONAL_ID = "NATIONAL_ID"
    PASSPORT = "PASSPORT"
    DATE_OF_BIRTH = "DATE_OF_BIRTH"
    IP = "IP"
    DEVICE = "DEVICE"
    """The hardware address of a network card."""
    WALLET = "WALLET"
    """An address of a currency that needs no bank."""
    PASSWORD = "PASSWORD"  # noqa: S105 # the name of a kind
    ONE_TIME_CODE = "ONE_TIME_CODE"
    API_KEY = "API_KEY"
    POSTCODE = "POSTCODE"
    ADDRESS = "ADDRESS"
    NAME = "NAME"
    NUMBER = "NUMBER"
    """A long run of digits whose meaning isn't known yet."""
    FRAGMENT = "FRAGMENT"
    """A piece of a value that is given over several messages."""
    LITERAL = "LITERAL"
    """Words that looked like a token before masking, kept apart from real tokens."""


@dataclass(frozen=True, slots=True)
class Span:
    """Something personal in a text.

    Attributes:
        start: index of its first character in the text as given.
        end: index after its last character.
        kind: a `Kind`, or the name of one of the folder's patterns in capitals.
        value: its normal form: the same for every way of writing the same thing.
    """

    start: int
    end: int
    kind: str
    value: str


class Recogniser(Protocol):
    """Something that finds personal data of its own sort: a tagger for names, for instance."""

    def find(self, text: str) -> Iterable[Span]:
        """Return spans of `text`, in any order; they may overlap those of others."""
        ...


class Purpose(StrEnum):
    """Why a token is turned back into its value."""

    ACTION_ARGUMENT = "action_argument"
    """A business system is called with it."""
    OWN_WORDS = "own_words"
    """The customer sees what they said."""
    DESK_REVEAL = "desk_reveal"
    """A person of the desk asked to see it; always in the ledger."""


class RevealReason(StrEnum):
    """Why a person looks at personal data. A closed list: it goes into the ledger as it stands."""

    IDENTITY = "identity_check"
    CONTACT = "contact_the_customer"
    COMPLAINT = "complaint"
    LEGAL = "legal_request"
    FRAUD = "fraud_check"
    CORRECTION = "correct_a_record"


@dataclass(frozen=True, slots=True)
class TokenUse:
    """A token that stands in a masked text: `[KIND_number]`."""

    kind: str
    number: int

    def __str__(self) -> str:
        return f"[{self.kind}_{self.number}]"


@dataclass(frozen=True, slots=True)
class MaskedText:
    """A text with tokens for what was personal.

    Attributes:
        text: the masked text.
        tokens: the different tokens in it, in order of first appearance.
        count: how many places were replaced.
        completed: tokens of whole values that this text's pieces and those before it make together.
    """

    text: str
    tokens: tuple[TokenUse, ...]
    count: int
    completed: tuple[TokenUse, ...] = ()
