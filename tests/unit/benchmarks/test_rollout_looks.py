import numpy as np
import pytest
from benchmarks.rollout import SHARE_KPIS, first_beyond
from benchmarks.rollout_looks import harm_bounds, ratios_of, sample_ratio_p, sums_at, units_of_phase
from benchmarks.rollout_world import TRIGGERS, Shape, World, world_of

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.contracts import PlannedTrigger
from steward.improve.rollout.sample_ratio import check
from steward.improve.rollout.sequences import bounds
from steward.improve.rollout.sums import Unit, of_units

SHAPE = Shape(conversations=6_000, days=12.0)


@pytest.fixture(scope="module")
def world() -> World:
    return world_of(SHAPE, (1, 2))


class TestWorld:
    def test_the_same_seed_is_the_same_world(self, world: World) -> None:
        again = world_of(SHAPE, (1, 2))
        assert np.array_equal(world.at, again.at)
        assert np.array_equal(world.measures["csat"].worse, again.measures["csat"].worse)

    def test_customers_return_two_and_a_half_times(self, world: World) -> None:
        assert len(world.at) / len(np.unique(world.customer)) == pytest.approx(2.5, rel=0.05)

    def test_conversations_of_a_customer_are_alike(self) -> None:
        large = world_of(Shape(conversations=60_000, days=60.0), (3,))
        order = np.argsort(large.customer, kind="stable")
        same = np.diff(large.customer[order]) == 0
        answered = large.measures["survey_response_rate"].numerator[order]
        assert np.corrcoef(answered[1:][same], answered[:-1][same])[0, 1] == pytest.approx(0.3, abs=0.03)

    def test_each_harm_is_in_its_own_measure(self, world: World) -> None:
        harmed = {
            kpi for kpi, item in world.measures.items() if not np.array_equal(item.numerator, item.worse)
        }
        assert harmed == {"csat", "escalation_rate", "slow_turn_rate"}


class TestUnitsOfPhase:
    def test_each_customer_counts_once_with_the_first_conversation(self, world: World) -> None:
        units = units_of_phase(world, 2.0, 6.0)
        customers = world.customer[units]
        assert len(np.unique(customers)) == len(customers)
        inside = np.flatnonzero((world.at >= 2.0) & (world.at < 6.0))
        assert all(
            place == inside[world.customer[inside] == world.customer[place]][0] for place in units[:50]
        )


class TestHarmBounds:
    @pytest.mark.parametrize("trigger", TRIGGERS, ids=lambda trigger: trigger.kpi)
    @pytest.mark.parametrize("times", [0.0, 1.0])
    def test_they_are_the_products(self, world: World, trigger: PlannedTrigger, times: float) -> None:
        units = units_of_phase(world, 0.0, np.inf)
        looks = np.array([1.0, 3.0, 6.0, 9.0, 20.0])
        arms = sums_at(world, trigger.kpi, units, looks, share=0.25, harmful=True, by_category=True)
        margin = trigger.margin * times
        found = harm_bounds(
            ratios_of(arms),
            margin=margin,
            higher_is_better=trigger.higher_is_better,
            is_share=trigger.kpi in SHARE_KPIS,
            alpha=np.full((arms.n.shape[1], 1), 0.003),
            safe_alpha=0.05,
        )
        for group in range(arms.n.shape[1]):
            for look in range(len(looks)):
                old, new = (
                    Sums(
                        int(arms.n[arm, group, look]),
                        *(
                            float(part[arm, group, look])
                            for part in (arms.y, arms.d, arms.yy, arms.dd, arms.yd)
                        ),
                    )
                    for arm in (0, 1)
                )
                wanted = bounds(
                    old,
                    new,
                    margin=margin,
                    higher_is_better=trigger.higher_is_better,
                    alpha=0.003,
                    safe_alpha=0.05,
                )
                for seen, told in ((found.low, wanted.low), (found.high, wanted.high)):
                    assert seen[group, look] == pytest.approx(
                        np.nan if told is None else told, rel=1e-9, nan_ok=True
                    )


class TestSumsAt:
    def test_they_are_the_sums_of_final_units(self, world: World) -> None:
        units = units_of_phase(world, 0.0, np.inf)
        arms = sums_at(world, "csat", units, np.array([9.0]), share=0.5, harmful=False, by_category=False)
        measure = world.measures["csat"]
        candidate = [
            Unit(float(measure.numerator[place]), float(measure.denominator[place]))
            for place in units
            if measure.ready[place] <= 9.0
            and measure.denominator[place]
            and world.bucket[world.customer[place]] < 5_000
        ]
        assert of_units(candidate) == Sums(
            int(arms.n[1, 0, 0]),
            *(float(part[1, 0, 0]) for part in (arms.y, arms.d, arms.yy, arms.dd, arms.yd)),
        )


class TestSampleRatioP:
    def test_they_are_the_products(self) -> None:
        found = sample_ratio_p(np.array([100.0, 900.0]), np.array([100.0, 100.0]), share=0.25)
        wanted = [check(baseline, 100, share=0.25).p for baseline in (100, 900)]
        assert found.tolist() == pytest.approx(wanted)


class TestFirstBeyond:
    def test_looks_are_counted_in_conversations(self) -> None:
        assert first_beyond(np.array([np.nan, 0.1, 0.3, 0.1]), 0.2) == 60
        assert first_beyond(np.array([np.nan, 0.1]), 0.2) is None
