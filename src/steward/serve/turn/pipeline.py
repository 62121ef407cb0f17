"""The order of the stages, the deadlines and the fallbacks.

Read `Pipeline.answer` from top to bottom: each step may end the turn. Whatever ends it says its last
words and stores the turn's row in one commit, in `_end`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from steward.base.clock import Clock
from steward.base.db.contracts import Database, WriteSession
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import (
    ActionChanged,
    ActionState,
    Citation,
    Done,
    Event,
    MessageRole,
    Outcome,
    Question,
    Status,
)
from steward.serve.desk.opening_hours import hand_over_text
from steward.serve.desk.requests import request_human
from steward.serve.turn.act import Acting, workflow_to_offer
from steward.serve.turn.answering import Answerer, Sentence
from steward.serve.turn.guard import Guarded, Reaction, guard, nearly_equal
from steward.serve.turn.receive import Received
from steward.serve.turn.record import Findings, record
from steward.serve.turn.retrieve import retrieve
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.timing import Notes, Stage
from steward.serve.turn.understand import Understood, asks_for_human, understand
from steward.serve.turn.voice import Voice, WordLost
from steward.serve.workflows.approvals import Approvals
from steward.serve.workflows.consent import is_bare_answer
from steward.serve.workflows.contracts import Move, Run, RunState
from steward.serve.workflows.runs import Runs

NOTHING_UNDERSTOOD = "I didn't get any words there. What can I help you with?"
NOTHING_OPEN = "Glad to help. What is it about?"
WENT_WRONG = "Something went wrong on our side, so I'm passing you to a colleague."
HIGH_PRIORITY = 1
DECIDED_ELSEWHERE = frozenset({RunState.AWAITING_APPROVAL, RunState.ACTING, RunState.UNKNOWN})
"""Runs that a hand-over leaves as they are: the desk or the system of record has yet to decide them."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ends: its last words and what is stored with them."""

    outcome: Outcome
    reason: str
    text: str = ""
    events: tuple[Event, ...] = ()
    separator: str = " "
    run: Run | None = None
    approval_summary: str | None = None
    queue: str | None = None
    priority: str = "normal"


@dataclass(slots=True)
class Course:
    """One turn under way: what it answers, with what, and what it has found out."""

    received: Received
    runtime: Runtime
    notes: Notes
    voice: Voice
    started_at: datetime
    findings: Findings = field(default_factory=Findings)


