"""What people type, in the ways they type it: found, or left alone."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.govern.privacy.contracts import Kind, Span
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.errors import BadPattern

_DETECTOR = Detector(
    keep=[("invoice", r"\b[Ii][Nn][Vv]-\d{6}\b"), ("order", r"\b[Oo][Rr][Dd]-\d{6}\b")],
    mask=[("account", r"\b[Nn][Ll]-\d{6}\b")],
)

CARDS = [
    "4111111111111111",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111.1111.1111.1111",
    "4111/1111/1111/1111",
    "4111_1111_1111_1111",
    "4111, 1111, 1111, 1111",
    "4111 - 1111 - 1111 - 1111",
    "4111\n1111\n1111\n1111",
    "411111 1111111111",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "4111 then 1111 then 1111 and 1111",
    "４１１１ １１１１ １１１１ １１１１",
    "٤١١١ ١١١١ ١١١١ ١١١١",
    "4111\u200b1111\u200b1111\u200b1111",
    "4111\u00a01111\u202f1111\u20091111",
    "4111‑1111–1111—1111",
    "&#52;111 1111 1111 &#x31;111",
    "4111&nbsp;1111&nbsp;1111&nbsp;1111",
    "4111<br>1111<br>1111<br>1111",
    "four one one one one one one one one one one one one one one one",
    "Four triple one, double one double one, double one double one, double one double one",
    "3782 822463 10005",
    "5555555555554444",
    "5105-1051-0510-5100",
    "6011 1111 1111 1117",
    "3056 930902 5904",
    "4222222222222",
    "6304000000000000",
]
EMAILS = [
    "maya.patel@example.com",
    "MAYA.PATEL@EXAMPLE.COM",
    "maya.patel+bills@mail.example.co.uk",
    "maya.patel @ example . com",
    "maya.patel@ example.com",
    "maya.patel (at) example (dot) com",
    "maya.patel[at]example[dot]com",
    "maya.patel {at} example {dot} com",
    "maya.patel<at>example.com",
    "maya dot patel at example dot com",
    "MAYA DOT PATEL AT EXAMPLE DOT COM",
    "maya_patel at example dot co dot uk",
    "maya-at-example-dot-com",
    "maya_at_example_dot_com",
    "maya.patel at gmail.com",
    "maya.patel@example dot com",
    "maya.patel@example,com",
    "maya.patel＠example．com",
    "maya.patel&#64;example&period;com",
    "maya.patel%40example.com",
    "ma\u200bya.patel@exam\u200bple.com",
    "mailto:maya.patel@example.com",
    "<maya.patel@example.com>",
    '"maya patel"@example.com',
    "maya@mailhost",
]
PHONES = [
    "07700900123",
    "07700 900123",
    "07700 900 123",
    "07700-900-123",
    "07700.900.123",
    "(07700) 900123",
    "+447700900123",
    "+44 7700 900123",
    "+44 (0)7700 900123",
    "0044 7700 900123",
    "tel:+44-7700-900-123",
    "0 7 7 0 0 9 0 0 1 2 3",
    "07700/900123",
    "07700 then 900123",
    "oh seven seven double oh nine double oh one two three",
    "zero seven seven zero zero, nine zero zero, one two three",
    "０７７００ ９００１２３",
    "0\u200b7700\u200b900123",
    "(555) 123-4567",
    "555-123-4567 ext. 89",
    "1-800-555-0199",
    "+1-984-182-0190",
    "+49 30 901820",
]
IBANS = [
    "GB82WEST12345698765432",
    "GB82 WEST 1234 5698 7654 32",
    "gb82west12345698765432",
    "gb82 west 1234 5698 7654 32",
    "GB82-WEST-1234-5698-7654-32",
    "GB82.WEST.1234.5698.7654.32",
    "GB82_WEST_1234_5698_7654_32",
    "G B 8 2 W E S T 1 2 3 4 5 6 9 8 7 6 5 4 3 2",
    "IBAN:GB82WEST12345698765432",
    "GB82\nWEST\n1234\n5698\n7654\n32",
    "ＧＢ82 WEST 1234 5698 7654 32",
    "GB82\u200bWEST1234\u200b5698765432",
    "GB82&nbsp;WEST&nbsp;1234&nbsp;5698&nbsp;7654&nbsp;32",
    "DE89 3704 0044 0532 0130 00",
    "FR1420041010050500013M02606",
    "NL91ABNA0417164300",
]
OTHERS = [
    ("my sort code is 12-34-56", Kind.SORT_CODE, "12-34-56"),
    ("sort code 20 12 05 account 12345678", Kind.ACCOUNT, "12345678"),
    ("account number: 12345", Kind.ACCOUNT, "12345"),
    ("SSN 078-05-1120", Kind.NATIONAL_ID, "078-05-1120"),
    ("my NI number is QQ 12 34 56 C", Kind.NATIONAL_ID, "QQ 12 34 56 C"),
    ("ab123456c", Kind.NATIONAL_ID, "ab123456c"),
    ("dni 12345678Z", Kind.NATIONAL_ID, "12345678Z"),
    ("codice RSSMRA85T10A562S", Kind.NATIONAL_ID, "RSSMRA85T10A562S"),
    ("passport number is 533401234", Kind.PASSPORT, "533401234"),
    ("passport no. C01X00T47", Kind.PASSPORT, "C01X00T47"),
    ("I was born on 12/03/1985", Kind.DATE_OF_BIRTH, "12/03/1985"),
    ("DOB: 3rd March 1985", Kind.DATE_OF_BIRTH, "3rd March 1985"),
    ("1985-03-12 is my date of birth", Kind.DATE_OF_BIRTH, "1985-03-12"),
    ("my ip is 192.168.0.14", Kind.IP, "192.168.0.14"),
    ("it says fe80::1ff:fe23:4567:890a", Kind.IP, "fe80::1ff:fe23:4567:890a"),
    ("my password is hunter2", Kind.PASSWORD, "hunter2"),
    ("password: correct!horse", Kind.PASSWORD, "correct!horse"),
    ('the password is "correct horse battery"', Kind.PASSWORD, "correct horse battery"),
    ("my pin is 4821", Kind.PASSWORD, "4821"),
    ("mother's maiden name is Gray", Kind.PASSWORD, "Gray"),
    ("the code is 123456", Kind.ONE_TIME_CODE, "123456"),
    ("482913 is my code", Kind.ONE_TIME_CODE, "482913"),
    ("I got the code G-482913", Kind.ONE_TIME_CODE, "G-482913"),
    ("key sk-proj-abc123def456ghi789jkl", Kind.API_KEY, "sk-proj-abc123def456ghi789jkl"),
    ("AKIAIOSFODNN7EXAMPLE", Kind.API_KEY, "AKIAIOSFODNN7EXAMPLE"),
    ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", Kind.API_KEY, "ghp_abcdefghijklmnopqrstuvwxyz0123456789"),
    (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-d",
        Kind.API_KEY,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-d",
    ),
    ("cvv is 123", Kind.CARD_CODE, "123"),
    ("my card expires 12/27", Kind.CARD_EXPIRY, "12/27"),
    ("my postcode is sw1a1aa", Kind.POSTCODE, "sw1a1aa"),
    ("Austin, TX 78701-1234", Kind.POSTCODE, "78701-1234"),
    ("I live at 12 High Street, London SW1A 1AA", Kind.ADDRESS, "12 High Street, London SW1A 1AA"),
    ("it's flat 3, 221b baker street", Kind.ADDRESS, "flat 3, 221b baker street"),
    ("Musterstraße 12, Berlin", Kind.ADDRESS, "Musterstraße 12"),
    ("My name is Ben Carter and I need help", Kind.NAME, "Ben Carter"),
    ("my name is ben carter and i need help", Kind.NAME, "ben carter"),
    ("MY NAME IS BEN CARTER AND I NEED HELP", Kind.NAME, "BEN CARTER"),
    ("I'm Ben Carter from Leeds", Kind.NAME, "Ben Carter"),
    ("this is Sarah speaking", Kind.NAME, "Sarah"),
    ("Mr. Smith called", Kind.NAME, "Smith"),
    ("it broke again.\nThanks,\nMaya Patel", Kind.NAME, "Maya Patel"),
    ("my account is NL-123456", "ACCOUNT", "NL-123456"),
    ("my number so far: 4111 1111", Kind.NUMBER, "4111 1111"),
]
HARMLESS = [
    "I was charged twice this month",
    "It cost £42.50, then $1,299.99 and 1.234,56",
    "my bill of 1,234,567 pounds",
    "since 12/03/2026 at 10:30, or 2026-03-12 10:30:45",
    "on 3 March 2026 at 10 am, and March 12, 2026",
    "from 2023-2024 to 2025/26, in 2019",
    "support is there 24/7, 365 days",
    "order INV-123456 and ord-654321",
    "order number 12345678",
    "error code 12345 on the router",
    "100 Mbps for 12 months, 500000 kB",
    "I looked at northline.com yesterday",
    "my password is wrong",
    "my password isn't working and I can't reset it",
    "my passcode was denied",
    "I'm Really annoyed, I'm still waiting",
    "wait 2 weeks in a row",
    "what is my name saved as",
    "meet at 3:30 on the route to phoenix",
    "the address is wrong",
    "I have 3 lines. 450 minutes left in 2024. 12 of them",
    "",
    "🙂🙂🙂",
]


def masked(text: str, spans: Iterable[Span]) -> str:
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], "▢"]
        end = span.end
    return "".join([*pieces, text[end:]])


def kinds(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in _DETECTOR.find(text)]


class TestWrittenForms:
    @pytest.mark.parametrize("card", CARDS)
    def test_card_leaves_no_digit(self, card: str) -> None:
        text = f"please use {card} thanks"
        (found,) = _DETECTOR.find(text)
        assert found.kind == Kind.CARD
        assert masked(text, [found]) == "please use ▢ thanks"

    @pytest.mark.parametrize("email", EMAILS)
    def test_email_leaves_no_part(self, email: str) -> None:
        text = f"my email is {email} ok"
        left = masked(text, _DETECTOR.find(text)).lower()
        assert "maya" not in left
        assert "patel" not in left
        assert Kind.EMAIL in [kind for kind, _ in kinds(text)]

    @pytest.mark.parametrize("phone", PHONES)
    def test_phone_leaves_no_digit(self, phone: str) -> None:
        text = f"reach me via {phone} please"
        spans = _DETECTOR.find(text)
        assert [span.kind for span in spans] == [Kind.PHONE]
        left = masked(text, spans)
        assert not any(letter.isdigit() for letter in left)
        assert left.split()[-1] == "please"

    @pytest.mark.parametrize("iban", IBANS)
    def test_iban_leaves_nothing(self, iban: str) -> None:
        text = f"pay to {iban} today"
        spans = _DETECTOR.find(text)
        assert [span.kind for span in spans] == [Kind.IBAN]
        assert masked(text, spans).removeprefix("pay to ").replace("IBAN:", "") == "▢ today"

    @pytest.mark.parametrize(("text", "kind", "value"), OTHERS)
    def test_other_kinds_by_form_or_context(self, text: str, kind: str, value: str) -> None:
        assert (kind, value) in kinds(text)

    def test_card_with_expiry_and_code(self) -> None:
        assert kinds("4111 1111 1111 1111 12/27 123") == [
            (Kind.CARD, "4111 1111 1111 1111"),
            (Kind.CARD_EXPIRY, "12/27"),
            (Kind.CARD_CODE, "123"),
        ]


class TestHarmless:
    @pytest.mark.parametrize("text", HARMLESS)
    def test_what_isnt_personal_stays(self, text: str) -> None:
        assert kinds(text) == []

    def test_card_is_found_even_as_an_order_number(self) -> None:
        assert kinds("order number 4111111111111111") == [(Kind.CARD, "4111111111111111")]

    def test_kept_pattern_beside_a_card_stays(self) -> None:
        assert kinds("INV-123456 4111111111111111") == [(Kind.CARD, "4111111111111111")]


class TestValues:
    @pytest.mark.parametrize("forms", [CARDS[:21], IBANS[:13], PHONES[:6]])
    def test_forms_of_one_value_have_one_normal_form(self, forms: list[str]) -> None:
        assert len({span.value for form in forms for span in _DETECTOR.find(form)}) == 1


class TestKnown:
    _KNOWN = (("name", "Maya Patel"), ("phone_number", "020 7946 0018"), ("account", "NL-100200"))

    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ("maya patel wants this", "NAME"),
            ("ask Maya", "NAME"),
            ("0 2 0 7 9 4 6 0 0 1 8", "PHONE"),
            ("nl 100200", "ACCOUNT"),
        ],
    )
    def test_known_values_are_found_in_any_form(self, text: str, kind: str) -> None:
        assert [span.kind for span in _DETECTOR.find(text, known=self._KNOWN)] == [kind]

    def test_part_of_another_word_is_left(self) -> None:
        assert _DETECTOR.find("the mayan calendar", known=self._KNOWN) == ()


class TestPatterns:
    @pytest.mark.parametrize("pattern", ["(", "a{99999999999}", "(" * 6_000 + ")" * 6_000])
    def test_broken_pattern_is_named(self, pattern: str) -> None:
        with pytest.raises(BadPattern, match="'order' isn't a regular expression"):
            Detector(keep=[("order", pattern)])

    def test_name_becomes_the_kind(self) -> None:
        (found,) = Detector(mask=[("meter serial", r"\bM\d{3}\b")]).find("meter M123")
        assert found.kind == "METER_SERIAL"


class _Tagger:
    def find(self, text: str) -> list[Span]:
        place = text.find("Zoë")
        return [Span(place, place + 3, Kind.NAME, "zoë")] if place >= 0 else []


class TestRecogniser:
    def test_further_finds_are_added(self) -> None:
        text = "tell Zoë, jo@example.com"
        spans = Detector(recognisers=[_Tagger()]).find(text)
        assert [(span.kind, text[span.start : span.end]) for span in spans] == [
            (Kind.NAME, "Zoë"),
            (Kind.EMAIL, "jo@example.com"),
        ]


_FRAGMENTS = st.sampled_from([*CARDS, *EMAILS, *PHONES, *IBANS, *(text for text, _, _ in OTHERS), *HARMLESS])


class TestAnyText:
    @given(
        st.one_of(
            st.text(max_size=200),
            st.lists(st.one_of(_FRAGMENTS, st.text(max_size=9)), max_size=5).map("".join),
        )
    )
    @settings(deadline=None)
    def test_spans_are_in_order_inside_and_apart(self, text: str) -> None:
        end = 0
        for span in _DETECTOR.find(text):
            assert end <= span.start < span.end <= len(text)
            end = span.end

    @given(st.lists(st.sampled_from([*CARDS, *IBANS]), min_size=1, max_size=3), st.text(max_size=20))
    def test_planted_numbers_never_survive(self, planted: list[str], between: str) -> None:
        text = f" | {between} | ".join(planted)
        left = masked(text, _DETECTOR.find(text))
        for value in planted:
            assert value not in left


class TestGrowth:
    """Cost grows with the length of a text, not with its square."""

    _UNITS = (
        *(
            "a at ",
            "a@",
            "1 ",
            "1, ",
            "@",
            "[",
            "4111 ",
            "my name is ",
            "password is ",
            "12 a street ",
            "one ",
        ),
        *("GB82 ", "born ", "a dot ", "calle aaaaaaaaaaaaaaa", "sk-a", "xoxb-", "1/", "%4", "<b", "&#52;"),
        *("eyJaaaaaaaa.", "flat 3, ", "double four ", '"', "(", ":", "a.-", "a", " ", "\n", "é", "i'm Aa "),
        *("Mr Aa ", "secret=", "account number ", "pin ", "address is A", "1st born "),
    )

    @pytest.mark.parametrize("unit", _UNITS)
    def test_doubling_the_text_does_not_quadruple_the_time(self, unit: str) -> None:
        short, long = (self._cost(unit, length) for length in (5_000, 40_000))
        # Eight times the text; a quadratic rule would cost 64 times as much.
        assert long < 30 * short + 0.2

    def test_mixed_hostile_text_ends(self) -> None:
        dice = random.Random(4)
        text = "".join(dice.choice(self._UNITS) for _ in range(6_000))[:20_000]
        assert _DETECTOR.find(text) == _DETECTOR.find(text)

    @staticmethod
    def _cost(unit: str, length: int) -> float:
        text = (unit * (length // len(unit) + 1))[:length]
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            _DETECTOR.find(text)
            best = min(best, time.process_time() - start)
        return best
