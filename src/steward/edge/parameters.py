"""Values out of paths and queries: ids, places and numbers, or a refusal that says what was expected."""

from __future__ import annotations

from uuid import UUID

from steward.base.errors import InvalidInput, NotFound
from steward.improve.rollout.contracts import RolloutId


def conversation_id_of(text: str) -> UUID:
    """Return a conversation's id from a path.

    Raises:
        NotFound: it isn't the form of an id, so no such conversation can be there.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound("There is no such conversation; ids are UUIDs.") from None


def record_id_of(text: str, kind: str) -> UUID:
    """Return a record's id from a path.

    Raises:
        NotFound: it isn't the form of an id, so no such record can be there.
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound(f"There is no such {kind}; ids are UUIDs.") from None


def place_of(text: str) -> int:
    """Return the place in a conversation, or in the ledger, from which to read."""
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidInput("A place has to be a whole number: a message's seq, or a row's position.")
    return int(text)


def rollout_id_of(text: str) -> RolloutId:
    """Return a rollout's id from a path.

    Raises:
        NotFound: it isn't the form of an id, so no such rollout can be there.
    """
    return RolloutId(record_id_of(text, "rollout"))


def phase_of(text: str) -> int:
    """Return a phase's place in its plan from a path.

    Raises:
        NotFound: it's no whole number, so no such phase can be there.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 3:
        raise NotFound("There is no such phase; phases are counted from 0.")
    return int(text)


def truth_of(text: str, name: str) -> bool | None:
    """Return yes or no out of a query, None where it isn't said.

    Raises:
        InvalidInput: it's neither true nor false.
    """
    if text not in {"", "true", "false"}:
        raise InvalidInput(f"{name} has to be true or false.")
    return {"true": True, "false": False}.get(text)


def limit_of(text: str, *, most: int = 200) -> int:
    """Return how many lines to list.

    Raises:
        InvalidInput: it's no whole number from 1 to `most`.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most):
        raise InvalidInput(f"The number has to be whole and from 1 to {most}.")
    return int(text)
