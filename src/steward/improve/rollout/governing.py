"""The gate's governance half: what has to be true of a release, besides figures, before it reaches customers.

Every condition is a sentence when it isn't met: what is missing, and where to mend it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.policy.controls import BY_PROBE, Control, ControlState, Shown
from steward.improve.evals.tested import Tested, newest_results
from steward.improve.rollout.contracts import Rollout, RolloutKind
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.governance import Governance, RiskEntry
from steward.supply.releases.approvals import Approvals, ReleaseApproval, governance_of
from steward.supply.releases.contracts import Release, short_id
from steward.supply.releases.reading import read_folder

Probe = Callable[[str, Folder], Awaitable[Shown]]
"""Looks at a release (its id and its folder) and tells whether a control is at work."""

_WAIVED: Final = """
select coalesce((evidence ->> 'without_gate')::boolean, false) from rollout_event
where rollout_id = %s and kind = 'started'
"""


class Conditions(Protocol):
    """Knows what a rollout's candidate lacks."""

    async def missing(self, rollout: Rollout, *, phase: int) -> tuple[str, ...]:
        """Return in sentences what is missing before a phase may be entered."""
        ...


@dataclass(frozen=True, slots=True)
class RiskState:
    """A risk with the controls that were shown to lower it."""

    risk: RiskEntry
    high: bool
    working: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class GovernanceState:
    """A release's governance as it stands: for the gate, a page and a document."""

    release: Release
    at: datetime
    governance: Governance | None
    categories: tuple[str, ...]
    controls: Mapping[Control, ControlState]
    risks: tuple[RiskState, ...]
    approvals: tuple[ReleaseApproval, ...]
    missing: tuple[str, ...]


class Governing:
    """Finds out how a release's governance stands; built once by the composition root."""

    def __init__(
        self, *, database: Database, probes: Mapping[Control, Probe], approvals: Approvals, clock: Clock
    ) -> None:
        self._database = database
        self._probes = probes
        self._approvals = approvals
        self._clock = clock

    async def missing(self, rollout: Rollout, *, phase: int) -> tuple[str, ...]:
        """Return what is missing before a phase may be entered; nothing where no customer is reached.

        Rehearsals and shadows reach nobody. A rollout that somebody started without the gate goes on so: its
        first entry in the ledger says what was missing then.
        """
        if rollout.simulated or rollout.kind is RolloutKind.SHADOW:
            return ()
        if await self._is_waived(rollout.id):
            return ()
        state = await self.state(rollout.candidate, categories=rollout.plan.phases[phase].categories)
        return state.missing

    async def state(self, release_id: str, *, categories: Sequence[str] = ()) -> GovernanceState:
        """Return how everything stands, for some of the folder's categories or for all."""
        async with self._database.read() as session:
            release, folder = await read_folder(session, release_id)
            governance = await governance_of(session, release, folder)
            tested = await newest_results(session, release_id)
        wanted = tuple(categories) or tuple(item.name for item in folder.intents.categories)
        controls = {control: await self._control(control, release.id, folder, tested) for control in Control}
        approvals = await self._approvals.of(release.id)
        risks = tuple(risk_states(governance, controls))
        missing = tuple(conditions(governance, release, wanted, controls, approvals))
        return GovernanceState(
            release, self._clock.now(), governance, wanted, controls, risks, approvals, missing
        )

    async def _control(
        self, control: Control, release_id: str, folder: Folder, tested: Mapping[str, Tested]
    ) -> ControlState:
        shown = await self._probes[control](release_id, folder)
        cases = tuple(case.name for case in folder.cases if control in case.controls)
        moments = [tested[name].at for name in cases if name in tested]
        failing = tuple(name for name in cases if name not in tested or not tested[name].passed)
        at = self._clock.now() if control in BY_PROBE else max(moments, default=None)
        return ControlState(control, shown, cases, failing, at)

    async def _is_waived(self, rollout_id: UUID) -> bool:
        async with self._database.read() as session:
            row = await session.one(_WAIVED, [rollout_id])
        return bool(row and row[0])


def risk_states(
    governance: Governance | None, controls: Mapping[Control, ControlState]
) -> Iterable[RiskState]:
    """Yield the risks, the highest first, each with those of its controls that work."""
    if governance is None:
        return
    for risk in sorted(governance.risks, key=lambda risk: -risk.score):
        working = tuple(Control(name) for name in risk.controls if controls[Control(name)].works)
        yield RiskState(risk, risk.score >= governance.high_risk, working)


def conditions(
    governance: Governance | None,
    release: Release,
    categories: Sequence[str],
    controls: Mapping[Control, ControlState],
    approvals: Sequence[ReleaseApproval],
) -> Iterable[str]:
    """Yield in sentences what isn't met: accountable people, high risks with working controls, agreements."""
    if governance is None:
        yield "the folder has no governance.yaml, so nobody is accountable for what it does; write one"
        return
    covered = {name for case in governance.use_cases for name in case.categories}
    for category in categories:
        if category not in covered:
            said = f"nobody is accountable for category '{category}'"
            yield f"{said}; name it under a use case of governance.yaml"
    for state in risk_states(governance, controls):
        if not state.high or state.working:
            continue
        faults = [controls[Control(name)].fault or "" for name in state.risk.controls]
        why = "; ".join(faults) or "it names none"
        said = f"risk '{state.risk.name}' is high ({state.risk.score} of 25)"
        mend = f"mend one, run `steward eval run {short_id(release.id)}`, or name another in governance.yaml"
        yield f"{said} and no control was shown to lower it: {why}; {mend}"
    agreed = {approval.role for approval in approvals}
    for role in governance.approve_release:
        if role not in agreed:
            ref = short_id(release.id)
            yield (
                f"the role '{role}' hasn't agreed to release {ref}; use the console's governance page, or "
                f"`steward release approve {ref} --role {role} --reason WHY`"
            )
