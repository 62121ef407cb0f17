"""`cases/*.yaml`: what the assistant must do, as examples that can be run."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from steward.supply.assistant.schema.base import Name, Part, Text


class Expect(Part):
    """What must be true of one turn. What isn't named isn't checked."""

    intent: Name | None = None
    outcome: tuple[
        Literal["answered", "asked", "acted", "handed_over", "refused", "fell_back", "silent"], ...
    ] = ()
    """Outcomes that are all right."""
    cites: tuple[Text, ...] = ()
    """Documents (paths below knowledge/) of which at least one is cited."""
    says: tuple[Text, ...] = ()
    """Facts that must appear: words, in any case."""
    never_says: tuple[Text, ...] = ()
    """Words that mustn't appear, in any case."""
    workflow: Name | None = None
    """The workflow that is proposed or moved on."""
    queue: Name | None = None
    """The queue that the conversation is handed over to."""


class CaseTurn(Part):
    """One customer message and what must follow."""

    customer: Text
    expect: Expect = Expect()


class Case(Part):
    """A conversation of one or more turns."""

    name: Name
    about: Text | None = None
    customer: dict[Name, str] = Field(default_factory=dict)
    """Claims of a verified customer; empty means unverified."""
    controls: tuple[Name, ...] = ()
    """Controls of governance.yaml that this case tests."""
    turns: tuple[CaseTurn, ...] = Field(min_length=1)


class Cases(Part):
    """The whole of one case file."""

    cases: tuple[Case, ...]
