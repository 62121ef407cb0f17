"""The stated model of satisfaction: who answers a survey, when, and with what score.

A score comes from a latent value: a mean for how the conversation ended, less for what went wrong on the
way, plus the customer's own mood, plus chance; it is rounded and held between 1 and 5. Mood is the same in
all conversations of a customer and has the share `within_customer` of the variance, so two latent values
of one customer correlate that much. The numbers are assumptions, chosen to be plausible and to be read
in one place; they say nothing about any company's customers.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from random import Random


class Ended(StrEnum):
    """How a conversation ended, as the customer feels it."""

    ACTED = "acted"
    ANSWERED = "answered"
    REACHED_HUMAN = "reached_human"
    """Asked for a person and was handed over."""
    HANDED_OVER = "handed_over"
    """Was handed over without having asked for it."""
    GAVE_UP = "gave_up"


@dataclass(frozen=True, slots=True)
class Experience:
    """What a customer went through. `slow_s` is how long answers took beyond what one waits gladly."""

    ended: Ended
    bad_answers: int = 0
    slow_s: float = 0.0
    complained: bool = False


@dataclass(frozen=True, slots=True)
class SurveyModel:
    """Every parameter of satisfaction; scores are on 1 to 5, times in seconds.

    `answer_share` is the share of customers who answer the survey, `unhappy_answer_more` what is added to
    it for each mark below 3 that they feel. An answer comes between `delay_least_s` and `delay_most_s`
    after the end, uniformly.
    """

    answer_share: float = 0.2
    unhappy_answer_more: float = 0.05
    delay_least_s: float = 0.0
    delay_most_s: float = 0.0
    acted: float = 4.6
    answered: float = 4.3
    reached_human: float = 3.6
    handed_over: float = 3.0
    gave_up: float = 2.1
    per_bad_answer: float = -0.3
    per_slow_second: float = -0.15
    complained: float = -0.5
    glad_wait_s: float = 3.0
    deviation: float = 0.9
    within_customer: float = 0.3

    def expected(self, experience: Experience) -> float:
        """Return the mean of the latent score over all customers."""
        start = {
            Ended.ACTED: self.acted,
            Ended.ANSWERED: self.answered,
            Ended.REACHED_HUMAN: self.reached_human,
            Ended.HANDED_OVER: self.handed_over,
            Ended.GAVE_UP: self.gave_up,
        }[experience.ended]
        return (
            start
            + self.per_bad_answer * experience.bad_answers
            + self.per_slow_second * experience.slow_s
            + (self.complained if experience.complained else 0.0)
        )

    def latent(self, experience: Experience, *, mood: float, chance: Random) -> float:
        """Return the satisfaction that one customer feels; `mood` is their own standard normal value."""
        own = sqrt(self.within_customer) * mood
        luck = sqrt(1 - self.within_customer) * chance.gauss(0, 1)
        return self.expected(experience) + self.deviation * (own + luck)

    def score(self, latent: float) -> int:
        """Return the answer that a satisfaction becomes."""
        return max(1, min(5, round(latent)))

    def answers(self, latent: float, chance: Random) -> bool:
        """Decide whether somebody answers the survey."""
        return chance.random() < self.answer_share + self.unhappy_answer_more * max(0.0, 3 - latent)

    def delay_s(self, chance: Random) -> float:
        """Return how long after the end somebody answers."""
        return chance.uniform(self.delay_least_s, self.delay_most_s)
