import random

import pytest

from steward.improve.rollout.sample_ratio import MISMATCH, check


class TestCheck:
    @pytest.mark.parametrize(
        ("baseline", "candidate", "share"), [(5000, 5000, 0.5), (9500, 500, 0.05), (0, 0, 0.5)]
    )
    def test_the_planned_share_passes(self, baseline: int, candidate: int, share: float) -> None:
        found = check(baseline, candidate, share=share)
        assert found.ok
        assert found.p == 1.0

    @pytest.mark.parametrize(
        ("baseline", "candidate", "share"), [(5000, 5500, 0.5), (9500, 350, 0.05), (500, 0, 0.05)]
    )
    def test_another_share_is_a_mismatch(self, baseline: int, candidate: int, share: float) -> None:
        found = check(baseline, candidate, share=share)
        assert not found.ok
        assert found.p is not None
        assert found.p <= MISMATCH

    @pytest.mark.parametrize("share", [0.0, 1.0])
    def test_one_arm_alone_has_no_ratio(self, share: float) -> None:
        assert check(10, 0, share=share).p is None

    def test_it_is_symmetric(self) -> None:
        assert check(100, 300, share=0.25).p == pytest.approx(check(300, 100, share=0.75).p)

    def test_looking_after_every_customer_rarely_errs(self) -> None:
        chance = random.Random(4)
        wrong = 0
        for _ in range(200):
            candidate = 0
            for customers in range(1, 1001):
                candidate += chance.random() < 0.25
                if customers % 5 == 0 and not check(customers - candidate, candidate, share=0.25).ok:
                    wrong += 1
                    break
        assert wrong <= 2
