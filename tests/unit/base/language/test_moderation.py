"""The head that finds harmful content."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.base.language import moderation
from steward.base.language.errors import UnreadableHead
from steward.base.language.moderation import WORD_FEATURES, Concern, ModerationHead, word_features
from steward.base.language.shipped import pack, shipped, unpack

HEAD = ModerationHead.from_bytes(shipped()[moderation.NAME])


class TestScores:
    @settings(max_examples=150, deadline=None)
    @given(text=st.text(max_size=500), seed=st.integers(0, 2**31))
    def test_are_probabilities_for_any_text(self, text: str, seed: int) -> None:
        vector = np.random.default_rng(seed).normal(size=384).astype(np.float32)
        scores = HEAD.scores(text, vector / np.linalg.norm(vector))
        assert set(scores) == set(Concern)
        assert all(0 <= score <= 1 for score in scores.values())

    def test_words_of_a_concern_raise_it(self) -> None:
        centre = HEAD.rows[:, :384].mean(axis=0)
        vector = np.asarray(centre / np.linalg.norm(centre), np.float32)
        ordinary = HEAD.scores("my invoice of last month is wrong, please check it", vector)
        harmful = HEAD.scores(
            "I feel hopeless and worthless, cutting myself, suicide, I want it to end", vector
        )
        assert harmful[Concern.SELF_HARM] > ordinary[Concern.SELF_HARM]


class TestWordFeatures:
    def test_have_one_shape(self) -> None:
        assert word_features("").shape == word_features("kill the old contract").shape == (WORD_FEATURES,)


class TestFromBytes:
    def test_refuses_other_bytes(self) -> None:
        with pytest.raises(UnreadableHead, match="moderation"):
            ModerationHead.from_bytes(b"something else")

    @pytest.mark.parametrize("missing", ["duals", "gamma"])
    def test_refuses_a_head_that_lacks_something(self, missing: str) -> None:
        packed = unpack("moderation", shipped()["moderation"])
        arrays = {name: array for name, array in packed.arrays.items() if name != missing}
        facts = {name: fact for name, fact in packed.facts.items() if name != missing}
        with pytest.raises(UnreadableHead, match=f"'moderation' lacks {missing}"):
            ModerationHead.from_bytes(pack(arrays, facts))
