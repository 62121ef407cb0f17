"""Which release answers a conversation: assignment at its first matter, and the way back to the baseline.

A conversation starts on the release that its lane serves. Its first matter, as the baseline understands
it, decides whether it takes part in a rollout; it is assigned once and stays in its arm. It leaves the
candidate when the rollout or its category is rolled back, or when it comes to a category that doesn't
take part. Traffic is read under a lock that whoever changes it takes alone.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.serve.conversations.contracts import Conversation
from steward.serve.conversations.queries import Locked
from steward.serve.turn.receive import Received
from steward.serve.turn.understand import Understood
from steward.supply.releases.assignment import (
    Arm,
    Assigned,
    Baseline,
    BaselineKind,
    Seeker,
    Split,
    Traffic,
    assign,
)
from steward.supply.releases.errors import NothingServed
from steward.supply.releases.traffic import TrafficControl

STAFF_CLAIM: Final = "staff"
"""Claim of a signed customer token that makes its bearer one of the company's own people."""
_STAFF_VALUES: Final = frozenset({"true", "yes", "1"})

_ASSIGN = """
    with first as (
        insert into assignment (rollout_id, phase, customer_id, conversation_id, arm, category, at)
        select %(rollout)s::uuid, %(phase)s::int, %(customer)s, %(conversation)s, %(arm)s, %(category)s,
               %(at)s
        where %(rollout)s::uuid is not null and %(compared)s
        on conflict do nothing returning 1)
    update conversation
    set arm = %(arm)s, release_id = %(release)s, rollout_id = %(rollout)s::uuid, phase = %(phase)s::int,
        assigned_at = %(at)s, assigned_category = %(category)s, counted = exists (select from first)
    where id = %(conversation)s and assigned_at is null"""
_PROMOTED = "select from rollout where id = %(rollout)s and state = 'promoted'"
_MOVE = """
    update conversation set release_id = %(release)s, moved_at = %(at)s, moved_because = %(because)s
    where id = %(conversation)s"""
_VOID = """
    update workflow_run set state = 'cancelled', updated_at = %(at)s
    where conversation_id = %(conversation)s and state in ('offered', 'collecting', 'confirming')
    returning workflow"""


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a conversation stands when a message comes in.

    `voided` names the workflow whose unconfirmed run ended with the candidate and is to be asked again.
    """

    locked: Locked
    traffic: Traffic
    voided: str | None = None


class Placing:
    """Reads traffic and keeps conversations in their place; built once by the composition root."""

    def __init__(self, *, database: Database, traffic: TrafficControl, clock: Clock, assistant: str) -> None:
        self._database = database
        self._traffic = traffic
        self._clock = clock
        self._assistant = assistant
        self._known: dict[bool, Traffic] = {}

    def candidates(self) -> frozenset[str]:
        """Return the releases that turns may come to be answered by: what to have ready."""
        return frozenset(known.split.candidate for known in self._known.values() if known.split is not None)

    async def enter(self, session: WriteSession) -> frozenset[bool]:
        """Keep divided traffic as it is while a message is taken in; return the lanes that are kept.

        Costs nothing where no traffic is divided.
        """
        divided = frozenset(lane for lane, known in self._known.items() if known.split is not None)
        for lane in sorted(divided):
            await self._traffic.enter(session, self._assistant, simulated=lane)
        return divided

    async def place(self, session: WriteSession, locked: Locked, *, kept: frozenset[bool]) -> Placed:
        """Return the conversation as it is to be answered now, moved to the baseline if it has to be.

        Args:
            session: the transaction that stores the message.
            locked: its conversation.
            kept: the lanes that `enter` returned.
        """
        traffic = await self._as_of(session, locked, kept)
        conversation = locked.conversation
        if conversation.pinned or not _has_left(conversation, traffic):
            return Placed(locked, traffic)
        if await self._was_promoted(session, conversation):
            return Placed(locked, traffic)
        moved, voided = await self._move(session, conversation, traffic, because="rolled_back")
        return Placed(replace(locked, conversation=moved), traffic, voided)

    async def settle(self, received: Received, category: str, *, is_matter: bool) -> Received:
        """Assign a conversation at its first matter, or move it off the candidate for a category.

        Args:
            received: the message, understood on the baseline.
            category: its category by the baseline's classifier.
            is_matter: whether it says what the customer wants.
        """
        conversation, known = received.conversation, received.traffic
        if conversation.pinned or not is_matter or (known.split is None and known.holdout is None):
            return received
        if not conversation.assigned:
            return await self._assign(received, category) if conversation.category is None else received
        if _is_on_candidate(conversation, known.split) and category not in _categories(known.split):
            async with self._database.write() as session:
                moved, voided = await self._move(session, conversation, known, because="category")
            return replace(received, conversation=moved, voided=voided, run=None if voided else received.run)
        return received

    async def _was_promoted(self, session: WriteSession, conversation: Conversation) -> bool:
        """Tell whether the candidate was promoted and another has followed it: its conversations stay."""
        row = await session.one(_PROMOTED, {"rollout": conversation.rollout_id})
        return row is not None

    async def refresh(self) -> None:
        """Read both lanes, so that a change is known before the next turn comes."""
        async with self._database.read() as session:
            for simulated in (False, True):
                with suppress(NothingServed):
                    self._known[simulated] = await self._traffic.current(
                        session, self._assistant, simulated=simulated
                    )

    async def _as_of(self, session: WriteSession, locked: Locked, kept: frozenset[bool]) -> Traffic:
        """Return the lane's traffic of the generation that was read with the conversation, or a later one.

        Divided traffic is read again where its lane isn't kept: it was divided while this began.
        """
        simulated = locked.conversation.simulated
        known = self._known.get(simulated)
        if (
            known is None
            or known.generation != locked.generation
            or (known.split is not None and simulated not in kept)
        ):
            known = await self._read(session, simulated=simulated)
        return known

    async def _read(self, session: WriteSession, *, simulated: bool) -> Traffic:
        await self._traffic.enter(session, self._assistant, simulated=simulated)
        known = await self._traffic.current(session, self._assistant, simulated=simulated)
        self._known[simulated] = known
        return known

    async def _assign(self, received: Received, category: str) -> Received:
        conversation = received.conversation
        seeker = Seeker(
            conversation.customer_id,
            category,
            conversation.channel,
            is_staff(received.claims.get(STAFF_CLAIM)),
        )
        async with self._database.write() as session:
            # A crash may lose this; the turn is then taken up again and comes to the same arm.
            await session.execute("set local synchronous_commit = off")
            traffic = await self._read(session, simulated=conversation.simulated)
            assigned = assign(traffic, seeker)
            if assigned is None:
                return replace(received, traffic=traffic)
            await session.execute(_ASSIGN, self._values(conversation, assigned, category))
        placed = replace(
            conversation,
            arm=assigned.arm.value,
            release_id=assigned.release_id,
            rollout_id=assigned.rollout_id,
            phase=assigned.phase,
            assigned=True,
            assigned_category=category,
        )
        return replace(received, conversation=placed, traffic=traffic)

    def _values(self, conversation: Conversation, assigned: Assigned, category: str) -> dict[str, object]:
        return {
            "rollout": assigned.rollout_id,
            "phase": assigned.phase,
            "customer": conversation.customer_id,
            "conversation": conversation.id,
            "arm": assigned.arm.value,
            "compared": assigned.compared,
            "category": category,
            "release": assigned.release_id,
            "at": self._clock.now(),
        }

    async def _move(
        self, session: WriteSession, conversation: Conversation, traffic: Traffic, *, because: str
    ) -> tuple[Conversation, str | None]:
        """Put a conversation on the baseline; what it was asked and hasn't confirmed is asked again there."""
        values = {
            "release": traffic.release_id,
            "at": self._clock.now(),
            "because": because,
            "conversation": conversation.id,
        }
        await session.execute(_MOVE, values)
        voided = await session.one(_VOID, {"at": values["at"], "conversation": conversation.id})
        moved = replace(conversation, release_id=traffic.release_id, moved=True)
        return moved, None if voided is None else str(voided[0])


