import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.improve.rollout.plans import CSAT, ERRORS, ESCALATION, phase, plan

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.contracts import (
    ALL,
    Evidence,
    Finding,
    PlannedPhase,
    PlannedTrigger,
    Stage,
    TriggerVerdict,
)
from steward.improve.rollout.sums import Unit, as_json, from_json, of_units
from steward.improve.rollout.verdicts import alpha_of, evidence_of, judge

SHARES = st.floats(0, 100)
PHASES = st.builds(
    lambda share, names: phase("one", Stage.RAMP, share, *names),
    SHARES,
    st.lists(st.sampled_from("abcdef"), unique=True, max_size=6),
)


def events(count: float, of: int) -> Sums:
    return Sums(of, count, of, count, of, count)


def verdict(
    baseline: Sums, candidate: Sums, trigger: PlannedTrigger = ESCALATION, *, stale: bool = False
) -> TriggerVerdict:
    return judge(Evidence(trigger, ALL, baseline, candidate, alpha=0.002, safe_alpha=0.05, stale=stale))


class TestAlphaOf:
    @given(st.lists(PHASES, min_size=1, max_size=5))
    def test_all_parts_together_are_no_more_than_the_plans(self, phases: list[PlannedPhase]) -> None:
        planned = plan(phase("staff", Stage.INTERNAL, 100, "a"), *phases)
        total = sum(
            alpha_of(planned, trigger.kpi, category=category, phase=place)
            for trigger in planned.triggers
            for place, item in enumerate(planned.phases)
            if item.is_randomised
            for category in (ALL, *item.categories)
        )
        assert 0 < total <= planned.alpha * (1 + 1e-9)

    def test_larger_phases_and_all_categories_get_more(self) -> None:
        parts = [alpha_of(plan(), "csat", category=ALL, phase=place) for place in (1, 2, 3)]
        assert parts == sorted(parts)
        assert parts[2] > alpha_of(plan(), "csat", category="a", phase=3) * 5

    @pytest.mark.parametrize(
        ("kpi", "category", "place", "why"),
        [
            ("other", ALL, 1, "no trigger on 'other'"),
            ("csat", "c", 1, "category 'c' has no part in phase 'pilot'"),
            ("csat", ALL, 0, "'internal' doesn't compare two arms"),
        ],
    )
    def test_what_isnt_planned_has_no_part(self, kpi: str, category: str, place: int, why: str) -> None:
        with pytest.raises(ValueError, match=why):
            alpha_of(plan(), kpi, category=category, phase=place)


class TestEvidenceOf:
    def test_it_carries_both_alphas(self) -> None:
        evidence = evidence_of(
            plan(), CSAT, category="a", phase=2, baseline=Sums(), candidate=Sums(), stale=True
        )
        assert evidence.alpha == alpha_of(plan(), "csat", category="a", phase=2)
        assert (evidence.safe_alpha, evidence.stale) == (0.05, True)


class TestJudge:
    def test_harm_beyond_the_margin_is_harmful(self) -> None:
        found = verdict(events(1500, 10000), events(2200, 10000))
        assert found.finding is Finding.HARMFUL
        assert found.low is not None
        assert found.low > 0.02
        assert (found.baseline, found.candidate, found.needed) == (0.15, 0.22, None)
        assert found.harm == pytest.approx(0.07)

    def test_no_harm_in_enough_customers_is_safe(self) -> None:
        assert verdict(events(1500, 10000), events(1500, 10000)).finding is Finding.SAFE

    def test_little_evidence_is_unknown_and_tells_how_much_is_missing(self) -> None:
        found = verdict(events(150, 1000), events(150, 1000))
        assert found.finding is Finding.UNKNOWN
        assert found.needed is not None
        enough = 1 + found.needed / 2000
        later = events(150 * enough, round(1000 * enough))
        assert verdict(later, later).finding is Finding.SAFE

    def test_before_anything_arrived_everything_is_unknown(self) -> None:
        found = verdict(Sums(), Sums())
        assert found.finding is Finding.UNKNOWN
        assert (found.baseline, found.harm, found.low, found.high, found.needed) == (None,) * 5

    def test_a_harm_at_the_margin_is_never_decided(self) -> None:
        found = verdict(events(1500, 10000), events(1700, 10000))
        assert found.finding is Finding.UNKNOWN
        assert found.needed is None

    def test_a_measure_that_stopped_arriving_is_not_safe(self) -> None:
        same = events(1500, 10000)
        assert verdict(same, same, stale=True).finding is Finding.NO_DATA

    def test_harm_stays_harm_though_the_measure_stopped_arriving(self) -> None:
        assert verdict(events(1500, 10000), events(2200, 10000), stale=True).finding is Finding.HARMFUL

    def test_harm_of_a_mark_is_its_fall(self) -> None:
        old = of_units([Unit(mark, 1) for mark in (5, 5, 4, 3)] * 1000)
        new = of_units([Unit(mark, 1) for mark in (5, 4, 4, 2)] * 1000)
        found = verdict(old, new, CSAT)
        assert found.finding is Finding.HARMFUL
        assert found.harm == pytest.approx(0.5)

    def test_rare_events_are_judged_from_the_first_customers(self) -> None:
        assert verdict(events(0, 4000), events(10, 20), ERRORS).finding is Finding.HARMFUL
        assert verdict(events(0, 4000), events(10, 20)).finding is Finding.UNKNOWN

    def test_no_event_at_all_is_safe_in_the_end(self) -> None:
        assert verdict(events(0, 100), events(0, 100), ERRORS).finding is Finding.UNKNOWN
        assert verdict(events(0, 3000), events(0, 3000), ERRORS).finding is Finding.SAFE

    @given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 4)), min_size=60, max_size=120))
    def test_sums_kept_as_json_give_the_same_verdict_to_the_bit(self, pairs: list[tuple[int, int]]) -> None:
        old = of_units([Unit(min(y, d) / 3, d) for y, d in pairs])
        new = of_units([Unit(min(y, d) / 7, d) for y, d in reversed(pairs)])
        assert verdict(from_json(as_json(old)), from_json(as_json(new))) == verdict(old, new)

    def test_whoever_is_looked_at_all_the_time_is_rarely_called_harmful_by_chance(self) -> None:
        chance = random.Random(11)
        edge = replace(ESCALATION, margin=0.0)
        wrong = 0
        for _ in range(100):
            old, new = Sums(), Sums()
            for _ in range(40):
                old = of_units([Unit(float(chance.random() < 0.2), 1) for _ in range(25)], start=old)
                new = of_units([Unit(float(chance.random() < 0.2), 1) for _ in range(25)], start=new)
                seen = judge(Evidence(edge, ALL, old, new, alpha=0.05, safe_alpha=0.05))
                if seen.finding is Finding.HARMFUL:
                    wrong += 1
                    break
        assert wrong <= 10
