"""Embedded examples survive being written and read."""

from __future__ import annotations

import numpy as np
import pytest

from steward.supply.releases.contracts import ExampleVectors
from steward.supply.releases.vectors import from_bytes, to_bytes


class TestRoundTrip:
    def test_labels_and_vectors_come_back(self) -> None:
        given = ExampleVectors(("self_harm", "übel"), np.eye(2, 4, dtype=np.float32))
        read = from_bytes(to_bytes(given))
        assert read.labels == given.labels
        assert np.array_equal(read.vectors, given.vectors)

    def test_none_at_all(self) -> None:
        read = from_bytes(to_bytes(ExampleVectors((), np.zeros((0, 384), np.float32))))
        assert read.labels == ()
        assert read.vectors.shape == (0, 384)

    def test_equal_examples_give_equal_bytes(self) -> None:
        examples = ExampleVectors(("a",), np.ones((1, 3), np.float32))
        assert to_bytes(examples) == to_bytes(examples)

    def test_other_bytes_are_refused(self) -> None:
        with pytest.raises(ValueError, match="hold no example vectors"):
            from_bytes(b"PK\x03\x04 nothing")
