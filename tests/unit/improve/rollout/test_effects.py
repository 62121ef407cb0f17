"""Effects of one release over another from sums alone."""

from __future__ import annotations

import random

import pytest

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.effects import Measure, stratum_of, to_know, together
from steward.improve.rollout.sums import Unit, of_units

RATE = Measure(higher_is_better=False, margin=0.03, rare=False, alpha=0.05)
SCORE = Measure(higher_is_better=True, margin=0.2, rare=False, alpha=0.05)


def events(hits: int, n: int) -> Sums:
    """Return sums of n customers of whom so many had the event."""
    return Sums(n, hits, n, hits, n, hits)


class TestStratumOf:
    def test_effect_is_candidate_less_baseline_whatever_is_better(self) -> None:
        effect = stratum_of(events(200, 1000), events(250, 1000), category="", phase=0, measure=RATE).effect
        assert effect.effect == pytest.approx(0.05)
        assert effect.relative == pytest.approx(0.25)
        assert (effect.baseline.n, effect.candidate.n) == (1000, 1000)

    def test_fixed_interval_is_the_textbook_one(self) -> None:
        found = stratum_of(events(200, 1000), events(250, 1000), category="", phase=0, measure=RATE).effect
        error = (0.2 * 0.8 / 999 + 0.25 * 0.75 / 999) ** 0.5
        assert found.fixed is not None
        assert found.fixed.low == pytest.approx(0.05 - 1.96 * error, abs=1e-5)
        assert found.fixed.high == pytest.approx(0.05 + 1.96 * error, abs=1e-5)

    def test_the_interval_for_every_look_is_wider_and_holds_the_effect(self) -> None:
        found = stratum_of(events(200, 1000), events(250, 1000), category="", phase=0, measure=RATE).effect
        assert found.fixed is not None
        assert found.always is not None
        assert found.always.low < found.fixed.low < 0.05 < found.fixed.high < found.always.high

    def test_sign_is_kept_where_higher_is_better(self) -> None:
        chance = random.Random(1)
        old = of_units(Unit(chance.choice((3, 4, 5)), 1) for _ in range(800))
        new = of_units(Unit(chance.choice((1, 2, 3)), 1) for _ in range(800))
        found = stratum_of(old, new, category="", phase=0, measure=SCORE).effect
        assert found.effect is not None
        assert found.always is not None
        assert found.effect < -1.5
        assert found.always.low < found.effect < found.always.high < 0

    def test_nothing_happened_in_either_arm_and_still_might(self) -> None:
        found = stratum_of(events(0, 500), events(0, 500), category="", phase=0, measure=RATE).effect
        assert found.effect == 0.0
        assert found.always is not None
        assert found.always.low == pytest.approx(-found.always.high)
        assert found.always.high < RATE.margin

    def test_an_arm_without_anybody_has_no_effect(self) -> None:
        found = stratum_of(events(1, 10), Sums(), category="", phase=0, measure=RATE).effect
        assert (found.effect, found.always, found.candidate.value) == (None, None, None)

    def test_events_that_never_happened_leave_an_open_question(self) -> None:
        rare = Measure(higher_is_better=False, margin=0.01, rare=True, alpha=0.05)
        found = stratum_of(events(0, 500), events(0, 500), category="", phase=0, measure=rare).effect
        assert found.always is not None
        assert found.always.low < 0 < found.always.high


class TestTogether:
    def test_one_phase_is_itself(self) -> None:
        only = stratum_of(events(200, 1000), events(250, 1000), category="", phase=2, measure=RATE)
        whole = together([only], category="", measure=RATE).effect
        assert whole.phase is None
        assert (whole.effect, whole.always) == (only.effect.effect, only.effect.always)

    def test_shares_that_grow_with_drift_do_not_fool_it(self) -> None:
        # Pooled, the candidate would look worse: it was seen most where both arms hand over more.
        quiet = stratum_of(events(190, 1900), events(10, 100), category="", phase=0, measure=RATE)
        busy = stratum_of(events(400, 1000), events(400, 1000), category="", phase=1, measure=RATE)
        whole = together([quiet, busy], category="", measure=RATE).effect
        assert whole.effect == pytest.approx(0.0)
        assert (whole.baseline.n, whole.candidate.n) == (2900, 1100)

    def test_phases_together_tell_more_than_each(self) -> None:
        phases = [
            stratum_of(events(200, 1000), events(250, 1000), category="", phase=phase, measure=RATE)
            for phase in range(3)
        ]
        whole = together(phases, category="", measure=RATE).effect
        first = phases[0].effect.always
        assert whole.always is not None
        assert first is not None
        assert whole.always.width < first.width


class TestToKnow:
    def test_grows_as_the_square_of_the_precision(self) -> None:
        phase = stratum_of(events(200, 1000), events(200, 1000), category="", phase=0, measure=RATE)
        wanted = to_know([phase], measure=RATE, customers_per_day=100)
        assert wanted is not None
        assert wanted.days == pytest.approx(wanted.customers / 100)
        enough = events(200 * 8, 8000)
        later = stratum_of(enough, enough, category="", phase=0, measure=RATE)
        done = to_know([later], measure=RATE, customers_per_day=100)
        assert done is not None
        assert (done.customers, done.days) == (0, 0.0)
        assert later.effect.always is not None
        assert later.effect.always.width / 2 <= RATE.margin

    def test_a_handful_of_customers_is_never_enough(self) -> None:
        phase = stratum_of(events(1, 400), events(0, 8), category="", phase=0, measure=RATE)
        wanted = to_know([phase], measure=RATE, customers_per_day=100)
        assert wanted is not None
        assert wanted.customers > 408 * 10

    def test_traffic_that_stopped_gives_no_day(self) -> None:
        phase = stratum_of(events(20, 100), events(20, 100), category="", phase=0, measure=RATE)
        wanted = to_know([phase], measure=RATE, customers_per_day=0)
        assert wanted is not None
        assert wanted.days is None

    def test_what_it_says_is_what_it_takes(self) -> None:
        phase = stratum_of(events(200, 1000), events(200, 1000), category="", phase=0, measure=RATE)
        wanted = to_know([phase], measure=RATE, customers_per_day=1)
        assert wanted is not None
        n = 1000 + wanted.customers // 2
        then = stratum_of(events(n // 5, n), events(n // 5, n), category="", phase=0, measure=RATE).effect
        assert then.always is not None
        assert then.always.width / 2 == pytest.approx(RATE.margin, rel=0.1)
