"""What a text would be taken for, without a conversation: for routing calls and tickets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from steward.serve.turn.runtime import Runtime
from steward.serve.turn.understand import understand
from steward.serve.workflows.slots import find_in_passing


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another intent that it could be."""

    intent: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a text belongs. `slots` are values that the intent's workflow would have taken from it."""

    intent: str
    confidence: float
    category: str
    risk: str
    queue: str
    out_of_scope: bool
    alternatives: tuple[Alternative, ...]
    slots: Mapping[str, str]


async def route(text: str, runtime: Runtime) -> Routed:
    """Classify a text; personal data is masked first, and nothing is stored."""
    understood = await understand(mask_for_reading(text, runtime), runtime)
    procedure = runtime.procedures.get(understood.intent.workflow or "")
    slots = {}
    if procedure is not None:
        for slot in procedure.definition.slots:
            if value := find_in_passing(slot, text):
                slots[slot.name] = value
    default_queue = runtime.folder.desk.default_queue
    return Routed(
        intent=understood.intent.name,
        confidence=round(understood.confidence, 4),
        category=understood.category.name,
        risk=understood.category.risk.value,
        queue=default_queue if understood.out_of_scope else understood.category.queue,
        out_of_scope=understood.out_of_scope,
        alternatives=tuple(
            Alternative(item.label, round(item.confidence, 4)) for item in understood.prediction.ranked[1:]
        ),
        slots=slots,
    )


def mask_for_reading(text: str, runtime: Runtime) -> str:
    """Return the text with personal values replaced by their kinds, for one reading only."""
    masked, last = "", 0
    for span in runtime.detector.find(text):
        masked += f"{text[last : span.start]}[{span.kind}_1]"
        last = span.end
    return masked + text[last:]
