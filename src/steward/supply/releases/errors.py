"""What can be wrong with releases.

InvalidInput
├── BadParcel           a file isn't a release as `release export` writes it
├── UntrustedParcel     its key isn't trusted here
├── BadKey              a text isn't a public release key
├── BadKeyName          a name of a key doesn't have its form
└── BadLabel            a label doesn't have its form
NotFound
├── NoSuchRelease       nothing has this id, beginning of an id, number or label
├── NoSuchLabel         the release doesn't have the label
├── NoSuchKey           no trusted key has this name
├── NoSuchApproval      the role hasn't agreed to the release
└── NothingServed       the assistant serves no release yet
Conflict
├── AmbiguousRelease    a beginning, number or label that several releases share
├── KeyNameTaken        another trusted key has this name
├── RolloutUnderWay     traffic is divided, so another release can't simply be served
├── CannotApprove       somebody else has to agree
└── CannotDerive        made with another encoder or trainer than this installation has
Misconfigured
└── DamagedRelease      the stored bundle isn't what the id says
"""

from __future__ import annotations

from uuid import UUID

from steward.base.errors import Conflict, InvalidInput, Misconfigured, NotFound
from steward.supply.releases.contracts import short_id


class BadParcel(InvalidInput):
    """A file isn't a release as `release export` writes it."""

    def __init__(self, file: str, what: str) -> None:
        super().__init__(f"{file} {what}; nothing was imported. Export the release again.")


class UntrustedParcel(InvalidInput):
    """A release's key isn't trusted here."""

    def __init__(self, file: str, key_id: str) -> None:
        super().__init__(
            f"{file} is signed by the key {key_id}, which isn't trusted here; nothing was imported. Get the "
            "line that `steward release key` prints there, by another way than the file came, and run "
            "`steward release trust NAME PUBLICKEY`."
        )


class BadKey(InvalidInput):
    """A text isn't a public release key."""

    def __init__(self, prefix: str) -> None:
        super().__init__(
            f"this isn't a public release key: one begins with '{prefix}' and is what "
            "`steward release key` prints on the other installation"
        )


class BadKeyName(InvalidInput):
    """A name of a key doesn't have its form."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name}' can't name a key; use small letters and digits with -, _ or . between them, 60 at most"
        )


class BadLabel(InvalidInput):
    """A label doesn't have its form."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name}' can't be a label; use small letters and digits with -, _ or . between them, 60 at "
            "most, and nothing that could be a number or the beginning of an id (digits and a to f only)"
        )


class NoSuchLabel(NotFound):
    """The release doesn't have the label."""

    def __init__(self, name: str, release_id: str) -> None:
        super().__init__(f"release {short_id(release_id)} doesn't have the label '{name}'")


class NoSuchKey(NotFound):
    """No trusted key has this name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no trusted key is called '{name}'; `steward release trust` lists them")


class KeyNameTaken(Conflict):
    """Another trusted key has this name."""

    def __init__(self, name: str, key_id: str) -> None:
        super().__init__(
            f"the trusted key {key_id} is called '{name}' already; take another name, or "
            f"`steward release trust --remove {name}` first"
        )


class NoSuchRelease(NotFound):
    """Nothing has this id, beginning of an id, number or label."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"there is no release '{reference}'; `steward release list` shows those there are")


class NothingServed(NotFound):
    """The assistant serves no release yet."""

    def __init__(self, assistant: str) -> None:
        super().__init__(
            f"assistant '{assistant}' serves no release yet; create one with `steward release create`"
        )


class AmbiguousRelease(Conflict):
    """A beginning, number or label that several releases share."""

    def __init__(self, reference: str) -> None:
        super().__init__(f"'{reference}' means several releases; write more of the id")


class RolloutUnderWay(Conflict):
    """Traffic is divided, so another release can't simply be served."""

    def __init__(self, assistant: str, rollout_id: UUID) -> None:
        super().__init__(
            f"a rollout of '{assistant}' is under way ({rollout_id}); abort it first, or wait for its end"
        )


class CannotDerive(Conflict):
    """A release was made with another encoder or trainer than this installation has."""

    def __init__(self, release_id: str, what: str) -> None:
        super().__init__(
            f"release {short_id(release_id)} was made with another {what} than this installation has; "
            "create a new release from its folder, or install the version that made it"
        )


class DamagedRelease(Misconfigured):
    """The stored bundle isn't what the id says."""

    def __init__(self, release_id: str) -> None:
        super().__init__(
            f"the stored files of release {short_id(release_id)} don't match its id; restore the database "
            "from a backup, or create the release again from its folder"
        )


class NoSuchApproval(NotFound):
    """The role hasn't agreed to the release."""

    def __init__(self, role: str, release_id: str) -> None:
        super().__init__(f"the role '{role}' hasn't agreed to release {short_id(release_id)}")


class CannotApprove(Conflict):
    """Somebody else has to agree."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"this agreement can't be given: {problem}; ask somebody else to agree")
