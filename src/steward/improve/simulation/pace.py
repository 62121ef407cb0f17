"""When simulated customers come, and who comes: a schedule made from the seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from steward.improve.simulation.personas import Population

SETTLING = 8
"""A customer comes back only after so many others have come, so that visits of one seldom overlap."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many conversations begin in a second.

    Arrivals are a Poisson process. With `day_s` a whole day passes in so many seconds, and the rate follows
    the population's hours around the same mean; without, it is even.
    """

    per_second: float
    day_s: float | None = None
    starts_at_hour: float = 9.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """A customer's visit, counted from 0, and when it begins, in seconds from the start."""

    at_s: float
    customer: int
    visit: int


def arrivals(
    population: Population, pace: Pace, *, most_customers: int | None = None, first_customer: int = 0
) -> Iterator[Arrival]:
    """Yield visits for ever, in order of time.

    New and returning customers mix so that customers come `habits.conversations` times in the mean, once
    the mix has settled. From `most_customers` on only those who have come before return.
    """
    chance = population.chance("pace", first_customer)
    returning = 1 - 1 / max(1.0, population.habits.conversations)
    visits: list[int] = []
    recent: list[int] = []
    at_s = 0.0
    while True:
        at_s += chance.expovariate(rate_at(population, pace, at_s))
        settled = len(visits) > SETTLING
        full = most_customers is not None and len(visits) >= most_customers
        if full or (settled and chance.random() < returning):
            number = chance.randrange(len(visits))
            while settled and number in recent:
                number = chance.randrange(len(visits))
        else:
            number = len(visits)
            visits.append(0)
        recent = [*recent[1 - SETTLING :], number]
        yield Arrival(at_s, first_customer + number, visits[number])
        visits[number] += 1


def rate_at(population: Population, pace: Pace, at_s: float) -> float:
    """Return the rate at a moment, in conversations per second; hours' rates average to the pace's."""
    if pace.day_s is None:
        return pace.per_second
    hours = population.habits.hours
    hour = int(pace.starts_at_hour + 24 * at_s / pace.day_s) % 24
    return pace.per_second * max(hours[hour], 1e-3) * 24 / sum(hours)
