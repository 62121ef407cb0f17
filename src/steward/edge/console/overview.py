"""The first page: how it goes, each figure with its n."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from steward.edge.console import measures
from steward.edge.console.charts import charts_of
from steward.edge.console.entry import page, show
from steward.edge.console.rollout_words import summary
from steward.edge.contracts import Services
from steward.edge.entrance import services_of
from steward.edge.parameters import limit_of
from steward.govern.access.permissions import Permission
from steward.improve.insight.contracts import Figure
from steward.improve.insight.live import Slice
from steward.improve.rollout.contracts import RolloutId

router = APIRouter(include_in_schema=False)


EXACT = (
    "resolution_rate",
    "durable_resolution_rate",
    "first_contact_resolution",
    "repeat_rate",
    "slow_turn_rate",
)
"""KPIs that the first page shows besides, each with its interval."""
ENDED = 2
"""Rollouts that ended in the period which the first page tells of; the list has all."""


@dataclass(frozen=True, slots=True)
class Change:
    """A rollout that changes what customers get now, or ended in the period."""

    id: RolloutId
    simulated: bool
    summary: Markup


@dataclass(frozen=True, slots=True)
class ExactFigure:
    """A KPI with its interval, in words."""

    title: str
    value: str
    note: str


@router.get("/console")
@page(Permission.KPI_READ)
async def overview(request: Request, days: str = "7") -> Response:
    """Show satisfaction, escalation, containment, latency and cost of the last days."""
    services, period = services_of(request), limit_of(days, most=90)
    figures = await services.first_page.figures(days=period)
    return await show(
        request,
        "overview.html",
        assets=("vega.js", "charts.js"),
        page="overview",
        title="Overview",
        figures=figures,
        charts=charts_of(figures),
        changes=await changes(services, days=period),
        exact=await exact_figures(services, days=period, currency=figures.currency),
    )


async def changes(services: Services, *, days: int) -> tuple[Change, ...]:
    """Return the open rollouts and the last that ended in the period, each told in a few sentences."""
    since = services.clock.now() - timedelta(days=days)
    found = await services.rollouts.recent(limit=10, assistant=services.settings.assistant)
    ended = [rollout for rollout in found if rollout.ended_at is not None and rollout.ended_at >= since]
    told = [*(rollout for rollout in found if rollout.state.is_open), *ended[:ENDED]]
    return tuple(
        [
            Change(rollout.id, rollout.simulated, summary(await services.rollouts.page(rollout.id)))
            for rollout in told
        ]
    )


async def exact_figures(services: Services, *, days: int, currency: str) -> tuple[ExactFigure, ...]:
    """Return further KPIs of real traffic with their intervals."""
    since = services.clock.now() - timedelta(days=days)
    traffic = Slice(since=since, assistant=services.settings.assistant)
    return tuple([exact_figure(name, await services.live.figure(name, traffic), currency) for name in EXACT])


def exact_figure(name: str, figure: Figure, currency: str) -> ExactFigure:
    """Put a figure into words: its interval, n, and what isn't final yet."""
    parts = []
    if figure.low is not None and figure.high is not None:
        low = measures.value_in_words(name, figure.low, currency)
        parts.append(f"{low.removesuffix(' %')} to {measures.value_in_words(name, figure.high, currency)}")
    parts.append(f"n = {figure.n:,}")
    if figure.immature:
        parts.append(f"{figure.immature:,} not final yet")
    return ExactFigure(
        measures.title_of(name), measures.value_in_words(name, figure.value, currency), ", ".join(parts)
    )
