"""Who answers for what, the risks and whether what lowers them works, and who has agreed to a release."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.console.people import People
from steward.edge.contracts import Services
from steward.edge.entrance import caller_of, services_of
from steward.govern.access.permissions import Permission
from steward.govern.policy.controls import BY_PROBE, MEANINGS
from steward.improve.rollout.governing import RiskState
from steward.supply.assistant.schema.governance import Governance
from steward.supply.releases.approvals import ADMIN, Approvals, governance_of
from steward.supply.releases.contracts import ReleaseLine
from steward.supply.releases.reading import read_folder

router = APIRouter(prefix="/console/governance", include_in_schema=False)
_MOST_REASON = 1000


@router.get("")
@page(Permission.GOVERNANCE_READ)
async def governance(request: Request, release: str = "") -> Response:
    """Show the governance of one release; of the one being served unless another is named."""
    services = services_of(request)
    lines = await services.releases.recent(limit=100, assistant=services.settings.assistant)
    chosen = await _chosen(services, release, lines)
    state = await services.governing.state(chosen)
    role = caller_of(request).account.role
    asked = state.governance.approve_release if state.governance else ()
    agreed = {approval.role: approval for approval in state.approvals}
    return await show(
        request,
        "governance.html",
        page="governance",
        title="Governance",
        state=state,
        lines=lines,
        grid=_grid(state.risks),
        meanings=MEANINGS,
        by_probe=BY_PROBE,
        asked=asked,
        agreed=agreed,
        mine=[name for name in asked if role in (name, ADMIN)],
        person=(await People.of(services)).name,
    )


@router.post("/{reference}/approvals")
@page(Permission.ROLLOUT_APPROVE)
async def approve(request: Request, reference: str) -> Response:
    """Agree to a release in one's role, or take that back."""
    services, form = services_of(request), form_of(request)
    account = caller_of(request).account
    role, reason = form.get("role", ""), form.get("reason", "").strip()
    release = await services.releases.find(reference, assistant=services.settings.assistant)
    async with services.database.read() as session:
        folder = (await read_folder(session, release.id))[1]
        asked = await governance_of(session, release, folder) or Governance()
    if role not in asked.approve_release:
        raise InvalidInput("governance.yaml doesn't ask that role to agree to a release.")
    approvals = Approvals(services.database, clock=services.clock, ledger=services.ledger)
    if form.get("deed") == "withdraw":
        await approvals.withdraw(release, role=role, own_role=account.role or "", actor=account.actor)
        return see(f"/console/governance?release={release.id}")
    if not reason or len(reason) > _MOST_REASON:
        raise InvalidInput("Give a reason of up to 1,000 characters; it goes into the ledger.")
    await approvals.give(
        release,
        role=role,
        own_role=account.role or "",
        actor=account.actor,
        reason=reason,
        four_eyes=asked.four_eyes,
    )
    return see(f"/console/governance?release={release.id}")


async def _chosen(services: Services, reference: str, lines: Sequence[ReleaseLine]) -> str:
    if reference:
        return (await services.releases.find(reference, assistant=services.settings.assistant)).id
    serving = [line.id for line in lines if line.serving]
    return (
        serving[0] if serving else (await services.releases.serving(services.settings.assistant)).release_id
    )


def _grid(risks: Sequence[RiskState]) -> Mapping[tuple[int, int], Sequence[RiskState]]:
    """Return the risks by likelihood and impact."""
    places: dict[tuple[int, int], list[RiskState]] = {}
    for item in risks:
        places.setdefault((item.risk.likelihood, item.risk.impact), []).append(item)
    return places
