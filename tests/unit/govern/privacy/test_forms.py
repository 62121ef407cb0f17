"""Every way of writing that the campaign plants, tried on the masking rules alone; and values in pieces."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.prove.written_forms import Value, bare, values

from steward.govern.privacy.detection import Detector
from steward.govern.privacy.encoded import encoded_stretches
from steward.govern.privacy.folding import fold
from steward.govern.privacy.fragments import Before, left_open

_DETECTOR = Detector()
_FRAMES = ("{}", "How do I read my bill? {}", "I was charged twice, {} if you need it")
_VALUES = {value.kind: value for value in values()}
_LEFT = 0.35
"""Share of a form's characters that may stay: the words and signs around the value in it."""


def masked(text: str, before: Before = Before()) -> str:  # noqa: B008 # frozen
    pieces, end = [], 0
    for number, span in enumerate(_DETECTOR.find(text, before=before), start=1):
        pieces += [text[end : span.start], f"[{span.kind}_{number}]"]
        end = span.end
    return "".join([*pieces, text[end:]])


def digits_left(texts: Sequence[str]) -> int:
    words = " ".join(texts).split("[")
    left = [part.rpartition("]")[2] for part in words]
    return sum(letter.isdigit() for letter in bare(" ".join(left)))


class TestWrittenForms:
    def test_each_value_has_forty_forms(self) -> None:
        assert all(len(value.forms) >= 40 for value in _VALUES.values())

    @pytest.mark.parametrize(
        ("kind", "name"), [(value.kind, name) for value in _VALUES.values() for name in value.forms]
    )
    def test_no_form_escapes(self, kind: str, name: str) -> None:
        value = _VALUES[kind]
        for frame in _FRAMES:
            text = masked(frame.format(value.announced + value.forms[name]))
            assert "[" in text
            assert not any(needle in bare(text) for needle in value.needles)
            assert value.forms[name] not in text

    @pytest.mark.parametrize("value", _VALUES.values(), ids=_VALUES)
    def test_the_search_sees_what_is_planted(self, value: Value) -> None:
        readable = [form for form in value.forms.values() if any(n in bare(form) for n in value.needles)]
        assert len(readable) >= 0.6 * len(value.forms)


class TestSpelledAddress:
    @pytest.mark.parametrize(
        "after", ["", ".", ". 5. it was 9 then", " . , ! a", ". \u0d26. call me at home"]
    )
    def test_ends_where_its_host_does(self, after: str) -> None:
        address = "q u e n t i n @ b r a c k w a t e r . n e t"
        (found, *_) = _DETECTOR.find(f"write to {address}{after}")
        assert (found.kind, found.value) == ("EMAIL", "quentin@brackwater.net")
        assert found.end == len(f"write to {address}")


class TestPieces:
    @pytest.mark.parametrize("asked", ["", "Thanks. How can I help you with this?"])
    @pytest.mark.parametrize(
        "pieces", [split for value in _VALUES.values() for split in value.splits], ids=" / ".join
    )
    def test_value_in_several_messages(self, pieces: tuple[str, ...], asked: str) -> None:
        said: list[str] = []
        for piece in pieces:
            said.append(masked(piece, Before(said, asked)))
        assert digits_left(said) == 0
        assert all("[" in text for text in said)
        assert "brackwater" not in " ".join(said)

    def test_other_numbers_afterwards_stay(self) -> None:
        before = Before(("my card is [CARD_1]",), "How many would you like to order?")
        assert masked("100", before) == "100"

    def test_an_amount_afterwards_stays(self) -> None:
        assert masked("£250", Before(("call me on [PHONE_1]",))) == "£250"

    def test_another_sentence_afterwards_stays(self) -> None:
        before = Before(("my card is [FRAGMENT_1]",))
        text = "I was charged 35 twice, what now"
        assert masked(text, before) == text

    def test_bare_answer_to_a_question_for_a_code(self) -> None:
        asked = "What is the code we sent you by text?"
        assert masked("4821", Before((), asked)) in ("[FRAGMENT_1]", "[NUMBER_1]")

    def test_bare_answer_to_a_question_for_an_address(self) -> None:
        assert masked("quentin.harrowgate", Before((), "What's your e-mail?")) == "[FRAGMENT_1]"

    def test_bare_word_to_another_question_stays(self) -> None:
        assert masked("northline.fibre", Before((), "Which plan do you have?")) == "northline.fibre"

    @pytest.mark.parametrize(
        "text",
        ["my card is broken", "the card is 12 months old", "my order number is 4821", "card is 4 years old"],
    )
    def test_ordinary_words_stay(self, text: str) -> None:
        assert masked(text) == text

    def test_pieces_that_are_open_are_named_in_order(self) -> None:
        said = ("my number is [FRAGMENT_1]", "[FRAGMENT_2]")
        assert left_open(Before(said)) == ("[FRAGMENT_1]", "[FRAGMENT_2]")

    def test_nothing_is_open_after_other_words(self) -> None:
        said = ("my number is [FRAGMENT_1]", "why do you want to know that?")
        assert left_open(Before(said)) == ()


class TestFold:
    @pytest.mark.parametrize(
        ("written", "plain"),
        [
            ("\\u0034\\u0031", "41"),
            ("4111\\n1111", "4111 1111"),
            ("4111<!-- x -->1111", "41111111"),
            ("=34=31=31=31", "4111"),
            ("jo=40example.com", "jo@example.com"),
            ("jo at sign example dot com", "jo @ example dot com"),
            ("4O1l", "4011"),
            ("4\ufe0f\u20e31\ufe0f\u20e3", "41"),
        ],
    )
    def test_plain_writing(self, written: str, plain: str) -> None:
        assert fold(written).text == plain

    @pytest.mark.parametrize("text", ["O2 and 5G", "total=34", "I paid 10l", "full of it", "wool"])
    def test_ordinary_words_are_left(self, text: str) -> None:
        assert fold(text).text in (text, text.replace("10l", "101"))

    def test_spans_point_into_the_text_as_typed(self) -> None:
        text = "x \\u0034111 1111 1111 1111 y"
        (span,) = _DETECTOR.find(text)
        assert text[span.start : span.end] == "\\u0034111 1111 1111 1111"


class TestEncodedStretches:
    def test_base64_and_hexadecimal(self) -> None:
        texts = [
            plain for _, _, plain in encoded_stretches("am9AZXhhbXBsZS5jb20= or 6a6f406578616d706c652e636f6d")
        ]
        assert texts == ["jo@example.com", "jo@example.com"]

    def test_words_are_not_taken_for_code(self) -> None:
        assert not list(encoded_stretches("internationally disproportionate considerations"))
