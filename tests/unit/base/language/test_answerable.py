"""The head that tells whether passages answer a question: reading, judging, the share that it's told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.base.language.answerable import NAME, Answerability, AnswerableHead
from steward.base.language.errors import UnreadableHead
from steward.base.language.shipped import pack, shipped

HEAD = AnswerableHead(
    signs=("strength", "points_nowhere"),
    share=0.5,
    centre=np.array([0.0, 0.0]),
    spread=np.array([1.0, 1.0]),
    weights=np.array([[2.0, 0.0], [0.0, -2.0]]),
    intercepts=np.array([0.0, 1.0]),
)
SIGNS = st.fixed_dictionaries(
    {"strength": st.floats(-20, 20), "points_nowhere": st.sampled_from([0.0, 1.0, math.nan])}
)


class TestJudge:
    def test_multiplies_what_both_parts_say(self) -> None:
        judged = HEAD.judge({"strength": 1.0, "points_nowhere": 1.0})
        assert judged.covered == pytest.approx(1 / (1 + math.exp(-2)))
        assert judged.specified == pytest.approx(1 / (1 + math.exp(1)))
        assert judged.probability == pytest.approx(judged.covered * judged.specified)

    def test_what_is_not_known_says_nothing(self) -> None:
        known, unknown = (HEAD.judge({"strength": 1.0, "points_nowhere": value}) for value in (0.0, math.nan))
        assert known == unknown

    def test_no_sign_speaks_louder_than_in_training(self) -> None:
        far, further = (HEAD.judge({"strength": value, "points_nowhere": 0.0}) for value in (3.0, 300.0))
        assert far == further

    def test_takes_the_share_of_the_knowledge_base(self) -> None:
        judged = HEAD.judge({"strength": 0.0, "points_nowhere": 0.0}, share=0.9)
        assert judged.covered == pytest.approx(0.9)

    @given(SIGNS, st.floats(0, 1), st.floats(0, 1))
    def test_a_larger_share_never_lowers_the_chance(
        self, signs: dict[str, float], one: float, other: float
    ) -> None:
        low, high = (HEAD.judge(signs, share=share).covered for share in sorted((one, other)))
        assert 0 <= low <= high <= 1

    def test_needs_every_sign(self) -> None:
        with pytest.raises(KeyError, match="points_nowhere"):
            HEAD.judge({"strength": 0.0})


class TestFromBytes:
    def test_reads_what_was_written(self) -> None:
        read = AnswerableHead.from_bytes(HEAD.to_bytes())
        signs = {"strength": 0.4, "points_nowhere": 1.0}
        assert read.judge(signs, share=0.7) == HEAD.judge(signs, share=0.7)

    def test_equal_heads_give_equal_bytes(self) -> None:
        assert HEAD.to_bytes({"rows": 3}) == HEAD.to_bytes({"rows": 3})

    @pytest.mark.parametrize(
        "content",
        [
            b"nonsense",
            pack({}, {"form": "another"}),
            pack({}, {"form": "steward-answerable-1"}),
            pack({"centre": np.zeros(1)}, {"form": "steward-answerable-1", "signs": ["a"], "share": 0.5}),
        ],
    )
    def test_refuses_anything_else(self, content: bytes) -> None:
        with pytest.raises(UnreadableHead, match=r"answerable|another"):
            AnswerableHead.from_bytes(content)


class TestAnswerability:
    def test_is_a_probability(self) -> None:
        assert Answerability(0.8, 0.5).probability == pytest.approx(0.4)


class TestShippedHead:
    def test_knows_the_signs_that_a_turn_has(self) -> None:
        from steward.supply.knowledge.answerability import SIGNS as KNOWN

        assert AnswerableHead.from_bytes(shipped()[NAME]).signs == KNOWN