class Pipeline:
    """Answers one received message; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        clock: Clock,
        acting: Acting,
        runs: Runs,
        approvals: Approvals,
        answerer: Answerer,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._acting = acting
        self._runs = runs
        self._approvals = approvals
        self._answerer = answerer

    async def run(self, received: Received, runtime: Runtime, notes: Notes) -> AsyncIterator[Event]:
        """Yield the turn's events; the last is `Done`. A take-over ends the turn in silence."""
        voice = Voice(
            received,
            database=self._database,
            vault=self._vault,
            clock=self._clock,
            detector=runtime.detector,
        )
        course = Course(received, runtime, notes, voice, self._clock.now())
        course.findings.citations = [item for item in received.sent_events if isinstance(item, Citation)]
        course.findings.sent = len(received.sent)
        try:
            async for event in self.answer(course):
                yield event
        except WordLost:
            yield await self._fall_silent(course)

    async def answer(self, course: Course) -> AsyncIterator[Event]:
        """Take the message through the stages."""
        received, runtime, notes, findings = course.received, course.runtime, course.notes, course.findings

        yield Status(Stage.UNDERSTAND.value)
        with notes.stage(Stage.UNDERSTAND):
            understood = findings.understood = await understand(
                received.text, runtime, before=received.last_customer_text, embedding=received.embedding
            )
        self._note_understood(course, understood)
        if received.run is not None and received.run.state is RunState.ACTING:
            async for event in self._act(course, received.run):
                yield event
            return
        yield Status(Stage.GUARD.value)
        with notes.stage(Stage.GUARD):
            earlier = () if received.run else received.customer_texts
            guarded = findings.guarded = guard(
                received.text, understood.vector, earlier, runtime.guard_rules,
                out_of_scope=understood.out_of_scope,
            )  # fmt: skip
        notes.decide(Stage.GUARD, guarded.reaction.value, rule=guarded.rule, score=guarded.score)
        if (ending := self._guarded_or_human(course, understood, guarded)) is not None:
            async for event in self._end(course, ending):
                yield event
            return
        if (ending := self._not_for_reading(course, understood)) is not None:
            async for event in self._end(course, ending):
                yield event
            return

        if received.run is not None:
            async for event in self._go_on_with_run(course, received.run, understood):
                yield event
            return
        async for event in self._answer_from_knowledge(course, understood):
            yield event

    # ------------------------------------------------------------ what ends a turn before knowledge

    def _note_understood(self, course: Course, understood: Understood) -> None:
        course.notes.decide(
            Stage.UNDERSTAND,
            "intent",
            intent=understood.intent.name,
            confidence=round(understood.confidence, 4),
            alternatives=[
                [item.label, round(item.confidence, 4)] for item in understood.prediction.ranked[1:]
            ],
            out_of_scope=understood.out_of_scope,
            override=understood.override,
            language=understood.language,
        )

    def _guarded_or_human(self, course: Course, understood: Understood, guarded: Guarded) -> Ending | None:
        """End the turn for a risk, a word that asks for a human, an attack or that intent, in this order.

        Whoever asks for a human always gets one, whatever else the message says; where there is a
        risk as well, with that risk's words and priority.
        """
        if guarded.reaction is Reaction.HAND_OVER:
            return self._guarded_ending(course, guarded)
        if understood.override is not None:
            return self._hand_over(course, "override_word")
        if guarded.reaction is not Reaction.PASS:
            return self._guarded_ending(course, guarded)
        if asks_for_human(understood):
            return self._hand_over(course, "asked_for_human")
        return None

    def _guarded_ending(self, course: Course, guarded: Guarded) -> Ending:
        rule = guarded.rule or "guard"
        match guarded.reaction:
            case Reaction.HAND_OVER:
                return self._hand_over(
                    course, rule, text=guarded.reply, priority=guarded.priority, queue=guarded.queue
                )
            case Reaction.REPLY:
                return Ending(Outcome.ANSWERED, rule, guarded.reply or "")
            case _:
                return Ending(Outcome.REFUSED, rule, guarded.reply or "")

    def _not_for_reading(self, course: Course, understood: Understood) -> Ending | None:
        """End the turn for messages that hold nothing to read, or not in English."""
        if course.received.waiting_priority is not None and course.received.waiting_priority >= HIGH_PRIORITY:
            return self._hand_over(course, "waiting_for_human")
        if understood.empty or (understood.wordless and course.received.run is None):
            return Ending(
                Outcome.ASKED, "nothing_said", NOTHING_UNDERSTOOD, (Question(None, NOTHING_UNDERSTOOD),)
            )
        if course.received.run is None and is_bare_answer(course.received.text) and not understood.sure:
            return Ending(Outcome.ASKED, "nothing_open", NOTHING_OPEN, (Question(None, NOTHING_OPEN),))
        if understood.language is not None:
            sentence = course.runtime.folder.assistant.other_languages.get(understood.language)
            if sentence is None:
                return self._hand_over(course, "language")
            return Ending(Outcome.REFUSED, "language", sentence)
        return None

    def _hand_over(
        self,
        course: Course,
        reason: str,
        *,
        text: str | None = None,
        priority: str = "normal",
        queue: str | None = None,
        run: Run | None = None,
        separator: str = " ",
    ) -> Ending:
        folder, understood = course.runtime.folder, course.findings.understood
        by_category = understood.category.queue if understood and not understood.out_of_scope else None
        opened = course.received.run
        if run is None and opened is not None and opened.state not in DECIDED_ELSEWHERE:
            run = replace(opened, state=RunState.HANDED_OVER, asking=None)
        return Ending(
            Outcome.HANDED_OVER,
            reason,
            text or hand_over_text(folder, self._clock.now()),
            run=run,
            queue=queue or by_category or folder.desk.default_queue,
            priority=priority,
            separator=separator,
        )

    # ------------------------------------------------------------ workflows

    async def _go_on_with_run(self, course: Course, run: Run, understood: Understood) -> AsyncIterator[Event]:
        yield Status(Stage.ACT.value)
        with course.notes.stage(Stage.ACT):
            move = await self._acting.hear(course.received, understood, run, course.runtime)
        course.findings.workflow, course.findings.run_id = run.workflow, run.id
        course.notes.decide(
            Stage.ACT, "workflow", workflow=run.workflow, was=run.state.value, now=move.run.state.value,
            aside=move.aside, asks=move.slot,
        )  # fmt: skip
        if move.aside:
            async for event in self._answer_from_knowledge(course, understood, reminder=move):
                yield event
        elif move.run.state is RunState.ACTING:
            yield ActionChanged(
                run.workflow, ActionState.SENT, course.runtime.procedures[run.workflow].definition.title
            )
            async for event in self._act(course, move.run):
                yield event
        else:
            async for event in self._end(course, self._moved(course, move)):
                yield event

    async def _act(self, course: Course, run: Run) -> AsyncIterator[Event]:
        course.findings.workflow, course.findings.run_id = run.workflow, run.id
        with course.notes.stage(Stage.ACT):
            move = await self._acting.act(course.received, run, course.runtime)
        course.notes.decide(Stage.ACT, "acted", workflow=run.workflow, now=move.run.state.value)
        async for event in self._end(course, self._moved(course, move)):
            yield event

    def _moved(self, course: Course, move: Move, *, separator: str = " ") -> Ending:
        """Turn the engine's move into the turn's ending."""
        if move.hand_over is not None:
            ending = self._hand_over(
                course, move.hand_over, text=move.text, run=move.run, separator=separator
            )
            return replace(ending, events=action_events(move))
        events: list[Event] = [*action_events(move)]
        if move.asks:
            events.append(Question(move.slot, move.text))
        waiting = move.run.state is RunState.AWAITING_APPROVAL
        return Ending(
            move.outcome,
            f"workflow_{move.run.state.value}",
            move.text,
            tuple(events),
            separator,
            run=move.run,
            approval_summary=move.text if waiting else None,
        )

    # ------------------------------------------------------------ knowledge

    async def _answer_from_knowledge(
        self, course: Course, understood: Understood, *, reminder: Move | None = None
    ) -> AsyncIterator[Event]:
        """Answer from passages; then offer a workflow, or go back to the one that is open."""
        received, runtime, findings = course.received, course.runtime, course.findings
        after = reminder
        if (
            understood.intent.reply
            and not understood.out_of_scope
            and understood.confidence >= float(runtime.folder.guardrails.confidence.offer_workflow)
        ):
            async for event in self._say_then_move(course, understood.intent.reply, after):
                yield event
            return
        yield Status(Stage.RETRIEVE.value)
        with course.notes.stage(Stage.RETRIEVE):
            evidence = findings.evidence = await retrieve(
                received, understood, runtime, today=self._clock.now().date()
            )
        course.notes.decide(
            Stage.RETRIEVE, "weak" if evidence.weak else "found", strength=round(evidence.strength, 4),
            passages=[[item.id, item.title, round(item.score, 4)] for item in evidence.passages],
        )  # fmt: skip
        offered = workflow_to_offer(understood, runtime, received.run)
        if after is None and offered is not None:
            findings.workflow = offered
            after = await self._acting.propose(received, offered, runtime)
        if evidence.weak:
            async for event in self._end(course, self._weak_ending(course, understood, after)):
                yield event
            return
        async for event in self._say_answer(course, understood, after):
            yield event

    def _weak_ending(self, course: Course, understood: Understood, after: Move | None) -> Ending:
        """Without evidence: go on with the workflow, say that it's nobody's business, ask back, hand over."""
        guardrails = course.runtime.folder.guardrails
        if after is not None and after.text:
            return self._moved(course, after)
        run = after.run if after else None
        if understood.out_of_scope:
            return Ending(Outcome.REFUSED, "out_of_scope", guardrails.out_of_scope_reply, run=run)
        if course.received.asked_back == 0:
            course.findings.asked_back = True
            question = guardrails.evidence.ask_back
            return Ending(Outcome.ASKED, "weak_evidence", question, (Question(None, question),), run=run)
        return self._hand_over(course, "weak_evidence", run=run)

    async def _say_answer(
        self, course: Course, understood: Understood, after: Move | None
    ) -> AsyncIterator[Event]:
        """Say verified sentences as they become ready; the last ones share the turn's final commit."""
        held: list[Sentence] = []
        async with self._answerer.sentences(
            course.received, course.runtime, course.notes, course.findings
        ) as batches:
            async for batch, last in batches:
                held.extend(batch)
                if last or not held:
                    continue
                for event in await self._say(course, held):
                    yield event
                held = []
        findings = course.findings
        proposed = findings.proposed
        if after is None and proposed is not None and proposed in course.runtime.procedures:
            findings.workflow = proposed
            after = await self._acting.propose(course.received, proposed, course.runtime)
        if findings.sent == 0 and not held:
            async for event in self._end(course, self._unanswered(course, after)):
                yield event
            return
        text, citations = self._compose(course, held)
        if self._said_before(course, text):
            async for event in self._end(course, self._hand_over(course, "same_answer_again")):
                yield event
            return
        outcome = Outcome.FELL_BACK if findings.route == "verification failed" else Outcome.ANSWERED
        if findings.route == "cut off by verification":
            ending = self._hand_over(course, "answer_cut_off", separator="\n\n")
        elif after is not None and after.text:
            moved = self._moved(course, after, separator="\n\n")
            body = f"{text}\n\n{moved.text}" if text else moved.text
            ending = replace(
                moved,
                outcome=outcome if moved.outcome is not Outcome.HANDED_OVER else moved.outcome,
                text=body,
                events=(*citations, *moved.events),
                separator="\n\n" if not text else " ",
            )
        else:
            reason = findings.route or "answered"
            ending = Ending(outcome, reason, text, citations, run=after.run if after else None)
        async for event in self._end(course, ending):
            yield event

    async def _say_then_move(self, course: Course, text: str, after: Move | None) -> AsyncIterator[Event]:
        if after is None or not after.text:
            ending = Ending(Outcome.ANSWERED, "fixed_reply", text, run=after.run if after else None)
        else:
            moved = self._moved(course, after)
            ending = replace(moved, text=f"{text}\n\n{moved.text}")
        async for event in self._end(course, ending):
            yield event

    def _unanswered(self, course: Course, after: Move | None) -> Ending:
        if after is not None and after.text:
            return self._moved(course, after)
        return self._hand_over(course, "nothing_verified", run=after.run if after else None)

    def _said_before(self, course: Course, text: str) -> bool:
        """Tell whether nearly the same question would get the same answer a second time."""
        plain, received = text.strip(), course.received
        if not plain or course.findings.sent:
            return False
        if not any(nearly_equal(received.text, earlier) for earlier in received.customer_texts):
            return False
        said = (said.text for said in received.history if said.role is MessageRole.ASSISTANT)
        return any(plain in earlier for earlier in said)

    async def _say(self, course: Course, sentences: Sequence[Sentence]) -> tuple[Event, ...]:
        text, citations = self._compose(course, sentences)
        delivered = await course.voice.say(text, citations)
        course.findings.sent += len(sentences)
        course.notes.spoke()
        return delivered

    def _compose(self, course: Course, sentences: Sequence[Sentence]) -> tuple[str, tuple[Citation, ...]]:
        """Write sentences with their citation marks, numbered in the order of first use."""
        known = course.findings.citations
        fresh: list[Citation] = []
        text = ""
        for sentence in sentences:
            marks = ""
            for passage in sentence.cited:
                citation = next((item for item in known if item.passage == passage.id), None)
                if citation is None:
                    citation = Citation(
                        len(known) + 1, passage.document_path, passage.id, passage.title, passage.source_url
                    )
                    known.append(citation)
                    fresh.append(citation)
                marks += f" [{citation.index}]"
            text += f"{sentence.text}{marks}{sentence.ending}"
        return text.rstrip(), tuple(fresh)

    # ------------------------------------------------------------ the end

    async def _end(self, course: Course, ending: Ending) -> AsyncIterator[Event]:
        """Say the last words and record the turn, in one commit."""
        with course.notes.stage(Stage.RECORD):
            done, delivered = await self._commit(course, ending)
        for event in delivered:
            yield event
        yield done

    async def _commit(self, course: Course, ending: Ending) -> tuple[Done, tuple[Event, ...]]:
        findings, notes = course.findings, course.notes
        findings.sent += 1 if ending.text else 0
        notes.decide(Stage.RECORD, ending.outcome.value, reason=ending.reason)
        finished: list[Done] = []

        async def before(session: WriteSession) -> tuple[Event, ...]:
            if ending.queue is None:
                return ()
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
            notes.spoke()
            if ending.run is not None:
                await self._runs.save(session, ending.run)
                await self._ask_approval(session, course, ending)
            finished.append(
                await record(
                    session,
                    course.received,
                    findings,
                    notes,
                    course.runtime,
                    outcome=ending.outcome,
                    reason=ending.reason,
                    started_at=course.started_at,
                    clock=self._clock,
                )
            )

        delivered = await course.voice.say(
            ending.text, ending.events, separator=ending.separator, before=before, together=together
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

    async def _fall_silent(self, course: Course) -> Done:
        """Record a turn whose word was taken away; nothing more is said."""
        course.notes.decide(Stage.RECORD, Outcome.SILENT.value, reason="taken_over")
        async with self._database.write() as session:
            return await record(
                session,
                course.received,
                course.findings,
                course.notes,
                course.runtime,
                outcome=Outcome.SILENT,
                reason="taken_over",
                started_at=course.started_at,
                clock=self._clock,
            )

    async def fail(self, received: Received, runtime: Runtime, notes: Notes) -> AsyncIterator[Event]:
        """End a turn that broke: apologise, hand over, and record it as failed."""
        voice = Voice(
            received, database=self._database, vault=self._vault, clock=self._clock, detector=runtime.detector
        )
        course = Course(received, runtime, notes, voice, self._clock.now())
        ending = replace(self._hand_over(course, "internal_error", text=WENT_WRONG), run=None)
        try:
            async for event in self._end(course, replace(ending, outcome=Outcome.FAILED)):
                yield event
        except WordLost:
            yield await self._fall_silent(course)


def action_events(move: Move) -> tuple[Event, ...]:
    """Return the event that shows where a workflow stands, if the move has one."""
    return () if move.action is None else (ActionChanged(move.run.workflow, move.action, move.text),)