def answerer_of(conversation: Conversation, traffic: Traffic) -> Baseline:
    """Return what answers a conversation: its release, or what the company had before Steward."""
    if conversation.pinned:
        return Baseline()
    if conversation.arm == Arm.CANDIDATE and conversation.assigned and not conversation.moved:
        return Baseline()
    if conversation.arm == Arm.HOLDOUT and traffic.holdout is not None:
        return traffic.holdout.baseline
    return traffic.baseline


def answers_itself(received: Received) -> bool:
    """Tell whether a release answers, and not what the company had before."""
    return answerer_of(received.conversation, received.traffic).kind is BaselineKind.RELEASE


def names_a_matter(understood: Understood) -> bool:
    """Tell whether a message says what it is about; greetings, thanks and calls for a human don't."""
    intent = understood.intent
    return not (
        understood.out_of_scope
        or understood.override is not None
        or understood.language is not None
        or understood.empty
        or understood.wordless
        or intent.reply
        or intent.hand_over
    )


def is_staff(claim: str | None) -> bool:
    """Read the claim that marks the company's own people."""
    return claim is not None and claim.strip().lower() in _STAFF_VALUES


def _categories(split: Split | None) -> frozenset[str]:
    return frozenset() if split is None else split.categories


def _is_on_candidate(conversation: Conversation, split: Split | None) -> bool:
    return (
        conversation.arm == Arm.CANDIDATE
        and not conversation.moved
        and split is not None
        and split.rollout_id == conversation.rollout_id
    )


def _has_left(conversation: Conversation, traffic: Traffic) -> bool:
    """Tell whether a conversation is on a candidate that doesn't answer it any longer."""
    if conversation.arm != Arm.CANDIDATE or not conversation.assigned or conversation.moved:
        return False
    if conversation.release_id == traffic.release_id and traffic.baseline.kind is BaselineKind.RELEASE:
        return False
    stays = _is_on_candidate(conversation, traffic.split)
    return not stays or conversation.assigned_category not in _categories(traffic.split)
