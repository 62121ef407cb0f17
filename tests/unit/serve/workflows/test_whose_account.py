"""Which values a workflow takes from whom: a token's before typed ones, and nothing out of ordinary words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from steward.base.clock import FixedClock
from steward.base.ids import new_id
from steward.govern.privacy.contracts import CustomerId
from steward.serve.workflows.contracts import Heard, Procedure, Run, RunState
from steward.serve.workflows.engine import Engine
from steward.supply.assistant.schema.workflow import Workflow

POSTCODE = r"[A-Z]{2}\d \d[A-Z]{2}"
DEFINITION = Workflow.model_validate(
    {
        "title": "Change the address",
        "category": "account",
        "offer": "I can change the address.",
        "slots": [
            {"name": "account", "title": "Account", "ask": "Account?", "pattern": r"NL-\d{6}",
             "from_customer": "account"},
            {"name": "postcode", "title": "Postcode", "ask": "Postcode?", "pattern": POSTCODE,
             "only_unverified": True},
            {"name": "street", "title": "Street", "ask": "Street?", "pattern": ".{6,120}"},
            {"name": "new_postcode", "title": "New postcode", "ask": "New postcode?", "pattern": POSTCODE},
        ],
        "confirm": "Shall I?",
        "approval": {"when": "always", "say": "A colleague looks at {account} first."},
        "once_per": "{account} {street}",
        "steps": [{"name": "change", "call": "billing.change", "with": {"account": "{account}"}}],
        "say": {"done": "Done.", "failed": "Failed.", "unknown": "Unknown.", "cancelled": "Left as it was."},
    }
)  # fmt: skip
PROCEDURE = Procedure("change_address", DEFINITION, cast(Any, None))


class Customer:
    """Talks to one run."""

    def __init__(self, clock: FixedClock, claims: Mapping[str, str], *, verified: bool, opening: str) -> None:
        self._engine = Engine(actions=cast(Any, None), clock=clock)
        self._verified = verified
        self.run: Run = self._engine.offer(
            PROCEDURE, conversation_id=new_id(clock), customer_id=CustomerId(new_id(clock)), release_id="r1",
            claims=claims, text=opening,
        ).run  # fmt: skip

    async def say(self, text: str) -> str:
        """Say something and return the engine's words."""
        move = await self._engine.hear(self.run, PROCEDURE, Heard(text, self._verified, False))
        self.run = move.run
        return move.text


class TestWhoseAccount:
    async def test_a_signed_in_customer_cant_name_another_account(self, fixed_clock: FixedClock) -> None:
        claims = {"account": "NL-111111"}
        customer = Customer(fixed_clock, claims, verified=True, opening="Move NL-222222, please")
        assert await customer.say("yes, for NL-222222") == "Street?"
        assert customer.run.values["account"] == "NL-111111"

    async def test_without_the_claim_a_signed_in_customer_proves_the_account(
        self, fixed_clock: FixedClock
    ) -> None:
        customer = Customer(fixed_clock, {}, verified=True, opening="Move NL-222222, please")
        assert await customer.say("yes") == "Postcode?"

    async def test_a_signed_in_customers_postcode_is_the_new_one(self, fixed_clock: FixedClock) -> None:
        claims = {"account": "NL-111111"}
        customer = Customer(fixed_clock, claims, verified=True, opening="change my billing address please")
        said = [await customer.say(text) for text in ("yes", "27 Cedar Lane, Bristol", "BS1 5ZZ")]
        assert said == ["Street?", "New postcode?", "Shall I?"]
        assert "postcode" not in customer.run.values
        assert customer.run.values["street"] == "27 Cedar Lane, Bristol"

    async def test_one_value_fills_one_slot(self, fixed_clock: FixedClock) -> None:
        customer = Customer(fixed_clock, {}, verified=False, opening="change my billing address please")
        said = [await customer.say(text) for text in ("yes", "NL-111111", "NW1 6ZZ")]
        assert said == ["Account?", "Postcode?", "Street?"]
        assert "new_postcode" not in customer.run.values

    async def test_one_message_may_fill_several(self, fixed_clock: FixedClock) -> None:
        customer = Customer(fixed_clock, {}, verified=False, opening="change my billing address please")
        await customer.say("yes")
        assert await customer.say("It's NL-111111 at NW1 6ZZ") == "Street?"


class TestWaitingForApproval:
    async def waiting(self, clock: FixedClock) -> Customer:
        """A customer whose run waits for somebody to agree."""
        claims = {"account": "NL-111111"}
        customer = Customer(clock, claims, verified=True, opening="change my billing address please")
        for text in ("yes", "27 Cedar Lane, Bristol", "BS1 5ZZ", "yes"):
            await customer.say(text)
        assert customer.run.state is RunState.AWAITING_APPROVAL
        return customer

    async def test_the_reminder_has_its_values(self, fixed_clock: FixedClock) -> None:
        customer = await self.waiting(fixed_clock)
        assert await customer.say("any news?") == "A colleague looks at NL-111111 first."

    async def test_the_customer_may_change_their_mind(self, fixed_clock: FixedClock) -> None:
        customer = await self.waiting(fixed_clock)
        assert await customer.say("please cancel that") == "Left as it was."
        assert customer.run.state is RunState.CANCELLED
