"""Who the simulated customers are: what they want, how they write, how patient they are.

Everything comes out of a seed and a number, so that customer 17 of seed 3 is the same person with the
same words on every machine and in every run. Matters come from the assistant folder: its intents'
examples and the first messages of its cases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import TypeVar

from steward.improve.simulation.wording import Style
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.workflow import Slot

Drawn = TypeVar("Drawn")
Facts = Mapping[str, str]
"""What a customer knows about themselves, by the names of workflow slots: account, postcode, ..."""


class Reaction(StrEnum):
    """What somebody does whose patience has run out."""

    GIVES_UP = "gives_up"
    COMPLAINS = "complains"
    ASKS_FOR_AGENT = "asks_for_agent"


@dataclass(frozen=True, slots=True)
class Habits:
    """How simulated customers behave on the whole. Shares are between 0 and 1; none of it is measured.

    `conversations` is the mean per customer; `same_matter` the share of returns with the matter of the
    visit before. `follow_ups` ask once more after an answer. `accepts` is the share that takes up an
    offered workflow, `confirms` that agrees to its effect, where `may_act` allows any. `tells` say when
    leaving whether the matter is resolved; `vanishes` leave without closing.
    """

    conversations: float = 2.5
    same_matter: float = 0.3
    wants_agent: float = 0.03
    off_topic: float = 0.03
    follow_ups: float = 0.3
    accepts: float = 0.7
    confirms: float = 0.85
    may_act: bool = False
    tells: float = 0.6
    vanishes: float = 0.04
    thumbs: float = 0.1
    styles: Mapping[Style, float] = field(
        default_factory=lambda: {
            Style.PLAIN: 0.4,
            Style.POLITE: 0.18,
            Style.SHORT: 0.16,
            Style.HASTY: 0.14,
            Style.ANGRY: 0.07,
            Style.SHOUTING: 0.05,
        }
    )
    patience: Mapping[int, float] = field(default_factory=lambda: {1: 0.25, 2: 0.45, 3: 0.3})
    """How many bad answers somebody stands, and the share of customers who stand so many."""
    reactions: Mapping[Reaction, float] = field(
        default_factory=lambda: {
            Reaction.GIVES_UP: 0.4,
            Reaction.COMPLAINS: 0.25,
            Reaction.ASKS_FOR_AGENT: 0.35,
        }
    )
    hours: Sequence[float] = (
        1, 1, 1, 1, 1, 2, 4, 8, 14, 18, 18, 16, 14, 14, 14, 14, 16, 18, 20, 18, 14, 9, 5, 2,
    )  # fmt: skip
    """How many write in each hour of the day, from midnight: quiet nights, peaks at ten and at six."""


@dataclass(frozen=True, slots=True)
class Persona:
    """One invented customer. `mood` is their own standing satisfaction, a standard normal value."""

    number: int
    reference: str
    style: Style
    patience: int
    reaction: Reaction
    mood: float
    facts: Facts


@dataclass(frozen=True, slots=True)
class Matter:
    """What somebody wants in one conversation: first words, and other words for the same.

    `intent` is None for what is nobody's business here; `agent` is the plain wish for a person.
    """

    intent: str | None
    category: str | None
    wordings: tuple[str, ...]
    agent: bool = False


class Population:
    """All customers that a seed and a folder give."""

    def __init__(
        self, folder: Folder, *, seed: int, habits: Habits | None = None, facts: Sequence[Facts] = ()
    ) -> None:
        """Take the folder whose matters they have, and what they may know about themselves."""
        self.seed = seed
        self.habits = habits or Habits()
        self._facts = tuple(facts)
        self._matters = matters_of(folder)
        self._off_topic = folder.intents.out_of_scope
        self._slots = {
            (name, slot.name): slot for name, workflow in folder.workflows.items() for slot in workflow.slots
        }

    def chance(self, *what: object) -> Random:
        """Return the dice for one purpose, always the same."""
        return Random("/".join(map(str, (self.seed, *what))))  # noqa: S311 - repeatable, guards nothing

    def customer(self, number: int) -> Persona:
        """Return a customer by number."""
        chance, habits = self.chance("customer", number), self.habits
        return Persona(
            number=number,
            reference=f"simulated-{self.seed}-{number}",
            style=_drawn(habits.styles, chance),
            patience=_drawn(habits.patience, chance),
            reaction=_drawn(habits.reactions, chance),
            mood=chance.gauss(0, 1),
            facts=self._facts[number % len(self._facts)] if self._facts else {},
        )

    def matter(self, persona: Persona, visit: int) -> Matter:
        """Return what a customer wants on a visit, counted from 0; some come back with the same."""
        chance, habits = self.chance("matter", persona.number, visit), self.habits
        if visit > 0 and chance.random() < habits.same_matter:
            return self.matter(persona, visit - 1)
        fate = chance.random()
        if fate < habits.wants_agent:
            return Matter(None, None, (), agent=True)
        if fate < habits.wants_agent + habits.off_topic and self._off_topic:
            return Matter(None, None, (chance.choice(self._off_topic),))
        matter = chance.choice(self._matters)
        wordings = chance.sample(matter.wordings, min(6, len(matter.wordings)))
        return Matter(matter.intent, matter.category, tuple(wordings))

    def value(self, persona: Persona, workflow: str | None, slot: str, chance: Random) -> str | None:
        """Return what a customer answers when asked for a slot, or None for what they don't know."""
        if slot in persona.facts:
            return persona.facts[slot]
        asked = self._slots.get((workflow or "", slot))
        if asked is None:
            asked = next((each for (_, name), each in self._slots.items() if name == slot), None)
        return None if asked is None else slot_value(asked, persona, chance)


def matters_of(folder: Folder) -> tuple[Matter, ...]:
    """Return what customers of this assistant want: an entry per intent that isn't small talk."""
    first_words: dict[str, list[str]] = {}
    for case in folder.cases:
        turn = case.turns[0]
        if turn.expect.intent is not None:
            first_words.setdefault(turn.expect.intent, []).append(turn.customer)
    return tuple(
        Matter(intent.name, intent.category, (*intent.examples, *first_words.get(intent.name, ())))
        for intent in folder.intents.intents
        if not intent.hand_over and intent.reply is None
    )


_TRIED = (
    "latest", "14 Station Road, Leeds", "LS1 9ZZ", "01632 960123", "123456", "AB123456", "12", "Alex Example",
)  # fmt: skip
"""Answers that are tried against a slot's pattern; the number is one that is set aside for drama."""


def slot_value(slot: Slot, persona: Persona, chance: Random) -> str | None:
    """Make an answer up that a slot takes; None where nothing fits."""
    match slot.type:
        case "choice":
            return chance.choice(slot.choices) if slot.choices else None
        case "yes_no":
            return chance.choice(("yes", "no"))
        case "number":
            return str(chance.randrange(1, 9))
        case "money":
            return f"{chance.randrange(5, 60)}.00"
        case "date":
            return f"2027-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
        case "email":
            return f"customer.{persona.number}@mail.example"
        case "phone":
            return f"01632 960{persona.number % 1000:03}"
        case _:
            known = (*persona.facts.values(), *_TRIED)
            fits = [each for each in known if slot.pattern is None or re.fullmatch(slot.pattern, each)]
            return fits[0] if fits else None


def _drawn(weights: Mapping[Drawn, float], chance: Random) -> Drawn:
    return chance.choices(list(weights), list(weights.values()))[0]
