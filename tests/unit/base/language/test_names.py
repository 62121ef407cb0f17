"""The tagger of names and addresses: what it finds, and what holds for any text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.base.language.errors import UnreadableHead
from steward.base.language.name_features import Lexicon, crc_of, mood_of, tokens_of
from steward.base.language.names import LABELS, LISTS, NameTagger, feature_rows, packed_form, stretches
from steward.base.language.shipped import pack, shipped, unpack

_HEAD = shipped()["names"]
_TAGGER = NameTagger.from_bytes(_HEAD)
_SAME = NameTagger.from_bytes(_HEAD)
_ANY_TEXT = st.text(alphabet=st.characters(), max_size=300)


def _found(text: str) -> list[tuple[str, str]]:
    return [(tagged.label, text[tagged.start : tagged.end]) for tagged in _TAGGER.tag(text)]


class TestTag:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("hi this is jonas kim", "jonas kim"),
            ("Maria Schneider", "Maria Schneider"),
            ("please add Katarzyna Nowak to my account", "Katarzyna Nowak"),
            ("why did Gareth get my parcel?", "Gareth"),
            ("SARAH BROWN", "SARAH BROWN"),
        ],
    )
    def test_a_name_without_an_announcement_is_found(self, text: str, name: str) -> None:
        assert ("NAME", name) in _found(text)

    def test_an_address_of_another_land_is_found(self) -> None:
        assert ("ADDRESS", "Skogsvägen 14, 14197 Karlskoga") in _found(
            "please send it to Skogsvägen 14, 14197 Karlskoga"
        )

    @pytest.mark.parametrize(
        "text",
        [
            "Why was I charged twice on Friday?",
            "my Samsung Galaxy doesn't connect to the Wi-Fi",
            "Can I pay with Visa or Mastercard?",
            "cancel my broadband in March please",
            "Thanks, that's great",
            "",
            " \n\t ",
        ],
    )
    def test_ordinary_messages_hold_none(self, text: str) -> None:
        assert _found(text) == []

    @given(_ANY_TEXT)
    @settings(max_examples=300, deadline=None)
    def test_finds_lie_within_any_text_in_order_without_overlap(self, text: str) -> None:
        end = 0
        for tagged in _TAGGER.tag(text):
            assert end <= tagged.start < tagged.end <= len(text)
            assert tagged.label in ("NAME", "ADDRESS")
            end = tagged.end

    @given(
        st.lists(
            st.sampled_from(["Jo", "kim", "at", "12", "High", "Street", ",", "\n", "Łódź", "'s"]), max_size=40
        )
    )
    @settings(max_examples=100, deadline=None)
    def test_equal_texts_are_tagged_alike(self, words: list[str]) -> None:
        text = " ".join(words)
        assert _TAGGER.tag(text) == _SAME.tag(text)


class TestTokens:
    @given(_ANY_TEXT)
    @settings(max_examples=200, deadline=None)
    def test_tokens_stand_in_order_and_leave_only_white_space_out(self, text: str) -> None:
        end = 0
        for token in tokens_of(text):
            assert text[end : token.start].strip() == ""
            assert token.start < token.end
            end = max(end, token.end)
        assert text[end:].strip() == ""

    def test_a_possessive_is_a_token_of_its_own(self) -> None:
        assert [token.text for token in tokens_of("Maya's bill")] == ["Maya", "'s", "bill"]

    def test_the_mood_says_how_capitals_are_used(self) -> None:
        moods = [mood_of(tokens_of(text)) for text in ("my bill", "MY BILL", "My bill", "My Bill")]
        assert moods == ["l", "u", "f", "m"]


class TestFeatures:
    @pytest.mark.parametrize(
        "text", ["hi, this is Jo Kim of 12 High Street", "JO", "a\nb", "Łukasz's café №5"]
    )
    def test_serving_adds_up_what_training_saw(self, text: str) -> None:
        packed = unpack("names", _HEAD)
        names = packed.arrays["features"].tobytes().decode().split("\t")
        table = dict(zip(names, packed.arrays["weights"].astype(float) * packed.facts["scale"], strict=True))
        lexicon = Lexicon({sign: frozenset(packed.arrays[name].tolist()) for name, sign in LISTS.items()})
        reluctance = [packed.facts["reluctance"].get(label[2:], 0.0) for label in LABELS]
        tokens, rows = feature_rows(text, lexicon)
        served = _TAGGER._emissions(tokens)
        for row, scores in zip(rows, served, strict=True):
            for place, score in enumerate(scores):
                expected = math.fsum(table[name][place] for name in row if name in table) - reluctance[place]
                assert score == pytest.approx(expected, abs=1e-9)


class TestStretches:
    def test_neighbours_of_one_name_join_and_a_new_beginning_parts_them(self) -> None:
        labels = [LABELS.index(label) for label in ("B-NAME", "I-NAME", "B-NAME", "O", "I-ADDRESS")]
        assert stretches(labels) == [(0, 1, "NAME"), (2, 2, "NAME"), (4, 4, "ADDRESS")]


class TestFromBytes:
    def test_a_packed_head_reads_back(self) -> None:
        zero = [0.0] * len(LABELS)
        words = {name: frozenset[str]() for name in LISTS} | {"given": frozenset({"zoe"})}
        arrays, facts = packed_form(
            {"wzoe": [0.0, 5.0, 0.0, 0.0, 0.0]}, [zero] * len(LABELS), words, reluctance={"NAME": 1.0}
        )
        tagger = NameTagger.from_bytes(pack(arrays, facts))
        tagged = tagger.tag("ask Zoé")
        assert [(one.start, one.end, one.signs) for one in tagged] == [(4, 7, ("g",))]
        assert tagged[0].margin == pytest.approx(4.0)
        assert crc_of("zoe") in arrays["given"]

    def test_other_bytes_are_refused(self) -> None:
        with pytest.raises(UnreadableHead, match="names"):
            NameTagger.from_bytes(b"something else")

    def test_another_heads_bytes_are_refused(self) -> None:
        with pytest.raises(UnreadableHead, match="names"):
            NameTagger.from_bytes(pack({}, {"form": 1}))
