from __future__ import annotations

from itertools import islice

import pytest

from steward.improve.simulation.pace import SETTLING, Pace, arrivals, rate_at
from steward.improve.simulation.personas import Habits, Population
from steward.supply.assistant.folder import Folder

MANY = 5_000


class TestArrivals:
    def test_are_the_same_for_the_same_seed(self, sample: Folder) -> None:
        first, second = (list(islice(arrivals(Population(sample, seed=3), Pace(2.0)), 200)) for _ in range(2))

        assert first == second

    def test_come_at_the_stated_rate(self, population: Population) -> None:
        last = list(islice(arrivals(population, Pace(4.0)), MANY))[-1]

        assert MANY / last.at_s == pytest.approx(4.0, rel=0.05)

    def test_return_as_often_as_habits_say(self, sample: Folder) -> None:
        population = Population(sample, seed=1, habits=Habits(conversations=2.5))

        customers = {each.customer for each in islice(arrivals(population, Pace(1.0)), MANY)}

        assert MANY / len(customers) == pytest.approx(2.5, rel=0.05)

    def test_count_each_customers_visits(self, population: Population) -> None:
        visits: dict[int, int] = {}
        for arrival in islice(arrivals(population, Pace(1.0)), 500):
            assert arrival.visit == visits.get(arrival.customer, 0)
            visits[arrival.customer] = arrival.visit + 1

    def test_leave_time_between_two_visits_of_one(self, population: Population) -> None:
        coming = [each.customer for each in islice(arrivals(population, Pace(1.0)), 500)]

        for at in range(40, 500):
            assert coming[at] not in coming[at + 1 - SETTLING : at]

    def test_stay_within_the_most_customers(self, population: Population) -> None:
        coming = islice(arrivals(population, Pace(1.0), most_customers=3, first_customer=100), 200)

        assert {each.customer for each in coming} == {100, 101, 102}


class TestRateAt:
    def test_is_even_without_a_day(self, population: Population) -> None:
        assert rate_at(population, Pace(3.0), 12_345.0) == 3.0

    def test_follows_the_hours_around_its_mean(self, population: Population) -> None:
        pace = Pace(3.0, day_s=240.0, starts_at_hour=0.0)

        rates = [rate_at(population, pace, second) for second in range(240)]

        assert sum(rates) / 240 == pytest.approx(3.0)
        assert max(rates) > 2 * min(rates)
