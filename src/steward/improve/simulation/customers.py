"""One conversation from the customer's side: what to say next, when to lose patience, when to leave. Pure.

A `Visit` hears each answer and returns the next message, or None when the customer leaves. It knows only
what a customer could notice: the words' kind, a question, what stands to be confirmed, and how long it took.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from steward.improve.simulation.personas import Matter, Persona, Population, Reaction
from steward.improve.simulation.surveys import Ended, Experience
from steward.improve.simulation.wording import complaint, no, thanks, wish_for_agent, written, yes

MOST_MESSAGES = 12
"""A customer leaves after so many messages whatever happens."""
NOTICES_WRONG_MATTER = 0.6
"""Share of answers to another matter than theirs that customers find bad; the others happen to help."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer as the customer takes it: `asks` for something, perhaps for one slot; `action` is the
    state of a workflow that the answer told of; `waited_s` how long the whole answer took."""

    outcome: str
    intent: str | None = None
    asks: bool = False
    slot: str | None = None
    workflow: str | None = None
    action: str | None = None
    waited_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Farewell:
    """How the customer leaves: whether they close the conversation and what they say of it."""

    experience: Experience
    closes: bool
    resolved: bool | None


class Visit:
    """A customer with one matter, in one conversation."""

    def __init__(
        self,
        population: Population,
        persona: Persona,
        visit: int,
        *,
        glad_wait_s: float = 3.0,
        matter: Matter | None = None,
    ) -> None:
        """Begin a visit, counted from 0; the matter is the population's unless given."""
        self.persona = persona
        self.matter = matter or population.matter(persona, visit)
        self._population = population
        self._habits = population.habits
        self._chance = population.chance("visit", persona.number, visit)
        self._glad_wait_s = glad_wait_s
        self._wordings = iter(self.matter.wordings)
        self._said = 0
        self._bad = 0
        self._slow_s = 0.0
        self._complained = False
        self._wants_human = False
        self._followed_up = False
        self._workflow: str | None = None
        self._declined = False
        self._ended: Ended | None = None
        self._rated = False
        self._good = False

    @property
    def chance(self) -> Random:
        """The dice of this visit."""
        return self._chance

    def opening(self) -> str:
        """Return the first message."""
        self._said = 1
        if self.matter.agent:
            return self._ask_for_agent()
        return self._reworded() or self._ask_for_agent()

    def hear(self, heard: Heard) -> str | None:
        """Take an answer in and return the next message, or None to leave."""
        self._slow_s += max(0.0, heard.waited_s - self._glad_wait_s)
        self._rated = heard.outcome in ("answered", "acted", "fell_back")
        self._good = self._is_good(heard)
        self._workflow = heard.workflow or self._workflow
        reply = self._react(heard)
        if reply is None or self._said >= MOST_MESSAGES:
            self._ended = self._ended or Ended.GAVE_UP
            return None
        self._said += 1
        return reply

    def thumb(self) -> str | None:
        """Return "up" or "down" for the answer heard last, or None for the many who press neither."""
        if not self._rated or self._chance.random() >= self._habits.thumbs:
            return None
        return "up" if self._good else "down"

    def farewell(self) -> Farewell:
        """Return how the customer leaves; call it once, at the end.

        Who waits for a person never just vanishes: nobody at the desk should be kept busy by them.
        """
        ended = self._ended or Ended.GAVE_UP
        experience = Experience(ended, self._bad, self._slow_s, self._complained)
        waits = ended in (Ended.HANDED_OVER, Ended.REACHED_HUMAN)
        if self._chance.random() < self._habits.vanishes and not waits:
            return Farewell(experience, closes=False, resolved=None)
        tells = self._chance.random() < self._habits.tells
        resolved = ended in (Ended.ACTED, Ended.ANSWERED)
        return Farewell(experience, closes=True, resolved=resolved if tells else None)

    # ------------------------------------------------------------ reactions

    def _react(self, heard: Heard) -> str | None:
        match heard.outcome:
            case "handed_over" | "silent":
                self._ended = Ended.REACHED_HUMAN if self._wants_human else Ended.HANDED_OVER
                return None
            case "acted":
                self._ended = Ended.ACTED
                return None
            case "asked":
                return self._answer_question(heard)
            case "answered" | "fell_back" if heard.action == "proposed":
                return self._take_offer()
            case "answered" | "fell_back" if self._good:
                return self._be_content(heard)
            case "refused" if self.matter.intent is None:
                self._ended = Ended.GAVE_UP
                return None
            case _:
                return self._be_annoyed()

    def _answer_question(self, heard: Heard) -> str | None:
        style, chance, habits = self.persona.style, self._chance, self._habits
        if heard.action == "awaiting_approval":
            self._ended = Ended.ACTED
            return None
        if heard.action == "confirming":
            agrees = habits.may_act and chance.random() < habits.confirms
            self._declined = not agrees
            return yes(style, chance) if agrees else no(style, chance)
        if heard.slot is not None:
            value = self._population.value(self.persona, self._workflow, heard.slot, chance)
            return value if value is not None else self._be_annoyed()
        if heard.action == "proposed":
            return self._take_offer()
        return self._be_annoyed()

    def _take_offer(self) -> str:
        self._declined = self._chance.random() >= self._habits.accepts
        say = no if self._declined else yes
        return say(self.persona.style, self._chance)

    def _be_content(self, heard: Heard) -> str | None:
        self._ended = Ended.ANSWERED
        if self._declined or self._followed_up or self._workflow is not None:
            return None
        self._followed_up = True
        if self._chance.random() < self._habits.follow_ups:
            again = self._reworded()
            return (
                again if self._chance.random() < 0.5 and again else thanks(self.persona.style, self._chance)
            )
        return None

    def _be_annoyed(self) -> str | None:
        """Put it in other words, until patience has run out."""
        self._ended = None
        self._bad += 1
        if self._bad < self.persona.patience or self._complained:
            again = self._reworded() if self._bad <= self.persona.patience else None
            if again is not None:
                return again
        match self.persona.reaction:
            case Reaction.COMPLAINS if not self._complained:
                self._complained = True
                return complaint(self.persona.style, self._chance)
            case Reaction.ASKS_FOR_AGENT if not self._wants_human:
                return self._ask_for_agent()
            case _:
                self._ended = Ended.GAVE_UP
                return None

    def _is_good(self, heard: Heard) -> bool:
        if heard.outcome == "fell_back":
            return False
        if self.matter.intent is None or heard.intent is None or heard.intent == self.matter.intent:
            return True
        if self._followed_up or self._declined or self._workflow is not None:
            return True
        return self._chance.random() >= NOTICES_WRONG_MATTER

    def _ask_for_agent(self) -> str:
        self._wants_human = True
        return wish_for_agent(self.persona.style, self._chance)

    def _reworded(self) -> str | None:
        wording = next(self._wordings, None)
        return None if wording is None else written(wording, self.persona.style, self._chance)
