"""What counts as a claim, and as saying that something was done."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.base.language.grounding import GroundingHead
from steward.base.language.shipped import shipped
from steward.govern.privacy.detection import Detector
from steward.serve.turn.claims import claims_of, makes_claim
from steward.serve.turn.drafts import Draft
from steward.serve.turn.verify import compile_policy, verify

HEAD = GroundingHead.from_bytes(shipped()["grounding"])
CONTEXT = "I was charged twice this month. Can I cancel my contract free of charge?"


class TestMakesClaim:
    @pytest.mark.parametrize(
        "text",
        [
            "Hello!",
            "Thanks for waiting.",
            "I'm sorry to hear that.",
            "I'm sorry you were charged twice this month.",
            "I understand how frustrating this is.",
            "Sure, I can help with your contract.",
            "Of course, let me check.",
            'Type "agent" and a person will help you.',
            "Is there anything else I can help with?",
            "Here's how to cancel your contract:",
        ],
    )
    def test_politeness_claims_nothing(self, text: str) -> None:
        assert not makes_claim(text, CONTEXT)

    @pytest.mark.parametrize(
        "text",
        [
            "I'm sorry, your refund is coming tomorrow.",
            "I'm sorry to hear that, your contract can be ended without a fee at any time.",
            "Sure, you can cancel your contract free of charge.",
            "Sure you can cancel your contract free of charge.",
            "Great news: the refund is on its way.",
            "To do that, call the hotline.",
            "Here's how: give us your password.",
            "I'm sorry, it takes 5 days.",
            "Did you know that leaving costs nothing?",
        ],
    )
    def test_a_polite_opening_hides_no_claim(self, text: str) -> None:
        assert makes_claim(text, CONTEXT)


class TestVerify:
    @pytest.mark.parametrize(
        "text",
        [
            "I'm sorry, your refund was paid.",
            "The refund was issued.",
            "Your refund went through.",
            "I've gone ahead and refunded you.",
            "We paid the money back.",
            "Your account has just been unlocked.",
        ],
    )
    def test_only_the_engine_says_that_something_was_done(self, text: str) -> None:
        policy = compile_policy(
            HEAD, grounding=0.15, support=0.5, forbidden=(), instructions="", detector=Detector()
        )
        assert verify(Draft(text, ()), (), CONTEXT, policy).reason == "claims_effect"

    @pytest.mark.parametrize(
        "text", ["If your payment was returned, try again.", "We write once the order has been sent."]
    )
    def test_what_is_only_supposed_is_no_effect(self, text: str) -> None:
        policy = compile_policy(
            HEAD, grounding=0.15, support=0.5, forbidden=(), instructions="", detector=Detector()
        )
        assert verify(Draft(text, ()), (), CONTEXT, policy).reason == "no_citation"


class TestClaimsOf:
    @pytest.mark.parametrize(
        ("text", "claims"),
        [
            ("Refunds take five days.", ("Refunds take five days.",)),
            ("We take bills, payments, and refunds.", ("We take bills, payments, and refunds.",)),
            (
                "Refunds take five days, and calls cost nothing at night.",
                ("Refunds take five days", "calls cost nothing at night."),
            ),
            (
                "Visits are free but repairs cost £40; parts are extra money.",
                ("Visits are free", "repairs cost £40", "parts are extra money."),
            ),
        ],
    )
    def test_splits_where_both_sides_state_something(self, text: str, claims: tuple[str, ...]) -> None:
        assert claims_of(text) == claims

    @given(st.text(max_size=200))
    def test_keeps_every_word(self, text: str) -> None:
        lost = " ".join(text.split())
        for claim in claims_of(text):
            assert claim in text
            lost = lost.replace(" ".join(claim.split()), " ", 1)
        assert not set(lost.split()) - {
            ",",
            ";",
            "and",
            "so",
            "but",
            "while",
            "whereas",
            "although",
            "–",
            "—",
        }
