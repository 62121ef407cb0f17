"""One turn under way: what it answers, with what, and what it has found out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from steward.serve.turn.receive import Received
from steward.serve.turn.record import Findings
from steward.serve.turn.runtime import Runtime
from steward.serve.turn.timing import Notes
from steward.serve.turn.voice import Voice


@dataclass(slots=True)
class Course:
    """Everything that the steps of one turn share; only `notes` and `findings` change."""

    received: Received
    runtime: Runtime
    notes: Notes
    voice: Voice
    started_at: datetime
    findings: Findings = field(default_factory=Findings)
