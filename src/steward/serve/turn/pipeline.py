"""The order of the stages, the deadlines and the fallbacks.

Read `Pipeline.answer` from top to bottom: each step may end the turn. Whatever ends it says its last
words and stores the turn's row in one commit (`closing.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import (
    ActionChanged,
    ActionState,
    Citation,
    Event,
    Outcome,
    Status,
)
from steward.serve.turn.act import Acting, workflow_to_offer
from steward.serve.turn.answering import Answerer, Sentence
from steward.serve.turn.closing import Closing
from steward.serve.turn.composing import compose, said_before
from steward.serve.turn.course import Course
from steward.serve.turn.deciding import Beliefs, Choice, decide
from steward.serve.turn.elsewhere import Elsewhere
from steward.serve.turn.endings import (
    Ending,
    guarded_or_human,
    hand_over,
    moved,
    not_for_reading,
    unanswerable,
    unanswered,
)
from steward.serve.turn.explaining import DECIDED, noted
from steward.serve.turn.guard import guard
from steward.serve.turn.placing import answers_itself, names_a_matter
from steward.serve.turn.receive import Received
from steward.serve.turn.retrieve import retrieve
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.settling import Settling
from steward.serve.turn.timing import Notes, Stage
from steward.serve.turn.understand import Understood, understand
from steward.serve.turn.voice import LeaseLost, Voice
from steward.serve.workflows.contracts import Move, Run, RunState

WENT_WRONG = "Something went wrong on our side, so I'm passing you to a colleague."


class Pipeline:
    """Answers one received message; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        vault: Vault,
        clock: Clock,
        acting: Acting,
        answerer: Answerer,
        closing: Closing,
        settling: Settling,
        elsewhere: Elsewhere,
    ) -> None:
        self._database = database
        self._vault = vault
        self._clock = clock
        self._acting = acting
        self._answerer = answerer
        self._closing = closing
        self._settling = settling
        self._elsewhere = elsewhere

    def begin(self, received: Received, runtime: Runtime, notes: Notes) -> Course:
        """Return the course of a turn that is about to run."""
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
        return course

    async def run(self, course: Course) -> AsyncIterator[Event]:
        """Yield the turn's events; the last is `Done`. A take-over ends the turn in silence."""
        try:
            async for event in self.answer(course):
                yield event
        except LeaseLost:
            yield await self._closing.fall_silent(course)

    async def answer(self, course: Course) -> AsyncIterator[Event]:
        """Take the message through the stages."""
        notes, findings = course.notes, course.findings

        yield Status(Stage.UNDERSTAND.value)
        with notes.stage(Stage.GUARD):  # as far as it goes while the message is still being embedded
            looked = course.runtime.guard_rules.look(course.received.text, guarded_before(course.received))
        with notes.stage(Stage.UNDERSTAND):
            understood = findings.understood = await understand(
                course.received.text, course.runtime,
                before=course.received.last_matter, embedding=course.received.embedding,
            )  # fmt: skip
            understood = findings.understood = await self._settling.settle(course, understood)
        received, runtime = course.received, course.runtime
        note_understood(course, understood)
        if received.run is not None and received.run.state is RunState.ACTING:
            async for event in self._act(course, received.run):
                yield event
            return
        yield Status(Stage.GUARD.value)
        with notes.stage(Stage.GUARD):
            guarded = findings.guarded = await guard(
                received.text, understood.vector, guarded_before(received), runtime.guard_rules,
                embedder=runtime.embedder, looked=looked, out_of_scope=understood.out_of_scope,
                claimed=understood.sure, foreign=understood.language is not None,
            )  # fmt: skip
        notes.decide(
            Stage.GUARD, guarded.reaction.value, rule=guarded.rule, score=guarded.score, why=guarded.why,
            read_as=guarded.read_as,
        )  # fmt: skip
        if (ending := guarded_or_human(course, understood, guarded)) is not None:
            async for event in self._closing.end(course, ending):
                yield event
            return
        voided = received.voided
        if voided is not None and voided in runtime.procedures and answers_itself(received):
            async for event in self._ask_again(course, voided):
                yield event
            return
        if (ending := not_for_reading(course, understood)) is not None:
            async for event in self._closing.end(course, ending):
                yield event
            return
        is_matter = names_a_matter(understood)
        if (ending := await self._elsewhere.ending(course, is_matter=is_matter)) is not None:
            async for event in self._closing.end(course, ending):
                yield event
            return

        if received.run is not None:
            async for event in self._go_on_with_run(course, received.run, understood):
                yield event
            return
        async for event in self._answer_from_knowledge(course, understood):
            yield event

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
            async for event in self._closing.end(course, moved(course, move)):
                yield event

    async def _ask_again(self, course: Course, workflow: str) -> AsyncIterator[Event]:
        """Offer anew what a candidate had begun and the customer hadn't confirmed."""
        course.findings.workflow = workflow
        move = await self._acting.propose(course.received, workflow, course.runtime)
        async for event in self._closing.end(course, moved(course, move)):
            yield event

    async def _act(self, course: Course, run: Run) -> AsyncIterator[Event]:
        course.findings.workflow, course.findings.run_id = run.workflow, run.id
        with course.notes.stage(Stage.ACT):
            move = await self._acting.act(course.received, run, course.runtime)
        course.notes.decide(Stage.ACT, "acted", workflow=run.workflow, now=move.run.state.value)
        async for event in self._closing.end(course, moved(course, move)):
            yield event

    # ------------------------------------------------------------ knowledge

    async def _answer_from_knowledge(
        self, course: Course, understood: Understood, *, reminder: Move | None = None
    ) -> AsyncIterator[Event]:
        """Answer from passages; then offer a workflow, or go back to the one that is open."""
        received, runtime, findings = course.received, course.runtime, course.findings
        after = reminder
        if understood.intent.reply and understood.sure:
            async for event in self._say_then_move(course, understood.intent.reply, after):
                yield event
            return
        yield Status(Stage.RETRIEVE.value)
        with course.notes.stage(Stage.RETRIEVE):
            evidence = findings.evidence = await retrieve(
                received, understood, runtime, today=self._clock.now().date()
            )
        course.notes.decide(
            Stage.RETRIEVE, "found", strength=round(evidence.strength, 4),
            answerable=round(evidence.answerable, 4),
            passages=[[item.id, item.title, round(item.score, 4)] for item in evidence.passages],
        )  # fmt: skip
        workflow = workflow_to_offer(understood, received.run)
        decision = findings.decision = decide(
            Beliefs(
                intent=understood.confidence,
                in_scope=not understood.out_of_scope,
                answerable=evidence.answerable,
                strength=evidence.strength,
                offers=workflow is not None,
                may_ask=received.asked_back == 0,
            ),
            runtime.costs[understood.category.name],
            runtime.bounds,
        )
        course.notes.decide(Stage.ACT, DECIDED, **noted(decision))
        if after is None and workflow is not None and decision.offer:
            findings.workflow = workflow
            after = await self._acting.propose(received, workflow, runtime)
        if decision.choice is not Choice.ANSWER:
            async for event in self._closing.end(course, unanswerable(course, decision, after)):
                yield event
            return
        async for event in self._say_answer(course, understood, after):
            yield event

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
            async for event in self._closing.end(course, unanswered(course, after)):
                yield event
            return
        text, citations = compose(course, held)
        if said_before(course, text):
            async for event in self._closing.end(course, hand_over(course, "same_answer_again")):
                yield event
            return
        outcome = Outcome.FELL_BACK if findings.route == "verification failed" else Outcome.ANSWERED
        if findings.route == "cut off by verification":
            ending = hand_over(course, "answer_cut_off", separator="\n\n")
        elif after is not None and after.text:
            offered = moved(course, after, separator="\n\n")
            ending = replace(
                offered,
                outcome=outcome if offered.outcome is not Outcome.HANDED_OVER else offered.outcome,
                verified=text,
                text=f"\n\n{offered.text}" if text else offered.text,
                events=(*citations, *offered.events),
                separator="\n\n" if not text else " ",
                sentences=len(held) + 1,
            )
        else:
            reason = findings.route or "answered"
            run = after.run if after else None
            ending = Ending(outcome, reason, verified=text, events=citations, run=run, sentences=len(held))
        async for event in self._closing.end(course, ending):
            yield event

    async def _say_then_move(self, course: Course, text: str, after: Move | None) -> AsyncIterator[Event]:
        if after is None or not after.text:
            ending = Ending(Outcome.ANSWERED, "fixed_reply", text, run=after.run if after else None)
        else:
            offered = moved(course, after)
            ending = replace(offered, text=f"{text}\n\n{offered.text}")
        async for event in self._closing.end(course, ending):
            yield event

    async def _say(self, course: Course, sentences: Sequence[Sentence]) -> tuple[Event, ...]:
        text, citations = compose(course, sentences)
        delivered = await course.voice.say(events=citations, verified=text)
        course.findings.sent += len(sentences)
        course.notes.spoke()
        return delivered

    async def fail(self, broken: Course, *, reason: str) -> AsyncIterator[Event]:
        """End a turn that broke: apologise, hand over, and record it as failed, in the arm it was in."""
        course = self.begin(broken.received, broken.runtime, broken.notes)
        ending = replace(hand_over(course, reason, text=WENT_WRONG), run=None)
        try:
            async for event in self._closing.end(course, replace(ending, outcome=Outcome.FAILED)):
                yield event
        except LeaseLost:
            yield await self._closing.fall_silent(course)


def guarded_before(received: Received) -> Sequence[str]:
    """Return what the customer said before, as far as the guard minds: answers to a workflow may repeat."""
    return () if received.run else received.customer_texts


def note_understood(course: Course, understood: Understood) -> None:
    """Note what the message was taken for."""
    course.notes.decide(
        Stage.UNDERSTAND,
        "intent",
        intent=understood.intent.name,
        title=understood.intent.title,
        confidence=round(understood.confidence, 4),
        alternatives=[[item.label, round(item.confidence, 4)] for item in understood.prediction.ranked[1:]],
        out_of_scope=understood.out_of_scope,
        override=understood.override,
        language=understood.language,
    )
