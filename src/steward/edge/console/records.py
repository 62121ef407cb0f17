"""What was done, by whom: the ledger."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.console.entry import page, show
from steward.edge.entrance import services_of
from steward.edge.parameters import place_of
from steward.govern.access.permissions import Permission

router = APIRouter(prefix="/console", include_in_schema=False)


@router.get("/ledger")
@page(Permission.LEDGER_READ)
async def ledger(request: Request, before: str = "") -> Response:
    """Show the ledger's latest rows, or the latest before a position."""
    services = services_of(request)
    place = place_of(before) if before else None
    async with services.database.read() as session:
        rows = await services.ledger.recent(session, limit=100, before=place)
    return await show(request, "ledger.html", page="ledger", title="Ledger", rows=rows)


@router.get("/ledger/verify")
@page(Permission.LEDGER_READ)
async def verify(request: Request) -> Response:
    """Walk the whole chain and say whether it's intact."""
    services = services_of(request)
    async with services.database.read() as session:
        verdict = await services.ledger.verify(session)
    return await show(request, "_verdict.html", page="ledger", title="Ledger", verdict=verdict)
