"""Errors of privacy.

StewardError
├── Misconfigured
│   ├── BadMasterKey        the key given isn't 32 bytes, or its file can't be read
│   ├── WrongMasterKey      the database was sealed under another key
│   ├── BadPattern          a pattern of the folder doesn't compile
│   ├── SealBroken          sealed bytes were changed, or belong to another key or place
│   ├── NoSuchRecogniser    no installed package offers the recogniser
│   └── KeyServiceRefused   the key service says no, or answers in an unknown form
├── Unavailable
│   ├── KeyServiceUnavailable  the key service doesn't answer
│   └── RecogniserUnavailable  an analyzer or a package doesn't answer, so nothing can be masked by it
├── Conflict
│   ├── KeyInUse            a master key can't be retired: something is still wrapped by it
│   └── KeyGiven            the master key comes from the environment, which Steward can't change
└── NotFound
    ├── CustomerErased      the customer's key is gone, and with it what it sealed
    └── NoSuchKey           no master key has this id
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.errors import Conflict, Misconfigured, NotFound, Unavailable


class BadMasterKey(Misconfigured):
    """The master key can't be used."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"The master key in {where} {problem}.")
        self.where = where


class WrongMasterKey(Misconfigured):
    """The database belongs to another master key."""

    def __init__(self, given: str, needed: str) -> None:
        super().__init__(
            f"This database was sealed under master key {needed}, but {given} was given; put the old key "
            "back (STEWARD_MASTER_KEY, or master.key in the data directory) or use another database."
        )
        self.given = given
        self.needed = needed


class BadPattern(Misconfigured):
    """A masking pattern isn't a regular expression."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The masking pattern {name!r} isn't a regular expression: {problem}.")
        self.name = name


class CustomerErased(NotFound):
    """The customer was erased, or never was."""

    def __init__(self, customer_id: UUID) -> None:
        super().__init__(f"Customer {customer_id} has no key: what they said was erased and can't be read.")
        self.customer_id = customer_id


class SealBroken(Misconfigured):
    """Sealed bytes don't open."""

    def __init__(self, context: str) -> None:
        super().__init__(f"Sealed data for {context!r} doesn't open: it was changed or belongs elsewhere.")
        self.context = context


class KeyServiceUnavailable(Unavailable):
    """The key service doesn't answer."""

    def __init__(self, service: str, problem: str) -> None:
        super().__init__(
            f"The key service {service} doesn't answer ({problem}), and without it the master key can't be "
            "opened; check STEWARD_KEY_SERVICE_URL and that the service is unsealed."
        )
        self.service = service


class KeyServiceRefused(Misconfigured):
    """The key service says no."""

    def __init__(self, service: str, problem: str) -> None:
        super().__init__(
            f"The key service {service} refuses ({problem}); check the key's name, the token and its policy."
        )
        self.service = service


class RecogniserUnavailable(Unavailable):
    """An analyzer outside, or an installed package, didn't look at a text."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"A recogniser of personal data doesn't answer ({problem}), so nothing was stored; try again, or "
            "let own rules do with STEWARD_RECOGNISER_FAILURE=own_rules."
        )
        self.problem = problem


class NoSuchRecogniser(Misconfigured):
    """A recogniser is named that nobody offers."""

    def __init__(self, name: str, offered: Sequence[str]) -> None:
        there = ", ".join(sorted(offered)) or "none"
        super().__init__(f"No installed package offers the recogniser {name!r}; there are: {there}.")
        self.name = name


class KeyInUse(Conflict):
    """A master key is still needed."""

    def __init__(self, key_id: str, rows: int) -> None:
        what = "it's the one in use" if not rows else f"{rows} keys are still wrapped by it"
        super().__init__(
            f"The master key {key_id} can't be retired because {what}; run `steward key rotate` first."
        )
        self.key_id = key_id


class NoSuchKey(NotFound):
    """There is no such master key to retire."""

    def __init__(self, key_id: str) -> None:
        super().__init__(
            f"There is no master key {key_id[:40]!r}, so none was retired; `steward key status` lists them."
        )
        self.key_id = key_id


class KeyGiven(Conflict):
    """The master key comes from the environment."""

    def __init__(self) -> None:
        super().__init__(
            "The master key comes from STEWARD_MASTER_KEY, which Steward can't change: put a new key there, "
            "the old one into STEWARD_OLD_MASTER_KEYS, restart every process, and run `steward key rotate`."
        )
