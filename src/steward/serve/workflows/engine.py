"""The engine: from what the customer said to the run's next move.

It alone decides what a workflow does. Reads happen while a move is worked out; effects only in
`act`, after the customer confirmed the exact arguments (bound by `confirm_digest`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from steward.base.clock import Clock
from steward.base.digests import canonical_json
from steward.base.ids import new_id
from steward.govern.privacy.contracts import CustomerId
from steward.serve.conversations.contracts import ActionState, Outcome
from steward.serve.workflows.actions import Actions, Decided, Effect, Verdict
from steward.serve.workflows.consent import Consent, accepts, read_consent, wants_to_stop
from steward.serve.workflows.contracts import Heard, Move, Procedure, Run, RunState
from steward.serve.workflows.slots import find_in_passing, read_slot
from steward.supply.assistant.conditions import Condition
from steward.supply.assistant.schema.workflow import Arguments, Check, Slot, Step, Workflow
from steward.supply.assistant.texts import fill
from steward.supply.connectors.contracts import Argument, Done, Refused

UNREACHABLE = "I can't reach the system I need for this right now, so I'm passing you to a colleague."
DENIED = (
    "My colleagues couldn't approve this as it stands. Nothing has been changed; "
    "one of them will get back to you."
)
ENOUGH_ASKED = "I'm not getting this right, so I'm passing you to a colleague who can help."
SHALL_I = "Shall I?"
ACTION_FAILED = "action_failed"
OFFER_REMINDERS = 1
"""How often an offer is repeated after a side question before it is let go."""


class Engine:
    """Moves runs on; built once by the composition root."""

    def __init__(self, *, actions: Actions, clock: Clock) -> None:
        self._actions = actions
        self._clock = clock

    def offer(
        self,
        procedure: Procedure,
        *,
        conversation_id: UUID,
        customer_id: CustomerId,
        release_id: str,
        claims: Mapping[str, str],
        text: str,
    ) -> Move:
        """Begin a run by offering the workflow; what a token proves or was said in passing is kept."""
        definition = procedure.definition
        values: dict[str, Any] = {"customer": dict(claims), **proven_values(definition, claims)}
        values |= said_in_passing(
            definition, text, values, proven=bool(claims) and is_proven(definition, claims)
        )
        run = Run(
            id=new_id(self._clock),
            conversation_id=conversation_id,
            customer_id=customer_id,
            release_id=release_id,
            workflow=procedure.name,
            state=RunState.OFFERED,
            asking=None,
            attempts=0,
            values=values,
            confirm_digest=None,
        )
        return Move(run, offer_text(procedure), Outcome.ASKED, action=ActionState.PROPOSED, asks=True)

    async def hear(self, run: Run, procedure: Procedure, heard: Heard) -> Move:
        """Work out the next move from a message of the customer. Never causes an effect.

        A move whose run is `ACTING` asks the caller to go on with `act`.
        """
        match run.state:
            case RunState.OFFERED:
                return await self._hear_offer(run, procedure, heard)
            case RunState.COLLECTING:
                return await self._hear_value(run, procedure, heard)
            case RunState.CONFIRMING:
                return await self._hear_confirmation(run, procedure, heard)
            case RunState.AWAITING_APPROVAL:
                return self._hear_while_waiting(run, procedure, heard)
            case _:
                return Move(run, "", Outcome.ANSWERED, aside=True)

    async def act(self, run: Run, procedure: Procedure, *, turn_id: UUID | None) -> Move:
        """Perform the steps of a confirmed run, in order, each exactly once."""
        values = dict(run.values)
        definition = procedure.definition
        done: list[Step] = []
        for step in definition.steps:
            effect = effect_of(procedure, step, values)
            decided = await self._actions.perform(run, effect, procedure.connector, turn_id=turn_id)
            if decided.verdict is not Verdict.DONE:
                if decided.verdict is Verdict.FAILED:
                    await self._undo(run, procedure, done, values, turn_id=turn_id)
                return self.settled(replace(run, values=values), procedure, decided)
            values[step.name] = dict(decided.result)
            done.append(step)
        return self.settled(replace(run, values=values), procedure, Decided(Verdict.DONE))

    def denied(self, run: Run) -> Move:
        """Return the move that tells the customer that nobody approved, and brings a human."""
        ended = replace(run, state=RunState.HANDED_OVER, asking=None)
        return Move(
            ended, DENIED, Outcome.HANDED_OVER, action=ActionState.CANCELLED, hand_over="approval_denied"
        )

    def settled(self, run: Run, procedure: Procedure, decided: Decided) -> Move:
        """Return the move that tells the customer what became of the run; one that failed goes to a human."""
        say = procedure.definition.say
        match decided.verdict:
            case Verdict.DONE:
                state, action, text = RunState.DONE, ActionState.DONE, say.done
            case Verdict.FAILED:
                state, action, text = RunState.FAILED, ActionState.FAILED, say.failed
            case Verdict.UNKNOWN:
                state, action, text = RunState.UNKNOWN, ActionState.UNKNOWN, say.unknown
        return Move(
            replace(run, state=state, asking=None),
            fill(text, run.values),
            Outcome.ACTED,
            action=action,
            hand_over=ACTION_FAILED if state is RunState.FAILED else None,
        )

    async def _hear_offer(self, run: Run, procedure: Procedure, heard: Heard) -> Move:
        filled = self._with_passing_values(run, procedure.definition, heard)
        consent = read_consent(heard.text)
        if accepts(heard.text) or (filled.values != run.values and consent is not Consent.NO):
            return await self._progress(replace(filled, state=RunState.COLLECTING), procedure, heard)
        if consent is Consent.NO or wants_to_stop(heard.text):
            return self._cancelled(run, procedure)
        if run.attempts >= OFFER_REMINDERS:
            return Move(replace(run, state=RunState.EXPIRED), "", Outcome.ANSWERED, aside=True)
        return Move(
            replace(run, attempts=run.attempts + 1),
            offer_text(procedure),
            Outcome.ANSWERED,
            action=ActionState.PROPOSED,
            aside=True,
            asks=True,
        )

    async def _hear_value(self, run: Run, procedure: Procedure, heard: Heard) -> Move:
        slot = next((item for item in procedure.definition.slots if item.name == run.asking), None)
        if slot is None:
            return await self._progress(run, procedure, heard)
        value = read_slot(slot, heard.text, today=self._clock.now().date())
        free_text = slot.type == "text" and slot.pattern is None
        if value is not None and not (free_text and heard.question):
            kept = replace(run, values={**run.values, slot.name: value}, attempts=0)
            return await self._progress(
                self._with_passing_values(kept, procedure.definition, heard), procedure, heard
            )
        if wants_to_stop(heard.text):
            return self._cancelled(run, procedure)
        if heard.question:
            return self._ask(run, slot, aside=True)
        if run.attempts + 1 >= slot.attempts:
            return self._hand_over(run, ENOUGH_ASKED, "too_many_attempts")
        again = f"{slot.explain} {slot.ask}" if slot.explain else slot.ask
        return self._ask(replace(run, attempts=run.attempts + 1), slot, text=again)

    async def _hear_confirmation(self, run: Run, procedure: Procedure, heard: Heard) -> Move:
        consent = read_consent(heard.text)
        question = fill(procedure.definition.confirm, run.values)
        if consent is Consent.YES:
            if run.confirm_digest != digest_of(procedure, run.values):
                return await self._progress(replace(run, state=RunState.COLLECTING), procedure, heard)
            return self._confirmed(run, procedure)
        if consent is Consent.NO or wants_to_stop(heard.text):
            return self._cancelled(run, procedure)
        asked = Move(
            replace(run, attempts=run.attempts + 1),
            question,
            Outcome.ASKED,
            action=ActionState.CONFIRMING,
            asks=True,
            aside=heard.question,
        )
        if asked.run.attempts > 3:
            return self._hand_over(run, ENOUGH_ASKED, "too_many_attempts")
        return asked

    def _hear_while_waiting(self, run: Run, procedure: Procedure, heard: Heard) -> Move:
        if wants_to_stop(heard.text):
            return self._cancelled(run, procedure)
        approval = procedure.definition.approval
        say = fill(approval.say, run.values) if approval else ""
        return Move(run, say, Outcome.ASKED, action=ActionState.AWAITING_APPROVAL, aside=True)

    def _confirmed(self, run: Run, procedure: Procedure) -> Move:
        approval = procedure.definition.approval
        if approval and (approval.when == "always" or Condition.parse(approval.when).holds(run.values)):
            return Move(
                replace(run, state=RunState.AWAITING_APPROVAL),
                fill(approval.say, run.values),
                Outcome.ASKED,
                action=ActionState.AWAITING_APPROVAL,
            )
        return Move(replace(run, state=RunState.ACTING), "", Outcome.ACTED, action=ActionState.SENT)

    async def _progress(self, run: Run, procedure: Procedure, heard: Heard) -> Move:
        """Fill what is known, ask for what is missing, then check and ask to confirm."""
        values = dict(run.values)
        proven = heard.verified and is_proven(procedure.definition, values["customer"])
        for slot in procedure.definition.slots:
            if slot.name not in values and not (slot.only_unverified and proven):
                return self._ask(replace(run, state=RunState.COLLECTING, values=values), slot)
        for check in procedure.definition.checks:
            failed = await self._check(check, procedure, values)
            if failed is not None:
                return self._check_failed(replace(run, values=values), check, failed)
        checked = replace(
            run,
            state=RunState.CONFIRMING,
            asking=None,
            attempts=0,
            values=values,
            confirm_digest=digest_of(procedure, values),
        )
        question = fill(procedure.definition.confirm, values)
        return Move(checked, question, Outcome.ASKED, action=ActionState.CONFIRMING, asks=True)

    async def _check(self, check: Check, procedure: Procedure, values: dict[str, Any]) -> str | None:
        """Call a check, keep its result, and return why it isn't met, or None."""
        arguments = fill_arguments(check.arguments, values, optional=True)
        result = await procedure.connector.call(check.call, arguments)
        if isinstance(result, Done):
            values[check.name] = dict(result.result)
        elif isinstance(result, Refused) and result.status < 500:
            values[check.name] = {"refused": True, "code": result.code}
            return "refused"
        else:
            return "unreachable"
        if check.require is not None and not Condition.parse(check.require).holds(values):
            return "not_met"
        return None

    def _check_failed(self, run: Run, check: Check, why: str) -> Move:
        if why == "unreachable" or check.otherwise is None:
            return self._hand_over(run, UNREACHABLE, "system_unavailable")
        text = fill(check.otherwise.say, run.values)
        if check.otherwise.then == "hand_over":
            return self._hand_over(run, text, f"check_{check.name}")
        ended = replace(run, state=RunState.CANCELLED, asking=None)
        return Move(ended, text, Outcome.ANSWERED, action=ActionState.CANCELLED)

    async def _undo(
        self,
        run: Run,
        procedure: Procedure,
        done: list[Step],
        values: Mapping[str, Any],
        *,
        turn_id: UUID | None,
    ) -> None:
        for step in reversed(done):
            if step.undo is None:
                continue
            effect = Effect(
                workflow=procedure.name,
                step=f"{step.name}.undo",
                operation=step.undo.call,
                arguments=fill_arguments(step.undo.arguments, values),
                once_per=f"{fill(procedure.definition.once_per, values)} {run.id}",
            )
            decided = await self._actions.perform(run, effect, procedure.connector, turn_id=turn_id)
            if decided.verdict is Verdict.DONE:
                await self._actions.take_back(run, effect_of(procedure, step, values))

    def _with_passing_values(self, run: Run, definition: Workflow, heard: Heard) -> Run:
        proven = heard.verified and is_proven(definition, run.values["customer"])
        found = said_in_passing(definition, heard.text, run.values, proven=proven)
        return replace(run, values={**run.values, **found})

    def _ask(self, run: Run, slot: Slot, *, text: str | None = None, aside: bool = False) -> Move:
        return Move(
            replace(run, asking=slot.name),
            text or slot.ask,
            Outcome.ASKED,
            slot=slot.name,
            asks=True,
            aside=aside,
        )

    def _cancelled(self, run: Run, procedure: Procedure) -> Move:
        ended = replace(run, state=RunState.CANCELLED, asking=None)
        return Move(
            ended,
            fill(procedure.definition.say.cancelled, run.values),
            Outcome.ANSWERED,
            action=ActionState.CANCELLED,
        )

    def _hand_over(self, run: Run, text: str, reason: str) -> Move:
        ended = replace(run, state=RunState.HANDED_OVER, asking=None)
        return Move(ended, text, Outcome.HANDED_OVER, hand_over=reason)


