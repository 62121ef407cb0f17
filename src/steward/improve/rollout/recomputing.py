"""Decisions made again from what the ledger kept: whether the numbers say what was done."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.ledger.contracts import Row
from steward.govern.ledger.service import Ledger
from steward.improve.rollout import situation as situations
from steward.improve.rollout.contracts import Rollout, RolloutId, RolloutKind, RolloutState, TriggerVerdict
from steward.improve.rollout.deciding import decide, look, verdict_json
from steward.improve.rollout.evidence import exact, read
from steward.improve.rollout.plan import from_json
from steward.supply.releases.assignment import BaselineKind
from steward.supply.releases.contracts import ReleaseId

CLOSE: Final = 1e-9
"""Relative difference of two numbers that are the same: other machines round the last digits otherwise."""
MOST_ENTRIES: Final = 100_000
_NOBODY: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One entry of the ledger, computed again. `differences` are sentences; none means that it agrees.

    `verdicts` are empty where the entry holds no numbers: somebody decided without them.
    """

    position: int | None
    at: datetime
    deed: str
    actor: str
    verdicts: tuple[TriggerVerdict, ...]
    differences: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the numbers give what was decided."""
        return not self.differences


async def verify(
    session: ReadSession, ledger: Ledger, rollout_id: RolloutId | UUID
) -> tuple[Recomputed, ...]:
    """Compute every decision of a rollout again, the oldest first."""
    rows = await ledger.recent(session, limit=MOST_ENTRIES, subject=f"rollout:{rollout_id}", deed="rollout")
    return tuple(recompute(row) for row in reversed(rows))


def recompute(row: Row) -> Recomputed:
    """Judge and decide again from one entry alone, and compare."""
    evidence = read(str(row.details["evidence"]))
    kept = evidence.get("situation")
    if kept is None:
        return Recomputed(row.position, row.at, row.deed, row.actor, (), ())
    situation = situations.from_json(kept, _rollout_of(row, kept))
    seen = look(situation)
    differences = _verdict_differences(evidence["verdicts"], seen.verdicts)
    if "decision" in evidence:
        again = decide(situation, seen)
        if again.deed.value != evidence["decision"]:
            differences.append(
                f"was decided as {evidence['decision']}, and the numbers give {again.deed.value}"
            )
        elif again.reason != row.details["reason"]:
            differences.append(f"the reason would now be: {again.reason}")
        if f"rollout.{evidence['decision']}" != row.deed:
            differences.append(f"the entry is of {row.deed}, and the decision was {evidence['decision']}")
    return Recomputed(row.position, row.at, row.deed, row.actor, seen.verdicts, tuple(differences))


def _rollout_of(row: Row, kept: Mapping[str, Any]) -> Rollout:
    details = row.details
    return Rollout(
        id=RolloutId(UUID(row.subject.removeprefix("rollout:"))),
        assistant=str(details["assistant"]),
        simulated=bool(details["simulated"]),
        kind=RolloutKind(kept["kind"]),
        candidate=ReleaseId(str(details["candidate"])),
        baseline=ReleaseId(str(details["baseline"])),
        baseline_kind=BaselineKind.RELEASE,
        plan=from_json(kept["plan"]),
        state=RolloutState(kept["state"]),
        phase=kept["phase"],
        phase_started_at=None,
        hold_reason=None,
        harmed_categories=(),
        end_reason=None,
        created_by=row.actor,
        created_at=_NOBODY,
        ended_at=None,
    )


def _verdict_differences(kept: list[dict[str, Any]], again: tuple[TriggerVerdict, ...]) -> list[str]:
    if len(kept) != len(again):
        return [f"{len(kept)} verdicts were kept, and the numbers give {len(again)}"]
    return [
        f"{verdict.kpi}{verdict.category and ' in ' + verdict.category}: {name} was {before[name]}, "
        f"and the numbers give {after[name]}"
        for before, verdict in zip(kept, again, strict=True)
        for after in [exact(verdict_json(verdict))]
        for name in after
        if not _same(before[name], after[name])
    ]


def _same(before: Any, after: Any) -> bool:
    if before == after:
        return True
    try:
        return math.isclose(float(before), float(after), rel_tol=CLOSE, abs_tol=CLOSE)
    except (TypeError, ValueError):
        return False
