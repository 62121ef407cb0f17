"""The first page: how it goes, each figure with its n."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.console.charts import charts_of
from steward.edge.console.entry import page, show
from steward.edge.entrance import services_of
from steward.edge.parameters import limit_of
from steward.govern.access.permissions import Permission

router = APIRouter(include_in_schema=False)


@router.get("/console")
@page(Permission.KPI_READ)
async def overview(request: Request, days: str = "7") -> Response:
    """Show satisfaction, escalation, containment, latency and cost of the last days."""
    figures = await services_of(request).first_page.figures(days=limit_of(days, most=90))
    return await show(
        request,
        "overview.html",
        assets=("vega.js", "charts.js"),
        page="overview",
        title="Overview",
        figures=figures,
        charts=charts_of(figures),
    )
