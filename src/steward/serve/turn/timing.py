"""What a turn noted on its way: milliseconds per stage and every decision, in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """The nine stages, in their order."""

    RECEIVE = "receive"
    MASK = "mask"
    UNDERSTAND = "understand"
    GUARD = "guard"
    RETRIEVE = "retrieve"
    GENERATE = "generate"
    VERIFY = "verify"
    ACT = "act"
    RECORD = "record"


@dataclass(slots=True)
class Notes:
    """Collects a turn's times and decisions; `decisions` ends, sealed, in the turn row.

    `broke_in` is the stage whose work raised last.
    """

    started: float = field(default_factory=time.perf_counter)
    stage_ms: dict[Stage, float] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    first_token_ms: float | None = None
    broke_in: Stage | None = None

    @contextmanager
    def stage(self, stage: Stage) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        begun = time.perf_counter()
        try:
            yield
        except Exception:
            self.broke_in = stage
            raise
        finally:
            self.add(stage, time.perf_counter() - begun)

    def add(self, stage: Stage, seconds: float) -> None:
        """Add seconds to a stage."""
        self.stage_ms[stage] = self.stage_ms.get(stage, 0.0) + seconds * 1000

    def decide(self, stage: Stage, what: str, **values: Any) -> None:
        """Note a decision with the values it stood on. Values hold masked text at most."""
        self.decisions.append({"stage": stage.value, "what": what, **values})

    def elapsed_ms(self) -> float:
        """Return the milliseconds since the turn began."""
        return (time.perf_counter() - self.started) * 1000

    def spoke(self) -> None:
        """Note that words of the answer are on their way, the first time."""
        if self.first_token_ms is None:
            self.first_token_ms = self.elapsed_ms()
