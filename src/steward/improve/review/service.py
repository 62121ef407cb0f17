"""Reviews: storing a person's judgement of a turn, and reading them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.errors import InvalidInput
from steward.base.ids import new_id
from steward.serve.conversations.errors import TurnNotFound

HEAVIEST = 1_000_000.0
"""The most turns that one review may stand for: squares of weights are summed and mustn't overflow."""

ReviewId = NewType("ReviewId", UUID)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person found; None means that they didn't judge it.

    `weight` is one over the chance that this turn was picked for review: the number of turns it stands
    for. Turns that somebody picked by hand have no such chance and get 1.
    """

    intent_right: bool | None = None
    misrouted: bool | None = None
    grounded: bool | None = None
    weight: float = 1.0
    guard_right: bool | None = None


@dataclass(frozen=True, slots=True)
class GuardMarks:
    """How often a rule of the guard stopped a message, and what people who looked at it found."""

    rule: str
    stopped: int
    judged: int
    wrong: int


@dataclass(frozen=True, slots=True)
class Review:
    """A stored judgement and who gave it."""

    id: ReviewId
    turn_id: UUID
    reviewer: UUID
    reviewer_name: str
    judgement: Judgement
    at: datetime


class Reviews:
    """The service; built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def record(self, turn_id: UUID, judgement: Judgement, *, reviewer: UUID) -> None:
        """Store a reviewer's judgement; a later one of the same reviewer replaces the earlier.

        Raises:
            TurnNotFound: there is no finished turn with this id.
            InvalidInput: nothing is judged, or the weight isn't a positive number.
        """
        verdicts = (
            judgement.intent_right, judgement.misrouted, judgement.grounded, judgement.guard_right,
        )  # fmt: skip
        if all(verdict is None for verdict in verdicts):
            raise InvalidInput(
                "the review says nothing: judge the intent, the routing, the ground or the guard"
            )
        if not 0 < judgement.weight <= HEAVIEST:
            raise InvalidInput(
                f"a review's weight must be above 0 and at most {HEAVIEST:,.0f}, not {judgement.weight}"
            )
        async with self._database.write() as session:
            stored = await session.execute(
                """insert into review (id, turn_id, conversation_id, reviewer, intent_right, misrouted,
                                       grounded, guard_right, weight, at)
                   select %s, t.id, t.conversation_id, %s, %s, %s, %s, %s, %s, %s from turn t where t.id = %s
                   on conflict (turn_id, reviewer) do update
                   set intent_right = excluded.intent_right, misrouted = excluded.misrouted,
                       grounded = excluded.grounded, guard_right = excluded.guard_right,
                       weight = excluded.weight, at = excluded.at""",
                (new_id(self._clock), reviewer, *verdicts, judgement.weight, self._clock.now(), turn_id),
            )
        if stored == 0:
            raise TurnNotFound(turn_id)

    async def of(self, turn_id: UUID) -> tuple[Review, ...]:
        """Return a turn's reviews, the latest first; figures use the latest alone."""
        async with self._database.read() as session:
            rows = await session.all(
                """select r.id, r.turn_id, r.reviewer, a.name, r.intent_right, r.misrouted, r.grounded,
                          r.weight, r.guard_right, r.at
                   from review r join account a on a.id = r.reviewer
                   where r.turn_id = %s order by r.at desc, r.id desc""",
                (turn_id,),
            )
        return tuple(
            Review(ReviewId(row[0]), row[1], row[2], row[3], Judgement(*row[4:9]), row[9]) for row in rows
        )

    async def guard_marks(self, *, since: datetime, until: datetime) -> tuple[GuardMarks, ...]:
        """Count what each rule of the guard stopped in a time, and how many of its stops were marked wrong.

        The latest review of a turn counts. Rules are in order of their marks, the worst first.
        """
        async with self._database.read() as session:
            rows = await session.all(
                """select t.guard_rule, count(*), count(r.guard_right),
                          count(*) filter (where r.guard_right = false)
                   from turn t
                   left join lateral (
                       select guard_right from review
                       where turn_id = t.id and guard_right is not null
                       order by at desc, id desc limit 1) r on true
                   where t.guard_rule is not null and t.started_at >= %s and t.started_at < %s
                   group by t.guard_rule order by 4 desc, 2 desc, 1""",
                (since, until),
            )
        return tuple(GuardMarks(*row) for row in rows)
