"""Whether a turn is what its case expects. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steward.serve.conversations.contracts import (
    ActionChanged,
    Delta,
    Done,
    Event,
    HandedOver,
    Outcome,
    TurnId,
)
from steward.supply.assistant.schema.cases import Expect


@dataclass(frozen=True, slots=True)
class Told:
    """What one turn decided and said, as the customer saw it."""

    turn_id: TurnId
    outcome: Outcome
    intent: str | None
    text: str
    cited: frozenset[str]
    workflows: frozenset[str]
    queue: str | None
    latency_ms: float
    cost: float | None


def told_by(events: Sequence[Event]) -> Told | None:
    """Return what a turn's events come to; None where the turn broke before its end."""
    done = next((event for event in events if isinstance(event, Done)), None)
    if done is None:
        return None
    return Told(
        turn_id=done.turn_id,
        outcome=done.outcome,
        intent=done.intent,
        text="".join(event.text for event in events if isinstance(event, Delta)),
        cited=frozenset(citation.document for citation in done.citations),
        workflows=frozenset(event.workflow for event in events if isinstance(event, ActionChanged)),
        queue=next((event.queue for event in events if isinstance(event, HandedOver)), None),
        latency_ms=done.latency_ms,
        cost=None if done.cost is None else float(done.cost),
    )


def faults_of(expect: Expect, told: Told) -> tuple[str, ...]:
    """Say, one sentence each, what a turn does that its case doesn't expect."""
    faults = ["the turn broke"] if told.outcome is Outcome.FAILED else []
    if expect.intent is not None and told.intent != expect.intent:
        faults.append(f"took it for {told.intent}, not {expect.intent}")
    if expect.outcome and told.outcome.value not in expect.outcome:
        faults.append(f"{told.outcome.value}, not {' or '.join(expect.outcome)}")
    if expect.cites and told.cited.isdisjoint(expect.cites):
        faults.append(f"cites {', '.join(sorted(told.cited)) or 'nothing'}, not {' or '.join(expect.cites)}")
    if expect.workflow is not None and expect.workflow not in told.workflows:
        faults.append(f"doesn't propose {expect.workflow}")
    if expect.queue is not None and told.queue != expect.queue:
        faults.append(f"passes it to {told.queue or 'nobody'}, not to {expect.queue}")
    low = told.text.lower()
    faults += [f"doesn't say {words!r}" for words in expect.says if words.lower() not in low]
    faults += [f"says {words!r}" for words in expect.never_says if words.lower() in low]
    return tuple(faults)
