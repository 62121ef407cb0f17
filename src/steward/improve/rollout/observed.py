"""Sums of measures that no trigger watches, read from the customers who were assigned.

A rollout keeps running sums of its triggers only. Everything else that can be compared is read when
somebody wants to see it: two statements, one over conversations and one over turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from steward.base.db.contracts import ReadSession
from steward.improve.insight.contracts import Matures, Over, Parameters, Ratio, Sums
from steward.improve.insight.transpile import bound
from steward.improve.rollout.contracts import ALL, Rollout

Key = tuple[str, int, str, str]
"""KPI, phase, category and arm."""


async def observed_sums(
    session: ReadSession, rollout: Rollout, kpis: Sequence[Ratio], *, now: datetime
) -> Mapping[Key, Sums]:
    """Return the sums of matured units by phase, category (and `ALL`) and arm.

    Args:
        session: where to read.
        rollout: whose assigned customers.
        kpis: what to measure.
        now: what is final at this moment counts.
    """
    plan = rollout.plan
    parameters = Parameters(slow_ms=plan.slow_ms, recontact_hours=plan.recontact_hours)
    values = {
        "rollout": rollout.id,
        Matures.CLOSED.value: now,
        Matures.SURVEY.value: now - timedelta(hours=plan.survey_hours),
        Matures.RECONTACT.value: now - timedelta(hours=plan.recontact_hours),
    }
    found: dict[Key, Sums] = {}
    for over in Over:
        chosen = [kpi for kpi in kpis if kpi.over is over]
        if not chosen:
            continue
        for row in await session.all(sums_sql(chosen, over, parameters), values):
            phase, category, arm = row[:3]
            for place, kpi in enumerate(chosen):
                n, *sums = row[3 + 6 * place : 9 + 6 * place]
                if n:
                    found[kpi.name, phase, category, arm] = Sums(n, *sums)
    return with_all_categories(found)


def with_all_categories(sums: Mapping[Key, Sums]) -> dict[Key, Sums]:
    """Return the sums with those of all categories together beside them."""
    whole = dict(sums)
    for (kpi, phase, _, arm), part in sums.items():
        key = (kpi, phase, ALL, arm)
        whole[key] = whole.get(key, Sums()).plus(part)
    return whole


def sums_sql(kpis: Sequence[Ratio], over: Over, parameters: Parameters) -> str:
    """Return the statement that adds up units of KPIs over one table, six columns for each KPI."""
    columns = ", ".join(_six(place, kpi.matures) for place, kpi in enumerate(kpis))
    pairs = [
        tuple(bound(text, parameters).replace("%", "%%") for text in (kpi.numerator, kpi.denominator))
        for kpi in kpis
    ]
    raw = ", ".join(f"({y})::float8 as y{i}, ({d})::float8 as d{i}" for i, (y, d) in enumerate(pairs))
    if over is Over.CONVERSATIONS:
        # "offset 0" keeps the view's columns from being computed again wherever an expression names them.
        once = "select * from conversations where id = a.conversation_id offset 0"
        units = f"select {raw} from ({once}) as conversations"
    else:
        added = ", ".join(
            f"sum(y{i}) filter (where d{i} is not null) as y{i}, "
            f"sum(d{i}) filter (where y{i} is not null) as d{i}"
            for i in range(len(pairs))
        )
        units = (
            f"select {added} from (select {raw} from turns where conversation_id = a.conversation_id) as said"
        )
    return (
        f"select a.phase, a.category, a.arm, {columns} from assignment a "
        f"cross join lateral ({units}) as u where a.rollout_id = %(rollout)s group by 1, 2, 3"
    )


def _six(place: int, matures: Matures) -> str:
    """Return count and sums of one KPI over the units whose value is final: how long ago they ended tells."""
    y, d = f"y{place}", f"d{place}"
    counted = (
        f"filter (where a.closed_taken <= %({matures.value})s and {y} is not null and {d} is not null "
        f"and {d} <> 0)"
    )
    terms = (y, d, f"{y} * {y}", f"{d} * {d}", f"{y} * {d}")
    return f"count(*) {counted}, " + ", ".join(f"coalesce(sum({term}) {counted}, 0)" for term in terms)
