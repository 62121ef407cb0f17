"""The shipped grounding head: what it scores, and that overlap only helps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.base.language.errors import UnreadableHead
from steward.base.language.grounding import FEATURES, RISING, GroundingHead, features_of
from steward.base.language.shipped import pack, shipped, unpack

HEAD = GroundingHead.from_bytes(shipped()["grounding"])
PASSAGE = (
    "A refund to a card takes 3 to 5 working days. Above £100 a colleague in Leeds checks it first. "
    "Paper bills cost £2.50 a month, and you can turn them off in your account at any time."
)
texts = st.text("abcdefgh i.?!'1", max_size=60)


class TestScore:
    @pytest.mark.parametrize(
        "sentence",
        [
            "A refund to a card takes 3 to 5 working days.",
            "It takes 3 to 5 working days until a refund reaches a card.",
            "You can turn off paper bills in your account at any time.",
            "Refunds above £100 are checked by a colleague first.",
        ],
    )
    def test_what_the_passage_says_scores_high(self, sentence: str) -> None:
        assert HEAD.score(sentence, [PASSAGE]) > 0.4

    @pytest.mark.parametrize(
        "sentence",
        [
            "Broadband routers glow purple when overheated.",
            "Our founder was born in Manchester and loved football.",
            "You can order a new phone in every shop of ours.",
        ],
    )
    def test_what_it_does_not_scores_low(self, sentence: str) -> None:
        assert HEAD.score(sentence, [PASSAGE]) < 0.15

    def test_nothing_is_grounded_in_nothing(self) -> None:
        assert HEAD.score("A refund takes five days.", []) < 0.15

    @given(texts, st.lists(texts, max_size=3))
    @settings(max_examples=50)
    def test_is_a_probability_of_any_texts(self, sentence: str, passages: list[str]) -> None:
        assert 0 <= HEAD.score(sentence, passages) <= 1


class TestWeigh:
    @given(st.lists(st.floats(0, 3), min_size=len(FEATURES), max_size=len(FEATURES)), st.data())
    def test_more_overlap_never_lowers_the_score(self, values: list[float], data: st.DataObject) -> None:
        place = data.draw(st.sampled_from([place for place, way in enumerate(RISING) if way]))
        more = [*values]
        more[place] += data.draw(st.floats(0, 1))
        assert RISING[place] * (HEAD.weigh(more) - HEAD.weigh(values)) >= -1e-6


class TestFeaturesOf:
    def test_has_a_value_for_each_name(self) -> None:
        assert len(features_of("One refund.", [PASSAGE])) == len(FEATURES) == len(RISING)

    @given(texts)
    def test_a_sentence_covers_itself(self, text: str) -> None:
        found = dict(zip(FEATURES, features_of(text, [text]), strict=True))
        assert found["stems"] == found["all_words"] == 1
        assert found["missing_stems"] == found["missing_numbers"] == 0


class TestFromBytes:
    def test_refuses_features_it_does_not_have(self) -> None:
        packed = unpack("grounding", shipped()["grounding"])
        other = pack(packed.arrays, {**packed.facts, "features": ["shoe_size"]})
        with pytest.raises(UnreadableHead, match="features"):
            GroundingHead.from_bytes(other)

    @pytest.mark.parametrize("missing", ["thresholds", "slope"])
    def test_refuses_a_head_that_lacks_something(self, missing: str) -> None:
        packed = unpack("grounding", shipped()["grounding"])
        arrays = {name: array for name, array in packed.arrays.items() if name != missing}
        facts = {name: fact for name, fact in packed.facts.items() if name != missing}
        with pytest.raises(UnreadableHead, match=f"'grounding' lacks {missing}"):
            GroundingHead.from_bytes(pack(arrays, facts))

    def test_refuses_other_bytes(self) -> None:
        with pytest.raises(UnreadableHead, match="grounding"):
            GroundingHead.from_bytes(b"no head")

    def test_a_head_read_twice_scores_alike(self) -> None:
        again = GroundingHead.from_bytes(shipped()["grounding"])
        row = np.linspace(0, 1, len(FEATURES)).tolist()
        assert again.weigh(row) == HEAD.weigh(row)
