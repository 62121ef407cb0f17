"""Results made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID, uuid4

from steward.improve.evals.contracts import Attempt, CaseResult, EvalRun
from steward.supply.assistant.schema.cases import Case, CaseTurn
from steward.supply.releases.contracts import ReleaseId

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def case(name: str, *, asks: str = "How much is it?") -> Case:
    """A case of one turn."""
    return Case(name=name, turns=(CaseTurn(customer=asks),))


def attempt(outcome: str, *, says: str = "£5.", cost: float | None = None, ms: float = 20.0) -> Attempt:
    """An attempt that `passed`, `failed`, or was `not_runnable`."""
    faults = {
        "passed": (),
        "failed": ("turn 1: doesn't say '£5'",),
        "not_runnable": ("needs the system 'x'",),
    }
    return Attempt(
        passed=outcome == "passed",
        faults=faults[outcome],
        texts=(says,),
        outcomes=("answered",),
        latency_ms=ms,
        cost=cost,
        runnable=outcome != "not_runnable",
    )


def outcomes(passed: int, of: int) -> list[str]:
    """So many passes, then failures."""
    return ["passed"] * passed + ["failed"] * (of - passed)


def eval_run(
    release: str, results: Mapping[str, Sequence[str]], *, repeats: int = 1, deterministic: bool = True
) -> EvalRun:
    """A finished run with these outcomes by case."""
    return EvalRun(
        id=UUID(int=len(release)) if release == "alone" else uuid4(),
        release_id=ReleaseId(release),
        cases_digest="d" * 64,
        repeats=repeats,
        deterministic=deterministic,
        started_at=NOON,
        finished_at=NOON,
        results=tuple(
            CaseResult(name, tuple(attempt(outcome) for outcome in made)) for name, made in results.items()
        ),
    )
