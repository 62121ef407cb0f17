"""`desk.yaml`: where humans answer."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from steward.supply.assistant.schema.base import Name, Part, Text

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Hours(Part):
    """One span of opening hours, in the assistant's time zone."""

    days: tuple[Day, ...]
    opens: str = Field(pattern=r"^\d\d:\d\d$")
    closes: str = Field(pattern=r"^\d\d:\d\d$")


class Queue(Part):
    """A line of waiting conversations."""

    name: Name
    title: Text
    skills: tuple[Name, ...] = ()
    answer_within_minutes: int = Field(default=10, ge=1)


class Survey(Part):
    """What is asked at the end."""

    question: Text


class Desk(Part):
    """The whole of `desk.yaml`."""

    queues: tuple[Queue, ...] = Field(min_length=1)
    default_queue: Name
    hours: tuple[Hours, ...] = ()
    """Empty means always open."""
    hand_over_text: Text
    out_of_hours_text: Text
    give_back_text: Text
    idle_minutes: int = Field(default=1440, ge=30)
    """Minutes without a word after which a conversation is closed; never while a person has the word."""
    survey: Survey
