"""Storing runs, results and the gate's answers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, Row
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.improve.evals import queries
from steward.improve.evals.contracts import (
    Attempt,
    CaseChange,
    CaseComparison,
    CaseResult,
    EvalRun,
    GateResult,
)
from steward.supply.releases.contracts import ReleaseId

GO_ON_WITHIN = timedelta(days=2)
"""How old an interrupted run may be to be gone on with."""
COST_PLACES = Decimal("0.00000001")


class Side(StrEnum):
    """What a run is for: a release alone, or one side of a comparison."""

    ALONE = "alone"
    BASELINE = "baseline"
    CANDIDATE = "candidate"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it was begun."""

    id: UUID
    assistant: str
    release_id: ReleaseId
    cases_digest: str
    repeats: int
    deterministic: bool
    started_at: datetime


class Records:
    """Reads and writes what evaluations leave behind; built once by the composition root."""

    def __init__(self, *, database: Database, clock: Clock, ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    async def begin(
        self,
        *,
        assistant: str,
        release_id: ReleaseId,
        side: Side,
        against: ReleaseId | None,
        cases_digest: str,
        repeats: int,
        deterministic: bool,
        fresh: bool,
    ) -> RunRecord:
        """Return the unfinished run of the same cases, or a new one: always so where it's to be `fresh`."""
        now = self._clock.now()
        parameters: dict[str, Any] = {
            "id": new_id(self._clock),
            "assistant": assistant,
            "release_id": release_id,
            "side": side.value,
            "against": against,
            "cases_digest": cases_digest,
            "repeats": repeats,
            "deterministic": deterministic,
            "at": now,
            "since": now - GO_ON_WITHIN,
        }
        async with self._database.write() as session:
            row = None if fresh else await session.one(queries.UNFINISHED, parameters)
            if row is None:
                await session.execute(queries.INSERT_RUN, parameters)
                row = (parameters["id"], now)
        return RunRecord(row[0], assistant, release_id, cases_digest, repeats, deterministic, row[1])

    async def stored(self, run: RunRecord) -> frozenset[tuple[str, int]]:
        """Return which attempts a run has: case and number."""
        async with self._database.read() as session:
            rows = await session.all(
                "select case_name, attempt from eval_result where run_id = %s", (run.id,)
            )
        return frozenset((row[0], row[1]) for row in rows)

    async def put(self, run: RunRecord, case: str, number: int, attempt: Attempt) -> None:
        """Store an attempt; one that is there already stays."""
        async with self._database.write() as session:
            # Losing the last results in a crash of the server costs their repetition, no more.
            await session.execute("set local synchronous_commit = off")
            await session.execute(
                queries.PUT_RESULT,
                {
                    "run_id": run.id,
                    "case": case,
                    "attempt": number,
                    "state": _state(attempt),
                    "faults": list(attempt.faults),
                    "texts": list(attempt.texts),
                    "outcomes": list(attempt.outcomes),
                    "latency_ms": attempt.latency_ms,
                    "cost": None if attempt.cost is None else Decimal(attempt.cost).quantize(COST_PLACES),
                    "at": self._clock.now(),
                },
            )

    async def finish(self, run: RunRecord) -> EvalRun:
        """Close a run and return it with its results."""
        async with self._database.write() as session:
            await session.execute(queries.FINISH_RUN, (self._clock.now(), run.id))
        return await self.read(run.id)

    async def read(self, run_id: UUID) -> EvalRun:
        """Return a stored run with its results, by case."""
        async with self._database.read() as session:
            row = await session.one(queries.RUN, (run_id,))
            results = await session.all(queries.RESULTS, (run_id,))
        assert row is not None
        return _run(row, results)

    async def put_gate(self, assistant: str, gate: GateResult) -> None:
        """Store the gate's answer and write it in the ledger, in one transaction."""
        assert gate.baseline_run is not None
        assert gate.candidate_run is not None
        async with self._database.write() as session:
            await session.execute(
                queries.PUT_GATE,
                {
                    "id": new_id(self._clock),
                    "assistant": assistant,
                    "candidate": gate.candidate,
                    "baseline": gate.baseline,
                    "candidate_run": gate.candidate_run,
                    "baseline_run": gate.baseline_run,
                    "passed": gate.passed,
                    "answer": json.dumps(asdict(gate), default=str),
                    "at": gate.at,
                },
            )
            await self._ledger.append(session, _entry(gate))

    async def gate(self, candidate: str, baseline: str) -> GateResult | None:
        """Return the newest stored answer for two releases."""
        async with self._database.read() as session:
            row = await session.one(queries.GATE, {"candidate": candidate, "baseline": baseline})
        return None if row is None else gate_of(row[0])

    async def recent_gates(self, *, assistant: str | None, limit: int) -> tuple[GateResult, ...]:
        """Return the gate's answers, the newest first."""
        async with self._database.read() as session:
            rows = await session.all(queries.RECENT_GATES, {"assistant": assistant, "limit": limit})
        return tuple(gate_of(row[0]) for row in rows)


def gate_of(kept: dict[str, Any]) -> GateResult:
    """Read what `put_gate` stored."""
    given = {
        **_tuples(kept),
        "cases": tuple(_case_of(case) for case in kept["cases"]),
        "at": datetime.fromisoformat(kept["at"]),
        "baseline_run": UUID(kept["baseline_run"]),
        "candidate_run": UUID(kept["candidate_run"]),
    }
    return GateResult(**given)


def _case_of(kept: dict[str, Any]) -> CaseComparison:
    given = {**_tuples(kept), "change": CaseChange(kept["change"])}
    return CaseComparison(**given)


def _tuples(kept: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}


def _state(attempt: Attempt) -> str:
    if not attempt.runnable:
        return "not_runnable"
    return "passed" if attempt.passed else "failed"


def _run(row: Row, results: list[Row]) -> EvalRun:
    by_case: dict[str, list[Attempt]] = {}
    for case, _, state, faults, texts, outcomes, latency_ms, cost in results:
        by_case.setdefault(case, []).append(
            Attempt(
                passed=state == "passed",
                faults=tuple(faults),
                texts=tuple(texts),
                outcomes=tuple(outcomes),
                latency_ms=latency_ms,
                cost=None if cost is None else float(cost),
                runnable=state != "not_runnable",
            )
        )
    cases = tuple(CaseResult(case, tuple(attempts)) for case, attempts in by_case.items())
    return EvalRun(row[0], ReleaseId(row[1]), row[2], row[3], row[4], row[5], row[6], cases)


def _entry(gate: GateResult) -> Entry:
    worse = [case.case for case in gate.cases if case.worse]
    return Entry(
        actor="system",
        deed="evaluation.passed" if gate.passed else "evaluation.failed",
        subject=f"release:{gate.candidate}",
        details={
            "baseline": gate.baseline,
            "baseline_run": str(gate.baseline_run),
            "candidate_run": str(gate.candidate_run),
            "cases": len(gate.cases),
            "worse": " ".join(worse),
            "repeats": gate.k,
            "deterministic": gate.deterministic,
            "pooled_p": repr(gate.pooled_p),
        },
    )
