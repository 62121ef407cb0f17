"""Results: what an A/B comparison showed and what it would take to know, and what a shadow said."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.console import measures
from steward.edge.console.entry import page, show
from steward.edge.console.rollout_words import KINDS, STATES
from steward.edge.console.starting import in_days
from steward.edge.entrance import services_of
from steward.edge.parameters import rollout_id_of
from steward.edge.templates import DASH
from steward.govern.access.permissions import Permission
from steward.improve.rollout.comparison import (
    ArmValue,
    Effect,
    ExperimentResults,
    Interval,
    KpiResult,
    ToKnow,
)
from steward.improve.rollout.pairs import ShareOf

router = APIRouter(prefix="/console/rollouts", include_in_schema=False)


@dataclass(frozen=True, slots=True)
class EffectBar:
    """Places of an effect's interval on a line from 0 to 1000, right of zero being more."""

    zero: float
    low: float
    high: float
    effect: float
    text: str


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One KPI compared, in words. `verdict` is better, worse or neither."""

    kpi: str
    title: str
    meaning: str
    direction: str
    baseline: str
    n_baseline: int
    candidate: str
    n_candidate: int
    effect: str
    always: str
    fixed: str
    verdict: str
    to_know: str
    watched: bool
    bar: EffectBar | None
    categories: tuple[tuple[str, str, str], ...]


@router.get("/{rollout_id}/results")
@page(Permission.ROLLOUT_READ)
async def results(request: Request, rollout_id: str) -> Response:
    """Show each KPI's effect with its interval and n, what it costs and what it would take to know."""
    services, identifier = services_of(request), rollout_id_of(rollout_id)
    found = await services.results.of(identifier)
    shown = await services.rollouts.page(identifier)
    going_on = shown.rollout.state.is_open
    lines = [result_line(item, shown.currency, going_on=going_on) for item in found.kpis]
    return await show(
        request,
        "results.html",
        page="rollouts",
        title=f"Results: release {shown.candidate_number} against release {shown.baseline_number}",
        shown=shown,
        found=found,
        kind=KINDS[found.kind],
        state=STATES[found.state],
        watched=[line for line in lines if line.watched],
        others=[line for line in lines if not line.watched],
        cost=cost_in_words(found),
        path=f"/console/rollouts/{identifier}",
    )


@router.get("/{rollout_id}/shadow")
@page(Permission.ROLLOUT_READ)
async def shadow(request: Request, rollout_id: str) -> Response:
    """Show how the candidate would have answered, compared by verification, time and cost."""
    services, identifier = services_of(request), rollout_id_of(rollout_id)
    found = await services.shadow_results.of(identifier)
    shown = await services.rollouts.page(identifier)
    return await show(
        request,
        "shadow.html",
        page="rollouts",
        title=f"Shadow: release {shown.candidate_number} beside release {shown.baseline_number}",
        shown=shown,
        found=found,
        share=share_in_words,
        path=f"/console/rollouts/{identifier}",
    )


def result_line(result: KpiResult, currency: str, *, going_on: bool) -> ResultLine:
    """Put one KPI's comparison into words; what it would take to know only while customers come."""
    overall = telling(result)
    return ResultLine(
        kpi=result.kpi,
        title=result.title,
        meaning=result.meaning,
        direction=measures.direction_of(result.kpi),
        baseline=measures.value_in_words(result.kpi, overall.baseline.value, currency),
        n_baseline=overall.baseline.n,
        candidate=measures.value_in_words(result.kpi, overall.candidate.value, currency),
        n_candidate=overall.candidate.n,
        effect=effect_in_words(result.kpi, overall.effect, currency),
        always=interval_in_words(result.kpi, overall.always, currency),
        fixed=interval_in_words(result.kpi, overall.fixed, currency),
        verdict={True: "better", False: "worse", None: "no difference found"}[result.better],
        to_know=to_know_in_words(result, currency) if going_on else "",
        watched=result.margin is not None,
        bar=effect_bar(result, currency),
        categories=tuple(
            (
                item.category,
                effect_in_words(result.kpi, item.effect, currency),
                interval_in_words(result.kpi, item.always, currency),
            )
            for item in result.categories
        ),
    )


def telling(result: KpiResult) -> Effect:
    """Return the effect to show: of all phases, or of the latest where there is nothing to weigh them by."""
    known = [effect for effect in result.phases if effect.effect is not None]
    return result.overall if result.overall.effect is not None or not known else known[-1]


def effect_in_words(kpi: str, effect: float | None, currency: str) -> str:
    """Return a difference with its sign."""
    if effect is None:
        return DASH
    amount = measures.change_in_words(kpi, effect, currency)
    return f"{'+' if effect > 0 else '−' if effect < 0 else ''}{amount}"


def interval_in_words(kpi: str, interval: Interval | None, currency: str) -> str:
    """Return where a difference lies."""
    if interval is None:
        return "not known yet"
    return measures.range_in_words(kpi, interval.low, interval.high, currency)


def to_know_in_words(result: KpiResult, currency: str) -> str:
    """Say what it would take until the interval is as narrow as the margin."""
    needed: ToKnow | None = result.to_know
    if needed is None:
        return ""
    margin = measures.change_in_words(result.kpi, needed.margin, currency)
    if needed.customers == 0:
        return f"exact to {margin}"
    when = "once traffic comes again" if needed.days is None else f"in {in_days(needed.days)}"
    return f"exact to {margin} after {needed.customers:,} more customers, {when}"


def effect_bar(result: KpiResult, currency: str) -> EffectBar | None:
    """Place an effect's interval on a line with zero in the middle."""
    interval, effect = result.overall.always or result.overall.fixed, result.overall.effect
    if interval is None or effect is None:
        return None
    widest = max(abs(interval.low), abs(interval.high), result.margin or 0.0) * 1.1 or 1.0

    def place(value: float) -> float:
        return (value / widest + 1.0) * 500.0

    text = f"effect {interval_in_words(result.kpi, interval, currency)}"
    return EffectBar(place(0.0), place(interval.low), place(interval.high), place(effect), text)


def cost_in_words(found: ExperimentResults) -> tuple[str, ...]:
    """Say what the arms cost and what the difference comes to in a month."""
    cost = found.cost
    if cost is None or cost.baseline.value is None or cost.candidate.value is None:
        return ()

    def each(value: ArmValue) -> str:
        return measures.value_in_words("cost_per_conversation", value.value, cost.currency)

    said = [
        f"A conversation costs {each(cost.baseline)} on the baseline and {each(cost.candidate)} "
        "on the candidate."
    ]
    if cost.per_month is not None:
        more = "more" if cost.per_month >= 0 else "less"
        text = (
            f"At {cost.conversations_per_month:,.0f} conversations a month the candidate would cost "
            f"{abs(cost.per_month):,.2f} {cost.currency} {more}"
        )
        if cost.per_month_interval is not None:
            low, high = cost.per_month_interval.low, cost.per_month_interval.high
            text += f" (from {low:,.2f} to {high:,.2f})".replace("-", "−")
        said.append(f"{text}.")
    return tuple(said)


def share_in_words(share: ShareOf) -> str:
    """Return a share with its interval and n."""
    if share.share is None or share.low is None or share.high is None:
        return f"{DASH} (n = 0)"
    return f"{share.share * 100:.1f} % ({share.low * 100:.1f} to {share.high * 100:.1f} %, n = {share.n:,})"
