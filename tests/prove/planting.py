"""A customer with a past, written by the services that write it in life, and what identifies them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.base.ids import new_id
from steward.govern.privacy.contracts import CustomerId
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.claims import seal_claims
from steward.serve.conversations.contracts import Conversation, ConversationId, MessageRole, Speaker, TurnId
from steward.serve.conversations.queries import insert_conversation, lock_conversation
from steward.serve.conversations.speech import say
from steward.serve.conversations.turn_records import TurnRow, insert_turn
from steward.serve.turn.decisions import seal_decisions
from steward.serve.workflows.actions import ARGUMENTS, RESULT
from steward.serve.workflows.approvals import SUMMARY
from steward.serve.workflows.runs import VALUES

DETECTOR = Detector(mask=[("account", r"\bNL-\d{6}\b")])


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody invented, with values that would identify them."""

    reference: str
    name: str
    email: str
    phone: str
    card: str
    account: str
    pet: str = "Bartholomew Whiskerton"
    """A word that no masker knows: it stays in the text, which is sealed."""

    @property
    def values(self) -> tuple[str, ...]:
        """Everything that must be nowhere afterwards."""
        return (self.reference, self.name, self.email, self.phone, self.card, self.account, self.pet)


@dataclass(slots=True)
class Planted:
    """What was made for a person."""

    customer_id: CustomerId
    conversations: list[UUID] = field(default_factory=list)
    turns: list[UUID] = field(default_factory=list)
    runs: list[UUID] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Ground:
    """What plants stand on: a release, an account and a rollout."""

    release_id: str
    account_id: UUID
    rollout_id: UUID


async def make_ground(session: WriteSession, now: datetime, clock: Clock) -> Ground:
    """Write a release, an account and a rollout that has ended."""
    ground = Ground("r1", new_id(clock), new_id(clock))
    await session.execute(
        """insert into release (id, assistant, number, manifest, bundle, snapshot_id, created_at, created_by)
           values (%s, 'northline', 1, '{}', '', 's1', %s, 'test')""",
        (ground.release_id, now),
    )
    await session.execute(
        "insert into account (id, login, name, role, created_at) values (%s, 'sam', 'Sam', 'agent', %s)",
        (ground.account_id, now),
    )
    await session.execute(
        """insert into rollout (id, assistant, kind, candidate_release, baseline_release, baseline_kind, plan,
               state, created_by, created_at, ended_at)
           values (%s, 'northline', 'rollout', %s, %s, 'release', '{}', 'promoted', 'test', %s, %s)""",
        (ground.rollout_id, ground.release_id, ground.release_id, now, now),
    )
    return ground


async def plant(
    database: Database,
    vault: Vault,
    clock: Clock,
    ground: Ground,
    person: Person,
    *,
    conversations: int,
    at: datetime | None = None,
    verified: bool = True,
    state: str = "closed",
) -> Planted:
    """Give a person so many conversations, with one of everything that is kept about people in each."""
    async with database.write() as session:
        customer_id = await vault.open_customer(session, reference=person.reference, verified=verified)
        key = await vault.key_for(session, customer_id)
    planted = Planted(customer_id)
    for number in range(conversations):
        async with database.write() as session:
            writer = _Writer(
                session, vault, clock, ground, person, customer_id, key, at or clock.now(), planted
            )
            await writer.conversation(number, state=state)
    return planted


