from __future__ import annotations

from random import Random
from statistics import mean

import pytest

from steward.improve.simulation.surveys import Ended, Experience, SurveyModel

MANY = 20_000


class TestExpected:
    @pytest.mark.parametrize(
        ("experience", "mean_score"),
        [
            (Experience(Ended.ACTED), 4.6),
            (Experience(Ended.ANSWERED), 4.3),
            (Experience(Ended.ANSWERED, bad_answers=2), 3.7),
            (Experience(Ended.HANDED_OVER, slow_s=2), 2.7),
            (Experience(Ended.GAVE_UP, bad_answers=1, complained=True), 1.3),
        ],
    )
    def test_follows_from_what_happened(self, experience: Experience, mean_score: float) -> None:
        assert SurveyModel().expected(experience) == pytest.approx(mean_score)


class TestLatent:
    def test_has_the_expected_mean_and_deviation(self) -> None:
        model, chance = SurveyModel(), Random(1)
        experience = Experience(Ended.HANDED_OVER)

        felt = [model.latent(experience, mood=chance.gauss(0, 1), chance=chance) for _ in range(MANY)]

        assert mean(felt) == pytest.approx(3.0, abs=0.03)
        assert mean((each - 3.0) ** 2 for each in felt) == pytest.approx(0.9**2, abs=0.03)

    def test_correlates_within_a_customer_as_stated(self) -> None:
        model, chance = SurveyModel(within_customer=0.3), Random(2)
        experience = Experience(Ended.ANSWERED)
        pairs = []
        for _ in range(MANY):
            mood = chance.gauss(0, 1)
            pairs.append([model.latent(experience, mood=mood, chance=chance) - 4.3 for _ in range(2)])

        correlation = mean(one * two for one, two in pairs) / model.deviation**2

        assert correlation == pytest.approx(0.3, abs=0.03)


class TestScore:
    @pytest.mark.parametrize(("latent", "score"), [(-2.0, 1), (1.4, 1), (2.6, 3), (4.4, 4), (7.0, 5)])
    def test_lies_between_1_and_5(self, latent: float, score: int) -> None:
        assert SurveyModel().score(latent) == score


class TestAnswers:
    def test_come_from_the_stated_share(self) -> None:
        model, chance = SurveyModel(answer_share=0.2), Random(3)

        answered = mean(model.answers(4.0, chance) for _ in range(MANY))

        assert answered == pytest.approx(0.2, abs=0.01)

    def test_come_more_often_from_the_unhappy(self) -> None:
        model, chance = SurveyModel(answer_share=0.2, unhappy_answer_more=0.05), Random(4)

        answered = mean(model.answers(1.0, chance) for _ in range(MANY))

        assert answered == pytest.approx(0.3, abs=0.01)


class TestDelay:
    def test_is_none_by_default(self) -> None:
        assert SurveyModel().delay_s(Random(1)) == 0

    def test_lies_between_its_bounds(self) -> None:
        model = SurveyModel(delay_least_s=5, delay_most_s=9)

        assert 5 <= model.delay_s(Random(1)) <= 9
