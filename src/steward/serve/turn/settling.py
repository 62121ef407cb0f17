"""Settles which arm a turn is in once its message is understood, and understands it again on that release."""

from __future__ import annotations

from dataclasses import dataclass

from steward.serve.turn.course import Course
from steward.serve.turn.placing import Placing, names_a_matter
from steward.serve.turn.receive import Received
from steward.serve.turn.runtime import Runtime, Runtimes
from steward.serve.turn.timing import Stage
from steward.serve.turn.understand import Understood, understand


@dataclass(frozen=True, slots=True)
class Matter:
    """What a message is about by the baseline's classifier; only that decides who takes part."""

    category: str
    is_matter: bool


class Settling:
    """Asks `Placing` and gives the course another release where it has to; built once."""

    def __init__(self, *, placing: Placing, runtimes: Runtimes) -> None:
        self._placing = placing
        self._runtimes = runtimes

    async def settle(self, course: Course, understood: Understood) -> Understood:
        """Return the message as the conversation's arm understands it; the course goes on in that arm."""
        received = course.received
        if received.traffic.split is None and received.traffic.holdout is None:
            return understood
        matter = await self._matter(received, course.runtime, understood)
        settled = await self._placing.settle(received, matter.category, is_matter=matter.is_matter)
        course.received = settled
        course.notes.decide(
            Stage.UNDERSTAND, "arm", arm=settled.conversation.arm if settled.conversation.assigned else None,
            category=matter.category, phase=settled.conversation.phase, moved=settled.conversation.moved,
        )  # fmt: skip
        if settled.conversation.release_id == course.runtime.release_id:
            return understood
        return await self._again(course, understood)

    async def _matter(self, received: Received, runtime: Runtime, understood: Understood) -> Matter:
        baseline = runtime
        if received.conversation.assigned and not received.conversation.moved:
            baseline = await self._runtimes.of(received.traffic.release_id)
        seen = understood
        if baseline.head_digest != runtime.head_digest:
            seen = await understand(received.text, baseline, before=received.last_matter)
        intent = baseline.intents.get(seen.intent.name)
        category = seen.category.name if intent is None else intent.category
        return Matter(category, names_a_matter(seen))

    async def _again(self, course: Course, understood: Understood) -> Understood:
        """Put the course on its conversation's release; the embedding is made anew only for other words."""
        before, received = course.runtime, course.received
        runtime = await self._runtimes.of(received.conversation.release_id)
        if received.run is not None:
            runtime = await self._runtimes.with_procedure(runtime, received.run)
        course.runtime = runtime
        same_words = before.reading.read(received.text) == runtime.reading.read(received.text)
        embedding = received.embedding if same_words else None
        return await understand(received.text, runtime, before=received.last_matter, embedding=embedding)