@dataclass(slots=True)
class _Writer:
    session: WriteSession
    vault: Vault
    clock: Clock
    ground: Ground
    person: Person
    customer_id: CustomerId
    key: CustomerKey
    at: datetime
    planted: Planted

    async def conversation(self, number: int, *, state: str) -> None:
        """Write a conversation and everything that hangs on it."""
        person = self.person
        identifier = ConversationId(new_id(self.clock))
        claims = {"name": person.name, "account": person.account}
        await insert_conversation(self.session, self._fresh(identifier), seal_claims(claims, self.key))
        turn_id = TurnId(new_id(self.clock))
        asked = (
            f"My name is {person.name}, mail {person.email}, phone {person.phone}, card {person.card}. "
            f"My cat {person.pet} ate invoice {number} of {person.account}."
        )
        message_id = await self._say(identifier, MessageRole.CUSTOMER, asked, turn_id)
        await self._say(identifier, MessageRole.ASSISTANT, f"I'm sorry to hear of {person.pet}.", turn_id)
        await self._say(identifier, MessageRole.HUMAN, f"Hello {person.name}, is it {person.email}?", None)
        await insert_turn(self.session, self._turn(identifier, turn_id, message_id))
        await self._feedback(identifier, turn_id)
        await self._run(identifier, turn_id, number)
        await self._staff(identifier, turn_id, number)
        await self.session.execute(
            """update conversation set state = %s, opened_at = %s, last_at = %s, transcript = %s,
                   closed_at = case when %s = 'closed' then %s::timestamptz end,
                   closed_by = case when %s = 'closed' then 'customer' end where id = %s""",
            (state, self.at, self.at, identifier.bytes, state, self.at, state, identifier),
        )
        self.planted.conversations.append(identifier)
        self.planted.turns.append(turn_id)

    def _fresh(self, identifier: ConversationId) -> Conversation:
        return Conversation(
            id=identifier, customer_id=self.customer_id, assistant="northline",
            release_id=self.ground.release_id, arm="baseline", channel="web", locale="en-GB", verified=True,
            simulated=False, state="open", speaker=Speaker.ASSISTANT, speaker_account=None, epoch=0,
            turn_id=None, category=None, intent=None, opened_at=self.at, last_at=self.at, closed_at=None,
            resolved=None,
        )  # fmt: skip

    async def _say(
        self, conversation: ConversationId, role: MessageRole, text: str, turn_id: TurnId | None
    ) -> UUID:
        masked = await self.vault.mask(self.session, self.customer_id, text, detector=DETECTOR)
        locked = await lock_conversation(self.session, conversation)
        assert locked is not None
        return await say(
            self.session, locked, key=self.key, clock=self.clock, role=role, text=masked.text,
            seq=locked.next_seq, turn_id=turn_id, announce=False,
        )  # fmt: skip

    def _turn(self, conversation: UUID, turn_id: TurnId, message_id: UUID) -> TurnRow:
        decisions = [{"stage": "guard", "reason": f"because of {self.person.pet}"}]
        return TurnRow(
            id=turn_id, conversation_id=conversation, message_id=message_id,
            release_id=self.ground.release_id, assistant="northline", arm="baseline", channel="web",
            simulated=False, outcome="answered", reason="evidence", intent="bill", confidence=0.9,
            in_scope=0.9, out_of_scope=False, category="billing", risk="low", override=False,
            guard_rule=None, guard_score=None, masked_count=4, evidence=0.8, passages=[], cited=[],
            model=None, route=None, workflow=None, workflow_run_id=None, sentences_sent=1,
            sentences_dropped=0, resumed=False, prompt_tokens=None, completion_tokens=None,
            cost=Decimal(0), currency="GBP", receive_ms=1.0, mask_ms=1.0, understand_ms=1.0, guard_ms=1.0,
            retrieve_ms=1.0, generate_ms=1.0, verify_ms=1.0, act_ms=1.0, record_ms=1.0,
            first_token_ms=1.0, total_ms=9.0, decisions=seal_decisions(self.key, decisions),
            started_at=self.at, finished_at=self.at,
        )  # fmt: skip

    async def _feedback(self, conversation: UUID, turn_id: UUID) -> None:
        comment = self.key.seal(f"{self.person.name} wasn't helped", "feedback.comment")
        await self.session.execute(
            """insert into feedback (id, conversation_id, turn_id, csat, comment_sealed, at)
               values (%s, %s, %s, 2, %s, %s)""",
            (new_id(self.clock), conversation, turn_id, comment, self.at),
        )

    async def _run(self, conversation: UUID, turn_id: UUID, number: int) -> None:
        run_id, key = new_id(self.clock), self.key
        arguments = json.dumps({"account": self.person.account, "email": self.person.email})
        await self.session.execute(
            """insert into workflow_run (id, conversation_id, customer_id, release_id, workflow, state,
                   values_sealed, confirm_digest, created_at, updated_at)
               values (%s, %s, %s, %s, 'refund', 'done', %s, %s, %s, %s)""",
            (run_id, conversation, self.customer_id, self.ground.release_id, key.seal(arguments, VALUES),
             b"d", self.at, self.at),
        )  # fmt: skip
        await self.session.execute(
            """insert into action (id, run_id, conversation_id, turn_id, workflow, step, operation,
                   idempotency_key, arguments_sealed, arguments_digest, state, result_sealed, created_at,
                   decided_at)
               values (%s, %s, %s, %s, 'refund', 'pay', 'refund', %s, %s, %s, 'done', %s, %s, %s)""",
            (new_id(self.clock), run_id, conversation, turn_id, f"refund.{self.customer_id}.{number}",
             key.seal(arguments, ARGUMENTS), b"a", key.seal("{}", RESULT), self.at, self.at),
        )  # fmt: skip
        await self.session.execute(
            """insert into approval (id, run_id, role, summary_sealed, arguments_digest, state, asked_at)
               values (%s, %s, 'agent', %s, %s, 'approved', %s)""",
            (new_id(self.clock), run_id, key.seal(f"Refund {self.person.name}", SUMMARY), b"d", self.at),
        )
        self.planted.runs.append(run_id)

    async def _staff(self, conversation: UUID, turn_id: UUID, number: int) -> None:
        await self.session.execute(
            """insert into handover (id, conversation_id, turn_id, queue, reason, asked_at, taken_at,
                   ended_at)
               values (%s, %s, %s, 'billing', 'asked', %s, %s, %s)""",
            (new_id(self.clock), conversation, turn_id, self.at, self.at, self.at),
        )
        await self.session.execute(
            """insert into review (id, turn_id, conversation_id, reviewer, grounded, at)
               values (%s, %s, %s, %s, true, %s)""",
            (new_id(self.clock), turn_id, conversation, self.ground.account_id, self.at),
        )
        await self.session.execute(
            """insert into assignment (rollout_id, phase, customer_id, conversation_id, arm, category, at)
               values (%s, %s, %s, %s, 'baseline', 'billing', %s)""",
            (self.ground.rollout_id, number, self.customer_id, conversation, self.at),
        )
        await self.session.execute(
            """insert into shadow_turn (rollout_id, turn_id, state, begun_at, currency, baseline_outcome,
                   baseline_sent, baseline_dropped, baseline_ms)
               values (%s, %s, 'compared', %s, 'GBP', 'answered', 1, 0, 9.0)""",
            (self.ground.rollout_id, turn_id, self.at),
        )


PEOPLE: Sequence[Person] = (
    Person(
        "NL-482913", "Imogen Featherstonehaugh", "imogen.f@quillmail.example", "07700 900417",
        "4539 1488 0343 6467", "NL-482913",
    ),
    Person(
        "NL-771204", "Tobias Ravenscroft", "tobias.r@inkwell.example", "07700 900582",
        "5425 2334 3010 9903", "NL-771204", pet="Sir Pouncealot Greaves",
    ),
)  # fmt: skip
