"""Words as sparse weights."""

from __future__ import annotations

import pytest

from steward.supply.knowledge.lexical import (
    DIMENSIONS,
    Statistics,
    feature_of,
    passage_weights,
    query_weights,
    statistics_of,
    stem,
    terms,
)

TEXTS = ("A late payment costs £5.", "A Travel Pass lasts 24 hours.", "Late trains are no matter of ours.")


def score(question: str, text: str, statistics: Statistics) -> float:
    query = query_weights(question, statistics)
    weights = passage_weights(text, statistics)
    held = dict(zip(weights.indices.tolist(), weights.values.tolist(), strict=True))
    pairs = zip(query.vector.indices.tolist(), query.vector.values.tolist(), strict=True)
    total = sum(float(held.get(index, 0.0) * value) for index, value in pairs)
    return total / max(query.attainable, 1e-6)


class TestTerms:
    def test_content_words_numbers_and_codes(self) -> None:
        assert terms("What does the code A-05 cost? It's £42.50!") == ("cod", "05", "cost", "42.50", "a-05")

    @pytest.mark.parametrize("code", ["a-05", "nt-101", "5gb", "hub3", "nl-123456"])
    def test_a_code_is_one_term(self, code: str) -> None:
        assert code in terms(f"What is {code.upper()}?")

    def test_only_stop_words(self) -> None:
        assert terms("What is it, and how can I do that?") == ()


class TestStem:
    @pytest.mark.parametrize(
        ("one", "other"),
        [
            ("charges", "charged"),
            ("charge", "charging"),
            ("bills", "bill"),
            ("stopped", "stops"),
            ("guarantee", "guaranteed"),
            ("batteries", "battery"),
            ("paid", "pay"),
            ("refunds", "refunded"),
            ("customer's", "customers"),
            ("switches", "switching"),
        ],
    )
    def test_forms_of_one_word_meet(self, one: str, other: str) -> None:
        assert stem(one) == stem(other)

    @pytest.mark.parametrize(("one", "other"), [("charge", "charger"), ("bus", "but"), ("this", "thing")])
    def test_different_words_stay_apart(self, one: str, other: str) -> None:
        assert stem(one) != stem(other)


class TestWeights:
    def test_the_passage_with_the_rare_words_scores_highest(self) -> None:
        statistics = statistics_of(TEXTS)
        scores = [score("how much is a late payment", text, statistics) for text in TEXTS]
        assert scores[0] > scores[2] > scores[1] == 0

    def test_no_passage_reaches_more_than_one(self) -> None:
        statistics = statistics_of(TEXTS)
        assert 0.5 < score("late payment", "late payment " * 50, statistics) <= 1

    def test_a_word_that_nobody_uses_lowers_every_score(self) -> None:
        statistics = statistics_of(TEXTS)
        assert score("late payment yacht", TEXTS[0], statistics) < score("late payment", TEXTS[0], statistics)

    def test_features_ascend_and_stay_within_the_dimensions(self) -> None:
        weights = passage_weights(" ".join(f"word{number}" for number in range(500)), statistics_of(TEXTS))
        assert (weights.indices[1:] > weights.indices[:-1]).all()
        assert weights.indices.max() < DIMENSIONS

    def test_a_term_has_the_same_feature_on_every_machine(self) -> None:
        assert feature_of("refund") == 213495257


class TestStatistics:
    def test_they_survive_json(self) -> None:
        statistics = statistics_of(TEXTS)
        assert Statistics.from_json(statistics.to_json()) == statistics

    def test_none_at_all(self) -> None:
        assert statistics_of([]) == Statistics(0, 0.0, {})
