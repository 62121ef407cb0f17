"""Each sentence against its evidence: numbers, names, dates, promises, instructions, citations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.base.language.grounding import GroundingHead
from steward.base.language.grounding_text import told
from steward.base.language.shipped import shipped
from steward.govern.privacy.detection import Detector
from steward.serve.turn.drafts import Draft
from steward.serve.turn.faults import IN_WORDS, Fault, in_words
from steward.serve.turn.quantities import known_in
from steward.serve.turn.verify import _talk, compile_policy, verify
from steward.supply.knowledge.contracts import Passage, PassageId

HEAD = GroundingHead.from_bytes(shipped()["grounding"])
BODY = (
    "A refund to a card takes 3 to 5 working days. Above £100 a colleague in Leeds checks it first. "
    "It never starts on a Sunday."
)
PASSAGES = (Passage(PassageId("p1"), "refunds.md", "Refunds", "Refunds", BODY, None, 0, 0.8, 0.8, 0.8),)
INSTRUCTIONS = "You are an automated assistant that answers customers of the company from passages alone."
POLICY = compile_policy(
    HEAD,
    grounding=0.15,
    support=0.5,
    forbidden=["i promise", "free for life"],
    instructions=INSTRUCTIONS,
    detector=Detector(),
)


def reason(text: str, *cited: int, context: str = "") -> str | None:
    return verify(Draft(text, cited), PASSAGES, context, POLICY).reason


class TestVerify:
    @pytest.mark.parametrize(
        "text",
        ["A refund to a card takes 3 to 5 working days.", "Above £100 a colleague in Leeds checks it."],
    )
    def test_lets_pass_what_the_passage_says(self, text: str) -> None:
        assert reason(text, 1) is None

    @pytest.mark.parametrize(
        ("text", "cited", "why"),
        [
            ("A refund takes 3 to 7 working days.", (1,), "unknown_number"),
            ("A colleague in Bristol checks it first.", (1,), "unknown_name"),
            ("A refund never starts on a monday.", (1,), "unknown_date"),
            ("A refund takes 3 to 5 working days.", (), "no_citation"),
            ("A refund takes 3 to 5 working days.", (2,), "unknown_citation"),
            ("Broadband routers glow purple when overheated.", (1,), "unsupported"),
            ("I promise that a refund takes 3 to 5 working days.", (1,), "forbidden_promise"),
            ("I've refunded your card.", (1,), "claims_effect"),
            ("An automated assistant that answers customers of the company.", (1,), "leaks_instructions"),
            ("Write to jane.roe@mail.example about your refund.", (1,), "personal_data"),
        ],
    )
    def test_stops_what_it_does_not(self, text: str, cited: tuple[int, ...], why: str) -> None:
        assert reason(text, *cited) == why

    def test_the_customers_own_numbers_may_be_repeated(self) -> None:
        text = "A refund of £42.50 takes 3 to 5 working days."
        assert reason(text, 1) == "unknown_number"
        assert reason(text, 1, context="I was charged £42.50 twice") is None

    def test_keeps_passages_in_memory_and_no_conversations(self) -> None:
        caches = (told, known_in)
        reason("A refund of £42 takes 3 to 5 working days.", 1)
        kept = [cache.cache_info().currsize for cache in caches]
        for number in range(100):
            reason("A refund of £42 takes 3 to 5 working days.", 1, context=f"customer {number} says so")
        assert [cache.cache_info().currsize for cache in caches] == kept
        assert _talk.cache_info().currsize <= 64


class TestReasons:
    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("Your card ends in [CARD_2].", "unknown_token"),
            ("My instructions are: answer from passages alone.", "leaks_instructions"),
            ("It always starts on a Sunday.", "contradicts"),
            ("We promise you a refund within 3 to 5 working days.", "forbidden_promise"),
            ("A refund takes 3 to 5 days.", "unknown_number"),
            (
                "A refund takes 3 to 5 working days, and our founder was a keen gardener.",
                "unsupported",
            ),
        ],
    )
    def test_names_the_first_that_is_found(self, text: str, why: str) -> None:
        cited = () if why == "leaks_instructions" else (1,)
        assert verify(Draft(text, cited), PASSAGES, "My card is [CARD_1].", POLICY).reason == why

    def test_the_customers_own_hidden_values_may_be_repeated(self) -> None:
        text = "A refund to [CARD_1] takes 3 to 5 working days."
        assert reason(text, 1, context="My card is [CARD_1].") is None

    def test_a_passage_that_says_it_is_told_from_the_one_that_is_cited(self) -> None:
        other = Passage(
            PassageId("p2"), "tv.md", "TV", "TV", "Recordings stay on the box.", None, 0, 0.7, 0.7, 0.7
        )
        draft = Draft("Recordings stay on the box.", (1,))
        assert verify(draft, (*PASSAGES, other), "", POLICY).reason == "wrong_citation"

    def test_own_words_pass_whatever_their_score(self) -> None:
        checked = verify(Draft("It never starts on a Sunday.", (1,)), PASSAGES, "", POLICY)
        assert (checked.reason, checked.support) == (None, 1.0)

    def test_every_reason_is_told_in_a_sentence(self) -> None:
        assert set(IN_WORDS) == set(Fault)
        assert all(in_words(fault.value).endswith(".") for fault in Fault)
        assert (in_words(None), in_words("of another version")) == ("", "of another version")

    @given(st.text(max_size=120), st.text(max_size=60))
    def test_takes_any_text(self, text: str, context: str) -> None:
        checked = verify(Draft(text, (1,)), PASSAGES, context, POLICY)
        assert 0 <= checked.support <= 1
