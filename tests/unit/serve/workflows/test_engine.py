"""Conversations with a run over a scripted business system: offers, slots, checks, confirmation, approval."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from steward.base.clock import FixedClock
from steward.base.ids import new_id
from steward.govern.privacy.contracts import CustomerId
from steward.serve.conversations.contracts import ActionState, Outcome
from steward.serve.workflows.contracts import Heard, Move, Procedure, Run, RunState
from steward.serve.workflows.engine import UNREACHABLE, Engine, offer_text
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.connectors.contracts import Argument, CallResult, Done, Refused, Unreachable

DEFINITION = {
    "title": "Refund a double payment",
    "category": "payments",
    "offer": "I can look for the second payment.",
    "slots": [
        {"name": "account", "title": "Account", "ask": "Account?", "pattern": r"NL-\d{6}",
         "explain": "It starts with NL.", "attempts": 2},
    ],
    "checks": [
        {"name": "payment", "call": "billing.double", "with": {"account": "{account}"},
         "require": "payment.found", "otherwise": {"say": "There is none."}},
    ],
    "confirm": "Refund £{payment.amount}?",
    "approval": {"when": "payment.amount > 100", "say": "A colleague looks first."},
    "once_per": "{payment.id}",
    "steps": [{"name": "refund", "call": "billing.refund", "with": {"payment": "{payment.id}"}}],
    "say": {"done": "Done.", "failed": "Failed.", "unknown": "Unknown.", "cancelled": "Left as it was."},
}  # fmt: skip
FOUND = Done({"found": True, "amount": 42, "id": "PAY-1"}, 200)


@dataclass(slots=True)
class Billing:
    """A business system that answers every call with the same result and writes down what was asked."""

    result: CallResult = FOUND
    calls: list[tuple[str, Mapping[str, Argument]]] = field(default_factory=list)

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        assert idempotency_key is None
        self.calls.append((operation, arguments))
        return self.result


class Talk:
    """A customer before one run."""

    def __init__(self, clock: FixedClock, billing: Billing, **changed: Any) -> None:
        definition = Workflow.model_validate({**DEFINITION, **changed})
        self.procedure = Procedure("refund", definition, cast(Any, billing))
        self._engine = Engine(actions=cast(Any, None), clock=clock)
        self.move = self._engine.offer(
            self.procedure, conversation_id=new_id(clock), customer_id=CustomerId(new_id(clock)),
            release_id="r1", claims={}, text="charged twice",
        )  # fmt: skip

    @property
    def run(self) -> Run:
        return self.move.run

    async def say(self, *texts: str, question: bool = False) -> Move:
        for text in texts:
            self.move = await self._engine.hear(self.run, self.procedure, Heard(text, False, question))
        return self.move


@pytest.fixture
def billing() -> Billing:
    return Billing()


@pytest.fixture
def talk(fixed_clock: FixedClock, billing: Billing) -> Talk:
    return Talk(fixed_clock, billing)


class TestOffer:
    def test_ends_as_a_question(self, talk: Talk) -> None:
        assert talk.move.text == "I can look for the second payment. Shall I?"
        assert (talk.move.outcome, talk.move.action) == (Outcome.ASKED, ActionState.PROPOSED)

    def test_a_question_stays_as_it_is(self, fixed_clock: FixedClock, billing: Billing) -> None:
        assert offer_text(Talk(fixed_clock, billing, offer="Shall I look?").procedure) == "Shall I look?"

    async def test_yes_with_more_behind_it_asks_for_what_is_missing(self, talk: Talk) -> None:
        move = await talk.say("yes tell me what you find")
        assert (move.text, move.slot) == ("Account?", "account")

    async def test_no_leaves_it(self, talk: Talk, billing: Billing) -> None:
        move = await talk.say("no thanks")
        assert (move.run.state, move.text, billing.calls) == (RunState.CANCELLED, "Left as it was.", [])

    async def test_is_repeated_once_after_another_question_and_then_let_go(self, talk: Talk) -> None:
        assert (await talk.say("how is the weather")).aside
        assert talk.run.state is RunState.OFFERED
        await talk.say("and tomorrow")
        assert (talk.run.state, talk.move.text) == (RunState.EXPIRED, "")


class TestCollecting:
    async def test_explains_once_and_then_hands_over(self, talk: Talk) -> None:
        assert (await talk.say("yes", "no idea, twelve maybe")).text == "It starts with NL. Account?"
        assert (await talk.say("thirteen")).hand_over == "too_many_attempts"

    async def test_a_question_in_between_is_answered_and_the_slot_asked_again(self, talk: Talk) -> None:
        await talk.say("yes")
        move = await talk.say("where do I find it?", question=True)
        assert (move.aside, move.text, move.run.asking) == (True, "Account?", "account")

    async def test_never_mind_ends_it(self, talk: Talk, billing: Billing) -> None:
        await talk.say("yes", "never mind")
        assert (talk.run.state, billing.calls) == (RunState.CANCELLED, [])


class TestChecks:
    async def test_asks_to_confirm_what_was_found(self, talk: Talk, billing: Billing) -> None:
        move = await talk.say("yes", "NL-204816")
        assert (move.text, move.action) == ("Refund £42?", ActionState.CONFIRMING)
        assert billing.calls == [("billing.double", {"account": "NL-204816"})]

    @pytest.mark.parametrize(
        "result", [Done({"found": False}, 200), Refused(404, "unknown", "No such account.")]
    )
    async def test_ends_with_the_checks_own_words(
        self, talk: Talk, billing: Billing, result: CallResult
    ) -> None:
        billing.result = result
        move = await talk.say("yes", "NL-204816")
        assert (move.text, move.run.state) == ("There is none.", RunState.CANCELLED)

    @pytest.mark.parametrize("result", [Unreachable("refused"), Refused(503, "down", "Later.")])
    async def test_hands_over_when_the_system_is_away(
        self, talk: Talk, billing: Billing, result: CallResult
    ) -> None:
        billing.result = result
        move = await talk.say("yes", "NL-204816")
        assert (move.text, move.hand_over) == (UNREACHABLE, "system_unavailable")


class TestConfirming:
    async def test_only_a_clear_yes_acts(self, talk: Talk) -> None:
        await talk.say("yes", "NL-204816")
        for text in ("yes but only half", "hm", "yes tell me more"):
            assert (await talk.say(text)).run.state is not RunState.ACTING
        assert (await Talk.say(talk, "yes")).run.state in {RunState.ACTING, RunState.HANDED_OVER}

    async def test_yes_acts_and_no_leaves_it(self, talk: Talk) -> None:
        await talk.say("yes", "NL-204816")
        kept = talk.move
        assert (await talk.say("yes")).run.state is RunState.ACTING
        talk.move = kept
        assert (await talk.say("no")).text == "Left as it was."

    async def test_a_yes_to_other_arguments_asks_again(self, talk: Talk) -> None:
        await talk.say("yes", "NL-204816")
        changed = {**talk.run.values, "payment": {"found": True, "amount": 42, "id": "PAY-2"}}
        talk.move = replace(talk.move, run=replace(talk.run, values=changed))
        assert (await talk.say("yes")).action is ActionState.CONFIRMING

    async def test_a_large_one_waits_for_approval(self, talk: Talk, billing: Billing) -> None:
        billing.result = Done({"found": True, "amount": 142, "id": "PAY-1"}, 200)
        move = await talk.say("yes", "NL-204816", "yes")
        assert (move.run.state, move.text) == (RunState.AWAITING_APPROVAL, "A colleague looks first.")