def proven_values(definition: Workflow, claims: Mapping[str, str]) -> dict[str, str]:
    """Return the slots that the customer's token fills. What is typed never takes their place."""
    return {
        slot.name: claim
        for slot in definition.slots
        if slot.from_customer and (claim := claims.get(slot.from_customer))
    }


def is_proven(definition: Workflow, claims: Mapping[str, Any]) -> bool:
    """Tell whether a verified customer's token fills every slot that it could.

    Only then may the proof that others are asked for be left out: a signed-in customer who has to type
    an account number could type somebody else's.
    """
    return all(claims.get(slot.from_customer) for slot in definition.slots if slot.from_customer)


def said_in_passing(
    definition: Workflow, text: str, known: Mapping[str, Any], *, proven: bool
) -> dict[str, str]:
    """Return values of slots that nobody asked for yet; one value fills one slot."""
    found: dict[str, str] = {}
    for slot in definition.slots:
        if slot.name in known or (slot.only_unverified and proven):
            continue
        value = find_in_passing(slot, text)
        if value and value not in known.values() and value not in found.values():
            found[slot.name] = value
    return found


def offer_text(procedure: Procedure) -> str:
    """Return the offer as a question that yes or no answers."""
    offer = procedure.definition.offer
    return offer if offer.rstrip().endswith("?") else f"{offer} {SHALL_I}"


