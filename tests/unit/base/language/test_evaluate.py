from __future__ import annotations

from collections import Counter

import numpy as np

from steward.base.language.contracts import LabelledText, Vectors
from steward.base.language.evaluate import assign_folds, evaluate_intents
from steward.base.language.minilm import MiniLm


class TestEvaluateIntents:
    def test_counts_each_example_once(self, examples: list[LabelledText], vectors: Vectors) -> None:
        report = evaluate_intents(examples, vectors)
        assert report.examples == len(examples)
        assert report.folds == 5
        assert report.accuracy >= 0.85
        assert report.top3_accuracy >= report.accuracy
        wrong = sum(confusion.count for confusion in report.confusions)
        assert wrong == round((1 - report.accuracy) * report.examples)
        assert {figures.label for figures in report.labels} == {example.label for example in examples}
        assert report.scope is None

    def test_names_the_example_with_the_wrong_label(
        self, examples: list[LabelledText], vectors: Vectors
    ) -> None:
        mixed_up = list(examples)
        mixed_up[0] = LabelledText(mixed_up[0].text, "reset_password")
        report = evaluate_intents(mixed_up, vectors)
        assert report.suspects[0].text == "I was charged twice this month"
        assert report.suspects[0].position == 0
        assert report.suspects[0].likelier == "double_charge"
        pairs = {(confusion.label, confusion.taken_for) for confusion in report.confusions}
        assert ("reset_password", "double_charge") in pairs

    def test_measures_each_out_of_scope_text_once(
        self, examples: list[LabelledText], vectors: Vectors, model: MiniLm, off_topic: list[str]
    ) -> None:
        report = evaluate_intents(
            examples, vectors, out_of_scope=off_topic, out_of_scope_vectors=model.vectors(off_topic)
        )
        assert report.scope is not None
        assert report.scope.out_of_scope_texts == len(off_topic)
        assert report.scope.auroc >= 0.9
        assert report.scope.recall_low <= report.scope.recall <= report.scope.recall_high

    def test_gives_the_same_report_for_the_same_seed(
        self, examples: list[LabelledText], vectors: Vectors
    ) -> None:
        assert evaluate_intents(examples, vectors, seed=3) == evaluate_intents(examples, vectors, seed=3)


class TestAssignFolds:
    def test_every_fold_has_its_share_of_each_label(self) -> None:
        labels = ["a"] * 20 + ["b"] * 10 + ["c"] * 5
        places = assign_folds(labels, folds=5, seed=1)
        for fold in range(5):
            inside = Counter(label for label, place in zip(labels, places, strict=True) if place == fold)
            assert inside == {"a": 4, "b": 2, "c": 1}

    def test_there_are_fewer_folds_where_a_label_is_rare(self) -> None:
        places = assign_folds(["a"] * 10 + ["b"] * 3, folds=5, seed=1)
        assert set(np.unique(places).tolist()) == {0, 1, 2}
