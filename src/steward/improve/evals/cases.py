"""Which cases two releases are compared on: the candidate's, and those of the baseline that it dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steward.base.digests import canonical_json, sha256_hex
from steward.improve.evals.contracts import CaseChange
from steward.supply.assistant.schema.cases import Case


@dataclass(frozen=True, slots=True)
class ComparedCase:
    """A case and how it stands to the baseline's of the same name."""

    case: Case
    change: CaseChange


def merged(candidate: Sequence[Case], baseline: Sequence[Case]) -> tuple[ComparedCase, ...]:
    """Return the cases to compare two releases on.

    Where both have a case it is run as the candidate's folder has it. One that only the baseline has is
    run all the same: deleting a case must not pass the gate.
    """
    before = {case.name: case for case in baseline}
    kept = [ComparedCase(case, _change(case, before.get(case.name))) for case in candidate]
    names = {case.name for case in candidate}
    gone = [ComparedCase(case, CaseChange.REMOVED) for case in baseline if case.name not in names]
    return (*kept, *gone)


def digest_of(cases: Sequence[Case]) -> str:
    """Return what tells lists of cases apart."""
    return sha256_hex(canonical_json([case.model_dump(mode="json") for case in cases]))


def _change(case: Case, before: Case | None) -> CaseChange:
    if before is None:
        return CaseChange.NEW
    return CaseChange.SAME if case == before else CaseChange.CHANGED
