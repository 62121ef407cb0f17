"""Reading yes and no: a confirmation that isn't certain is never assumed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.serve.workflows.consent import Consent, accepts, is_bare_answer, read_consent, wants_to_stop


class TestReadConsent:
    @pytest.mark.parametrize(
        "text",
        [
            "yes",
            "Yes!",
            "yep please",
            "ok",
            "go ahead",
            "that’s right",
            "sounds good",
            "👍",
            "no problem",
            "I agree",
            "Yes, do it now",
        ],
    )
    def test_yes(self, text: str) -> None:
        assert read_consent(text) is Consent.YES

    @pytest.mark.parametrize(
        "text", ["no", "Nope", "no thanks", "don't", "not now", "leave it", "👎", "that is wrong"]
    )
    def test_no(self, text: str) -> None:
        assert read_consent(text) is Consent.NO

    @pytest.mark.parametrize(
        "text",
        [
            "yes, no, I don't know",
            "yes but only half of it",
            "yes if it's free",
            "is that ok?",
            "maybe, sure",
            "yes, to my new card",
            "right, so the other one",
            "yes tell me more",
            "what happens then",
            "",
            "yes and then I'd like to tell you about my neighbour who has had the same trouble for weeks",
        ],
    )
    def test_unclear(self, text: str) -> None:
        assert read_consent(text) is Consent.UNCLEAR

    @given(st.text(max_size=60))
    def test_a_question_is_never_a_yes(self, text: str) -> None:
        assert read_consent(f"yes {text} ?") is not Consent.YES


class TestAccepts:
    @pytest.mark.parametrize("text", ["yes", "yes tell me what it would cost", "ok show me what you find"])
    def test_a_yes_with_more_behind_it_takes_up_an_offer(self, text: str) -> None:
        assert accepts(text)

    @pytest.mark.parametrize(
        "text", ["yes but later", "ok, why?", "no", "sure, never", "what would it cost", ""]
    )
    def test_hesitation_does_not(self, text: str) -> None:
        assert not accepts(text)


class TestIsBareAnswer:
    @pytest.mark.parametrize("text", ["yes", "yes please", "no thanks", "OK, go ahead", "nope"])
    def test_nothing_but_yes_or_no(self, text: str) -> None:
        assert is_bare_answer(text)

    @pytest.mark.parametrize(
        "text", ["cancel my contract", "wrong bill", "it doesn't work", "thanks", "stop", ""]
    )
    def test_anything_with_a_matter_of_its_own(self, text: str) -> None:
        assert not is_bare_answer(text)


class TestWantsToStop:
    @pytest.mark.parametrize("text", ["never mind", "Cancel", "no", "I changed my mind", "forget about it"])
    def test_drops_the_matter(self, text: str) -> None:
        assert wants_to_stop(text)

    @pytest.mark.parametrize("text", ["cancel my contract on Friday", "NL-000000", "no signal"])
    def test_goes_on(self, text: str) -> None:
        assert not wants_to_stop(text)
