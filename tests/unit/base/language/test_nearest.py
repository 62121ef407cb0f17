from __future__ import annotations

import numpy as np
import pytest

from steward.base.language.nearest import NearestExamples


class TestScore:
    def test_gives_each_labels_nearest_example(self) -> None:
        vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
        found = NearestExamples(["b", "a", "b"], vectors).score(np.array([0, 1], np.float32))
        assert found == {"a": pytest.approx(1), "b": pytest.approx(0.8)}

    def test_without_examples_nothing_is_near(self) -> None:
        empty = NearestExamples([], np.empty((0, 2), np.float32))
        assert empty.score(np.array([1, 0], np.float32)) == {}

    def test_labels_and_vectors_must_match(self) -> None:
        with pytest.raises(ValueError, match="1 labels for 2 vectors"):
            NearestExamples(["a"], np.eye(2, dtype=np.float32))
