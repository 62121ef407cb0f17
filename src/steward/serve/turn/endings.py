"""How turns end: the last words, and what is stored with them. Pure functions of the turn's course."""

from __future__ import annotations

from dataclasses import dataclass, replace

from steward.govern.ledger.errors import BadEntry
from steward.govern.privacy.tokens import tokens_in
from steward.serve.conversations.contracts import ActionChanged, Event, Outcome, Question
from steward.serve.desk.opening_hours import hand_over_text
from steward.serve.turn.course import Course
from steward.serve.turn.deciding import Choice, Decision
from steward.serve.turn.guard import Guarded, Reaction
from steward.serve.turn.timing import Stage
from steward.serve.turn.understand import Understood, asks_for_human
from steward.serve.workflows.consent import is_bare_answer
from steward.serve.workflows.contracts import Move, Run, RunState

NOTHING_UNDERSTOOD = "I didn't get any words there. What can I help you with?"
NOTHING_OPEN = "Glad to help. What is it about?"
HIGH_PRIORITY = 1
INTERNAL_ERROR = "internal_error"
GUARD_FAULT = "guard_fault"
LEDGER_FAULT = "ledger_fault"
DECIDED_ELSEWHERE = frozenset({RunState.AWAITING_APPROVAL, RunState.ACTING, RunState.UNKNOWN})
"""Runs that a hand-over leaves as they are: the desk or the system of record has yet to decide them."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a turn ends: its last words, of so many `sentences`, and what is stored with them.

    `verified` are sentences that passed verification and stand before `text`; they hold tokens where `text`
    holds real values.
    """

    outcome: Outcome
    reason: str
    text: str = ""
    events: tuple[Event, ...] = ()
    separator: str = " "
    run: Run | None = None
    approval_summary: str | None = None
    queue: str | None = None
    priority: str = "normal"
    sentences: int = 1
    verified: str = ""

    @property
    def sentences_said(self) -> int:
        """How many sentences are said by it."""
        return self.sentences if self.verified or self.text else 0


def reason_of(error: Exception, broke_in: Stage | None) -> str:
    """Return what a broken turn is recorded with; a fault of guard or ledger stops a candidate at once."""
    if isinstance(error, BadEntry):
        return LEDGER_FAULT
    return GUARD_FAULT if broke_in is Stage.GUARD else INTERNAL_ERROR


def hand_over(
    course: Course,
    reason: str,
    *,
    text: str | None = None,
    priority: str = "normal",
    queue: str | None = None,
    run: Run | None = None,
    separator: str = " ",
) -> Ending:
    """Give the word to a human: into the category's queue, or the rule's; the open run goes along."""
    folder, understood = course.runtime.folder, course.findings.understood
    by_category = understood.category.queue if understood and not understood.out_of_scope else None
    opened = course.received.run
    if run is None and opened is not None and opened.state not in DECIDED_ELSEWHERE:
        run = replace(opened, state=RunState.HANDED_OVER, asking=None)
    return Ending(
        Outcome.HANDED_OVER,
        reason,
        text or hand_over_text(folder, course.started_at),
        run=run,
        queue=queue or by_category or folder.desk.default_queue,
        priority=priority,
        separator=separator,
    )


def guarded_or_human(course: Course, understood: Understood, guarded: Guarded) -> Ending | None:
    """End the turn for a risk, a word that asks for a human, an attack or that intent, in this order.

    Whoever asks for a human always gets one, whatever else the message says; where there is a
    risk as well, with that risk's words and priority.
    """
    if guarded.reaction is Reaction.HAND_OVER:
        return guarded_ending(course, guarded)
    if understood.override is not None:
        return hand_over(course, "override_word")
    if guarded.reaction is not Reaction.PASS:
        return guarded_ending(course, guarded)
    if asks_for_human(understood):
        return hand_over(course, "asked_for_human")
    return None


def guarded_ending(course: Course, guarded: Guarded) -> Ending:
    """Do what the guard's rule says."""
    rule = guarded.rule or "guard"
    match guarded.reaction:
        case Reaction.HAND_OVER:
            return hand_over(course, rule, text=guarded.reply, priority=guarded.priority, queue=guarded.queue)
        case Reaction.REPLY:
            return Ending(Outcome.ANSWERED, rule, guarded.reply or "")
        case _:
            return Ending(Outcome.REFUSED, rule, guarded.reply or "")


def not_for_reading(course: Course, understood: Understood) -> Ending | None:
    """End the turn for messages that hold nothing to read, or not in English."""
    if course.received.waiting_priority is not None and course.received.waiting_priority >= HIGH_PRIORITY:
        return hand_over(course, "waiting_for_human")
    if understood.empty or (understood.wordless and course.received.run is None):
        if tokens_in(course.received.text):
            return Ending(Outcome.ASKED, "nothing_open", NOTHING_OPEN, (Question(None, NOTHING_OPEN),))
        return Ending(
            Outcome.ASKED, "nothing_said", NOTHING_UNDERSTOOD, (Question(None, NOTHING_UNDERSTOOD),)
        )
    if course.received.run is None and is_bare_answer(course.received.text) and not understood.sure:
        return Ending(Outcome.ASKED, "nothing_open", NOTHING_OPEN, (Question(None, NOTHING_OPEN),))
    if understood.language is not None:
        sentence = course.runtime.folder.assistant.other_languages.get(understood.language)
        if sentence is None:
            return hand_over(course, "language")
        return Ending(Outcome.REFUSED, "language", sentence)
    return None


def moved(course: Course, move: Move, *, separator: str = " ") -> Ending:
    """Turn the engine's move into the turn's ending."""
    if move.hand_over is not None:
        ending = hand_over(course, move.hand_over, text=move.text, run=move.run, separator=separator)
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


def unanswerable(course: Course, decision: Decision, after: Move | None) -> Ending:
    """End a turn that isn't answered: with the workflow, a refusal, a question back or a human."""
    guardrails = course.runtime.folder.guardrails
    if after is not None and after.text:
        return moved(course, after)
    run = after.run if after else None
    if decision.choice is Choice.REFUSE:
        return Ending(Outcome.REFUSED, "out_of_scope", guardrails.out_of_scope_reply, run=run)
    if decision.choice is Choice.HAND_OVER or not decision.beliefs.may_ask:
        return hand_over(course, "weak_evidence", run=run)
    course.findings.asked_back = True
    question = guardrails.evidence.ask_back
    return Ending(Outcome.ASKED, "weak_evidence", question, (Question(None, question),), run=run)


def unanswered(course: Course, after: Move | None) -> Ending:
    """End a turn of which no sentence passed verification."""
    if after is not None and after.text:
        return moved(course, after)
    return hand_over(course, "nothing_verified", run=after.run if after else None)


def action_events(move: Move) -> tuple[Event, ...]:
    """Return the event that shows where a workflow stands, if the move has one."""
    return () if move.action is None else (ActionChanged(move.run.workflow, move.action, move.text),)