def effect_of(procedure: Procedure, step: Step, values: Mapping[str, Any]) -> Effect:
    """Return the effect of a step with its arguments filled in."""
    return Effect(
        workflow=procedure.name,
        step=step.name,
        operation=step.call,
        arguments=fill_arguments(step.arguments, values),
        once_per=fill(procedure.definition.once_per, values),
    )


def fill_arguments(
    arguments: Arguments, values: Mapping[str, Any], *, optional: bool = False
) -> dict[str, Argument]:
    """Fill an operation's arguments; an optional one that stands for a value nobody gave is left out."""
    filled: dict[str, Argument] = {}
    for name, template in arguments.items():
        if not isinstance(template, str):
            filled[name] = template
        elif not (optional and template.startswith("{") and template.strip("{}").split(".")[0] not in values):
            filled[name] = fill(template, values)
    return filled


def digest_of(procedure: Procedure, values: Mapping[str, Any]) -> bytes:
    """Return what a confirmation is bound to: the steps and their arguments that are known beforehand."""
    known = set(values)
    bound = [
        [step.name, step.call, fill_arguments(step.arguments, values)]
        for step in procedure.definition.steps
        if all(not isinstance(text, str) or _names(text) <= known for text in step.arguments.values())
    ]
    once_per = fill(procedure.definition.once_per, values)
    return hashlib.sha256(canonical_json([procedure.name, once_per, bound])).digest()


def _names(template: str) -> set[str]:
    return {part.split("}")[0].split(".")[0] for part in template.split("{")[1:]}
