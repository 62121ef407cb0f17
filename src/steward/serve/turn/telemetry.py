"""Metrics and traces of turns, from the same values as the turn row.

Span attributes use OpenTelemetry's GenAI names (semantic conventions 1.38, `gen_ai.*`) where one
exists. Nothing here ever holds words of a customer.
"""

from __future__ import annotations

import time

from opentelemetry.trace import Tracer
from prometheus_client import CollectorRegistry, Counter, Histogram

from steward.serve.conversations.contracts import Done
from steward.serve.turn.receive import Received
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.timing import Notes

_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0)


class TurnTelemetry:
    """Counts turns and writes one span per turn with one child per stage."""

    def __init__(self, registry: CollectorRegistry, tracer: Tracer) -> None:
        self._tracer = tracer
        self._turns = Counter(
            "steward_turns", "Turns by outcome.", ["assistant", "outcome"], registry=registry
        )
        self._seconds = Histogram(
            "steward_turn_seconds", "Whole turns.", ["assistant"], registry=registry, buckets=_BUCKETS_S
        )
        self._first = Histogram(
            "steward_first_token_seconds",
            "Until the first words.",
            ["assistant"],
            registry=registry,
            buckets=_BUCKETS_S,
        )
        self._stages = Histogram(
            "steward_stage_seconds", "Each stage.", ["stage"], registry=registry, buckets=_BUCKETS_S
        )
        self._cost = Counter(
            "steward_cost", "Money spent on models.", ["assistant", "currency"], registry=registry
        )

    def turn_ended(self, received: Received, runtime: Runtime, notes: Notes, done: Done | None) -> None:
        """Count a turn; one without `Done` broke and counts as abandoned."""
        assistant = received.conversation.assistant
        self._turns.labels(assistant, done.outcome.value if done else "abandoned").inc()
        self._seconds.labels(assistant).observe(notes.elapsed_ms() / 1000)
        if notes.first_token_ms is not None:
            self._first.labels(assistant).observe(notes.first_token_ms / 1000)
        for stage, ms in notes.stage_ms.items():
            self._stages.labels(stage.value).observe(ms / 1000)
        if done is not None and done.cost is not None:
            self._cost.labels(assistant, runtime.folder.assistant.currency).inc(float(done.cost))
        self._trace(received, notes, done)

    def _trace(self, received: Received, notes: Notes, done: Done | None) -> None:
        end_ns = time.time_ns()
        start_ns = end_ns - int(notes.elapsed_ms() * 1e6)
        span = self._tracer.start_span("steward.turn", start_time=start_ns)
        if span.is_recording():
            span.set_attribute("gen_ai.operation.name", "chat")
            span.set_attribute("gen_ai.conversation.id", str(received.conversation.id))
            span.set_attribute("steward.release", received.conversation.release_id)
            if done is not None:
                span.set_attribute("steward.outcome", done.outcome.value)
                span.set_attribute("gen_ai.usage.input_tokens", done.tokens.prompt or 0)
                span.set_attribute("gen_ai.usage.output_tokens", done.tokens.completion or 0)
            for stage, ms in notes.stage_ms.items():
                span.set_attribute(f"steward.stage.{stage.value}_ms", round(ms, 3))
        span.end(end_time=end_ns)
