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


class TestHiddenPlaces:
    @pytest.mark.parametrize(
        "text",
        [
            '<a href="tel:+447700900123">call</a>',
            '<a href="mailto:jo%40brackwater.net">me</a>',
            '<input value="4111111111111111">',
            "<div data-phone='07700900123'>x</div>",
            '<span id="4111111111111111">x</span>',
            "<!-- card 4111 1111 1111 1111 -->",
            "<!-- jo@brackwater.net -->",
            "https://example.com/?email=jo%2540brackwater.net",
            "email%3Djo%252540brackwater.net",
            "jo (a) brackwater (dot) net",
            "jo<at>brackwater<dot>net",
            "JO.SMITH <AT> BRACKWATER <DOT> NET",
        ],
    )
    def test_values_in_markup_and_links_are_masked(self, text: str) -> None:
        assert digits_left([masked(text)]) == 0
        assert "brackwater" not in masked(text).lower()
        assert "[" in masked(text)

    def test_a_value_is_joined_over_tags_of_looks(self) -> None:
        parts = ("4111", "1111", "1111", "1111")
        text = "".join(f'<span class="n" id="n{n}">{part}</span>' for n, part in enumerate(parts))
        assert "[CARD_1]" in masked(text)

    def test_an_ordinary_document_stays(self) -> None:
        text = '<p class="x">Call <a href="/help/contact.html" title="Contact">us</a><br/></p><!-- end -->'
        assert masked(text) == text


class TestSecretsInSettings:
    @pytest.mark.parametrize(
        ("text", "secret"),
        [
            ('{"password":"hunter2"}', "hunter2"),
            ('{"user": "x", "password": "correcthorse"}', "correcthorse"),
            ("AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
            ('aws_secret_access_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"', "EXAMPLEKEY"),
            ("Passwort: geheim123", "geheim123"),
            ("mot de passe: secret12", "secret12"),
        ],
    )
    def test_the_secret_goes(self, text: str, secret: str) -> None:
        assert secret not in masked(text)

    @pytest.mark.parametrize(
        "text",
        [
            'the "password" is wrong',
            "my password isn't working",
            "Ich habe mein Passwort vergessen",
            "Your password is 8 to 16 characters long",
        ],
    )
    def test_talk_of_a_password_stays(self, text: str) -> None:
        assert masked(text) == text


class TestDaysOfBirth:
    @pytest.mark.parametrize(
        "text",
        [
            "4 May 1979",
            "4-MAY-1979",
            "4th of March '79",
            "May the 4th, 1979",
            "07 Apr 1985",
            "August 12 2010",
        ],
    )
    def test_a_day_long_ago_is_one_without_being_announced(self, text: str) -> None:
        assert masked(text) == "[DATE_OF_BIRTH_1]"

    def test_a_day_in_words_is_masked_to_its_end(self) -> None:
        text = "my date of birth is the fourth of may nineteen seventy nine"
        assert masked(text) == "my date of birth is [DATE_OF_BIRTH_1]"

    @pytest.mark.parametrize(
        "text", ["my order of 4 May 2024", "due on May 4th, 2025", "in may 12 people complained", "4 May '25"]
    )
    def test_a_day_of_an_order_stays(self, text: str) -> None:
        assert masked(text) == text


class TestOrderNumbers:
    @pytest.mark.parametrize(
        "text", ["Order NL-2024-00123 hasn't arrived", "invoice INV-2024-0042", "ticket 2025/48213 please"]
    )
    def test_a_year_in_front_is_part_of_one(self, text: str) -> None:
        assert masked(text) == text

    @pytest.mark.parametrize("text", ["order 07700900123", "invoice 4111 1111 1111 1111"])
    def test_a_phone_or_a_card_behind_the_word_is_not_one(self, text: str) -> None:
        assert "[" in masked(text)


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

    @pytest.mark.parametrize("said", ["my password is", "Password: ", "the PIN =", "well, my pass word was"])
    @pytest.mark.parametrize("text", ["hunter2", "'hunter2'", "it's hunter2", " hunter2 thanks"])
    def test_secret_whose_name_ended_the_message_before(self, said: str, text: str) -> None:
        assert "hunter2" not in masked(text, Before((said,)))

    @pytest.mark.parametrize(
        ("said", "text"),
        [
            ("my password is", "wrong"),
            ("my password is", "not working since yesterday"),
            ("my password is", "what I would like to reset, can you help me"),
            ("I forgot my passwords", "help"),
            ("the price is", "northline.fibre"),
        ],
    )
    def test_talk_after_such_a_message_stays(self, said: str, text: str) -> None:
        assert masked(text, Before((said,))) == text

    @pytest.mark.parametrize("text", ["cvv is one two three", "the cvc: one two three", "CVV = 1 2 3"])
    def test_a_card_code_in_words(self, text: str) -> None:
        left = masked(text).lower()
        assert "two" not in left
        assert "1 2 3" not in left

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
