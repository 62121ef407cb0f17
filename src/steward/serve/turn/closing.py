"""The end of a turn: its last words and its row, in one commit under the lease."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import Done, Event, Outcome
from steward.serve.conversations.queries import Lease, NewMessage
from steward.serve.conversations.turn_ends import end_silently, end_turn
from steward.serve.desk.requests import request_human
from steward.serve.turn.course import Course
from steward.serve.turn.endings import Ending
from steward.serve.turn.record import Ended, ended
from steward.serve.turn.timing import Stage
from steward.serve.workflows.approvals import Approvals
from steward.serve.workflows.runs import Runs


class Closing:
    """Ends turns; built once by the composition root."""

    def __init__(
        self, *, database: Database, vault: Vault, clock: Clock, runs: Runs, approvals: Approvals
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._runs = runs
        self._approvals = approvals

    async def end(self, course: Course, ending: Ending) -> AsyncIterator[Event]:
        """Say the last words and record the turn; yield what to deliver, `Done` last.

        Raises:
            LeaseLost: somebody else holds the word; nothing was stored.
        """
        done, delivered = await self._commit(course, ending)
        for event in delivered:
            yield event
        yield done

    async def _commit(self, course: Course, ending: Ending) -> tuple[Done, tuple[Event, ...]]:
        findings, notes = course.findings, course.notes
        findings.sent += ending.sentences_said
        notes.decide(Stage.RECORD, ending.outcome.value, reason=ending.reason)
        finished: list[Done] = []
        begun = time.perf_counter()

        async def before(session: WriteSession) -> tuple[Event, ...]:
            assert ending.queue is not None
            return (
                await request_human(
                    session,
                    course.received.conversation.id,
                    turn_id=course.received.turn_id,
                    queue=ending.queue,
                    reason=ending.reason,
                    priority=ending.priority,
                    clock=self._clock,
                ),
            )

        async def together(session: WriteSession) -> None:
            assert ending.run is not None
            await self._runs.save(session, ending.run)
            await self._ask_approval(session, course, ending)

        async def last(session: WriteSession, lease: Lease, message: NewMessage | None) -> bool:
            notes.spoke()
            notes.add(Stage.RECORD, time.perf_counter() - begun)
            turn = self._ended(course, ending.outcome, ending.reason)
            finished.append(turn.done)
            return await end_turn(session, lease, turn.row, turn.settled, message)

        delivered = await course.voice.say(
            ending.text,
            ending.events,
            verified=ending.verified,
            separator=ending.separator,
            before=None if ending.queue is None else before,
            together=None if ending.run is None else together,
            last=last,
        )
        return finished[0], delivered

    async def _ask_approval(self, session: WriteSession, course: Course, ending: Ending) -> None:
        if ending.approval_summary is None or ending.run is None:
            return
        approval = course.runtime.procedures[ending.run.workflow].definition.approval
        assert approval is not None
        summary = await self._vault.mask(
            session, ending.run.customer_id, ending.approval_summary, detector=course.runtime.detector
        )
        await self._approvals.ask(session, ending.run, role=approval.role, summary=summary.text)

    async def fall_silent(self, course: Course) -> Done:
        """Record a turn whose word was taken away; nothing more is said."""
        course.notes.decide(Stage.RECORD, Outcome.SILENT.value, reason="taken_over")
        turn = self._ended(course, Outcome.SILENT, "taken_over")
        async with self._database.write() as session:
            await end_silently(session, turn.row, turn.settled)
        return turn.done

    def _ended(self, course: Course, outcome: Outcome, reason: str) -> Ended:
        return ended(
            course.received,
            course.findings,
            course.notes,
            course.runtime,
            outcome=outcome,
            reason=reason,
            started_at=course.started_at,
            clock=self._clock,
        )
