"""The gate's governance half: what has to be true of a release, besides figures, before it reaches customers.

A release is held against the stricter of two folders: its own, and that of the release that serves now. Every
condition is a sentence when it isn't met: what is missing, which folder asks for it, and where to mend it.
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
from steward.supply.releases.approvals import Approvals, ReleaseApproval, Served, served_beside, stricter
from steward.supply.releases.contracts import Release, short_id
from steward.supply.releases.reading import read_folder

_OWN: Final = "its own governance.yaml"
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
class Listing:
    """A risk as one folder lists it, with those of its controls that work on the release in question.

    `high` goes by the lower `high_risk` of both folders; `bound_by` is set where that is the other's.
    """

    folder: str
    risk: RiskEntry
    high: bool
    bound_by: str | None
    working: tuple[Control, ...]


@dataclass(frozen=True, slots=True)
class RiskState:
    """A risk with the controls that were shown to lower it.

    Attributes:
        risk: the risk, rated as the stricter folder rates it, with the controls that either names.
        high: whether one of the folders has it among the high ones.
        working: the controls that were shown to lower it.
        listings: the same by folder; each that has it high wants one of the controls it names to work.
    """

    risk: RiskEntry
    high: bool
    working: tuple[Control, ...]
    listings: tuple[Listing, ...]

    @property
    def lowered(self) -> bool:
        """Whether each folder that has it high names a control that works."""
        return all(listing.working for listing in self.listings if listing.high)

    @property
    def elsewhere(self) -> str | None:
        """The other folder, where that one alone has it high."""
        high = [listing.folder for listing in self.listings if listing.high]
        return high[0] if high and _OWN not in high else None


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
            served = await served_beside(session, release)
            tested = await newest_results(session, release_id)
        wanted = tuple(categories) or tuple(item.name for item in folder.intents.categories)
        controls = {control: await self._control(control, release.id, folder, tested) for control in Control}
        approvals = await self._approvals.of(release.id)
        own, governance = folder.governance, stricter(folder.governance, served)
        risks = tuple(risk_states(own, controls, served))
        missing = tuple(conditions(own, release, wanted, controls, approvals, served))
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
    own: Governance | None,
    controls: Mapping[Control, ControlState],
    served: Served | None = None,
) -> Iterable[RiskState]:
    """Yield the risks that either folder lists, the highest first, each with those of its controls that work.

    Args:
        own: the governance in the folder of the release in question.
        controls: how they stand on that release.
        served: the release that serves now; a risk that only its folder lists counts on.
    """
    if own is None:
        return
    folders = [(_OWN, own)]
    if served is not None:
        folders.append((_folder_of(served), served.governance))
    setting, strictest = min(folders, key=lambda pair: pair[1].high_risk)
    listed: dict[str, list[Listing]] = {}
    for folder, governance in folders:
        for risk in governance.risks:
            working = tuple(Control(name) for name in risk.controls if controls[Control(name)].works)
            high = risk.score >= strictest.high_risk
            bound_by = (
                None if risk.score >= governance.high_risk else f"{strictest.high_risk} on by {setting}"
            )
            listed.setdefault(risk.name, []).append(Listing(folder, risk, high, bound_by, working))
    yield from sorted(map(_together, listed.values()), key=lambda state: -state.risk.score)


def _together(listings: Sequence[Listing]) -> RiskState:
    """Return one risk as several folders list it: rated by the strictest."""
    worst = max((listing.risk for listing in listings), key=lambda risk: risk.score)
    named = tuple(dict.fromkeys(name for listing in listings for name in listing.risk.controls))
    rated = {"likelihood": worst.likelihood, "impact": worst.impact, "controls": named}
    working = tuple(dict.fromkeys(control for listing in listings for control in listing.working))
    high = any(listing.high for listing in listings)
    return RiskState(listings[0].risk.model_copy(update=rated), high, working, tuple(listings))


def conditions(
    own: Governance | None,
    release: Release,
    categories: Sequence[str],
    controls: Mapping[Control, ControlState],
    approvals: Sequence[ReleaseApproval],
    served: Served | None = None,
) -> Iterable[str]:
    """Yield in sentences what isn't met: accountable people, high risks with working controls, agreements.

    Args:
        own: the governance in the release's folder.
        release: the release in question.
        categories: those that customers would reach it in.
        controls: how they stand on it.
        approvals: the agreements to it.
        served: the release that serves now, whose folder asks as well.
    """
    governance = stricter(own, served)
    if governance is None:
        yield "the folder has no governance.yaml, so nobody is accountable for what it does; write one"
        return
    covered = {name for case in governance.use_cases for name in case.categories}
    for category in categories:
        if category not in covered:
            said = f"nobody is accountable for category '{category}'"
            yield f"{said}; name it under a use case of governance.yaml"
    for state in risk_states(own, controls, served):
        if state.high:
            yield from _open_risk(state, short_id(release.id), controls)
    agreed = {approval.role for approval in approvals}
    before = () if served is None else served.governance.approve_release
    for role in governance.approve_release:
        if role not in agreed:
            ref = short_id(release.id)
            by = f", as {_folder_of(served)} asks" if served is not None and role in before else ""
            yield (
                f"the role '{role}' hasn't agreed to release {ref}{by}; use the console's governance page, "
                f"or `steward release approve {ref} --role {role} --reason WHY`"
            )


def _open_risk(state: RiskState, ref: str, controls: Mapping[Control, ControlState]) -> Iterable[str]:
    """Yield what a high risk lacks, once for each folder whose controls for it don't work."""
    told: set[frozenset[str]] = set()
    for listing in state.listings:
        names = frozenset(listing.risk.controls)
        if not listing.high or listing.working or names in told:
            continue
        told.add(names)
        faults = [controls[Control(name)].fault or "" for name in listing.risk.controls]
        why = "; ".join(faults) or "it names none"
        mend = f"mend one and run `steward eval run {ref}`"
        mend += ", or name another in governance.yaml" if listing.folder == _OWN else ""
        bound = "" if listing.bound_by is None else f", from {listing.bound_by}"
        yield (
            f"risk '{state.risk.name}' is high ({listing.risk.score} of 25{bound}) and no control "
            f"that {listing.folder} names was shown to lower it: {why}; {mend}"
        )


def _folder_of(served: Served) -> str:
    return f"the governance.yaml of release {short_id(served.release_id)} (it serves now)"
