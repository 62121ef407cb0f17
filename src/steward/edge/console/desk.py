"""The desk: who waits for a human, what one holds oneself, and what waits for an approval."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput
from steward.edge.callers import staff_of
from steward.edge.console.entry import form_of, is_partial, page, see, show
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import record_id_of
from steward.govern.access.permissions import Permission

router = APIRouter(prefix="/console", include_in_schema=False)


@router.get("/desk")
@page(Permission.CONVERSATION_REPLY)
async def desk(request: Request) -> Response:
    """Show the queues, the most pressing first, and the conversations that one holds."""
    services = services_of(request)
    categories = caller_of(request).account.categories
    invented = await services.overview.recent(limit=200, waiting=True, simulated=True, categories=categories)
    return await show(
        request,
        "_desk.html" if is_partial(request) else "desk.html",
        page="desk",
        title="Desk",
        waiting=await services.desk.waiting(categories=categories),
        simulated={line.id for line in invented},
        held=await services.desk.held_by(staff_of(caller_of(request))),
    )


@router.get("/approvals")
@page(Permission.WORKFLOW_APPROVE)
async def approvals(request: Request) -> Response:
    """Show what waits for somebody to agree."""
    lines = await services_of(request).approvals.waiting(categories=caller_of(request).account.categories)
    return await show(request, "approvals.html", page="approvals", title="Approvals", lines=lines)


@router.post("/approvals/{approval_id}")
@page(Permission.WORKFLOW_APPROVE)
async def decide(request: Request, approval_id: str) -> Response:
    """Approve or deny, with a reason."""
    form = form_of(request)
    decision, reason = form.get("decision"), form.get("reason", "").strip()
    if decision not in {"approve", "deny"} or not 0 < len(reason) <= 1000:
        raise InvalidInput("Choose approve or deny, and give a reason of up to 1,000 characters.")
    await services_of(request).approvals.decide(
        record_id_of(approval_id, "approval"),
        approve=decision == "approve",
        principal=caller_of(request).account,
        reason=reason,
    )
    return see("/console/approvals")
