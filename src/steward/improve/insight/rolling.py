"""The statements that fill the hourly roll-ups: all KPIs of some hours in three passes over the views."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from steward.improve.insight.contracts import Better, Matures, Over, Parameters, Quantile, Ratio
from steward.improve.insight.figures import bucket_sql
from steward.improve.insight.kpis import ALL
from steward.improve.insight.transpile import bound, matured, moment

OUTCOMES = ("answered", "asked", "acted", "handed_over", "refused", "fell_back", "silent", "failed")
OUTCOME_PREFIX = "outcome_"
COUNTS = tuple(
    Ratio(
        f"{OUTCOME_PREFIX}{outcome}", outcome, "", "turns", Better.NEITHER, (), Over.TURNS,
        f"case when outcome = '{outcome}' then 1 end", f"case when outcome = '{outcome}' then 1 end",
    )
    for outcome in OUTCOMES
)  # fmt: skip
"""Turns by outcome: counted beside the KPIs for the first page."""
RATIOS = (*(kpi for kpi in ALL if isinstance(kpi, Ratio)), *COUNTS)
_DIMENSIONS = "assistant, simulated, release_id, arm, category, channel"
_CELL = f"hour, {_DIMENSIONS}"
WHOLE = "*"
"""Stands for all releases, arms, categories and channels: durations are counted for the whole lane as well,
so that figures of all traffic don't have to add up thousands of cells."""
_WHOLE = f"'{WHOLE}', '{WHOLE}', '{WHOLE}', '{WHOLE}'"
_FENCE = "offset 0"
"""Keeps PostgreSQL from working a view's column out once for each KPI that reads it."""
_FLAG = {Matures.CLOSED: "m_closed", Matures.SURVEY: "m_survey", Matures.RECONTACT: "m_recontact"}


def sketch_of(kpi: Quantile) -> str:
    """Return the name that a quantile's buckets are kept by: `turn_ms_p50` and `turn_ms_p95` share theirs."""
    return kpi.name.rsplit("_p", 1)[0]


SKETCHES = {sketch_of(kpi): kpi.expression for kpi in ALL if isinstance(kpi, Quantile)}


def cells_sql() -> str:
    """Return the statement that names the cells that some hours need."""
    parts = " union ".join(
        f"select assistant, simulated, release_id, arm, coalesce(category, ''), channel from {table} "
        f"where assistant = %(assistant)s and {at} >= %(start)s and {at} < %(end)s"
        for table, at in (("conversation", "opened_at"), ("turn", "started_at"))
    )
    lanes = f"select %(assistant)s, lane, {_WHOLE} from (values (false), (true)) as lanes(lane)"
    return f"insert into kpi_cell ({_DIMENSIONS}) {parts} union {lanes} on conflict do nothing"


def conversations_sql(parameters: Parameters, at: datetime) -> str:
    """Return the statement that rolls up what conversations are asked, from `start` to `end`."""
    kpis = [kpi for kpi in RATIOS if kpi.over is Over.CONVERSATIONS]
    flags = ", ".join(f"{matured(matures, parameters, at)} as {_FLAG[matures]}" for matures in (*_FLAG,))
    units = (
        f"select {_cell('opened_at')}, {flags}, {_measured(kpis, parameters)} from ("
        "select * from conversations where assistant = %(assistant)s and opened_at >= %(start)s "
        f"and opened_at < %(end)s {_FENCE}) as conversations"
    )
    return _rolled(units, kpis)


def turns_sql(parameters: Parameters, at: datetime) -> str:
    """Return the statement that rolls up what turns are asked.

    A conversation's turns of one hour and cell are one unit.
    """
    kpis = [kpi for kpi in RATIOS if kpi.over is Over.TURNS]
    window = moment(at - timedelta(hours=parameters.recontact_hours))
    flags = f"true as m_closed, true as m_survey, finished_at <= {window} as m_recontact"
    rows = (
        f"select {_cell('started_at')}, {flags}, conversation_id, {_measured(kpis, parameters)} from turns "
        "where assistant = %(assistant)s and started_at >= %(start)s and started_at < %(end)s"
    )
    dimensions = f"{_CELL}, m_closed, m_survey, m_recontact, conversation_id"
    units = f"select {dimensions}, {_summed(kpis)} from ({rows}) as measured group by {dimensions}"
    return _rolled(units, kpis)


def sketches_sql(*, whole: bool) -> str:
    """Return the statement that counts durations in buckets: by cell, or of the whole lane."""
    parts = ", ".join(f"('{name}', cast({value} as double precision))" for name, value in SKETCHES.items())
    cell = _cell("started_at")
    if whole:
        stars = ", ".join(f"'{WHOLE}' as {name}" for name in _DIMENSIONS.split(", ")[2:])
        cell = f"date_trunc('hour', started_at, 'UTC') as hour, assistant, simulated, {stars}"
    rows = (
        f"select {cell}, s.kpi, {bucket_sql('s.v')} as bucket from turns "
        f"cross join lateral (values {parts}) as s(kpi, v) "
        "where assistant = %(assistant)s and started_at >= %(start)s and started_at < %(end)s "
        "and s.v is not null"
    )
    counted = (
        f"select {_CELL}, kpi, bucket, count(*) as c from ({rows}) as bucketed group by {_CELL}, kpi, bucket"
    )
    return (
        "insert into kpi_hour (kpi, hour, cell, mature, n, sketch) "
        "select kpi, hour, cell.id, true, sum(c), "
        "string_agg(int2send(cast(bucket as int2)) || int4send(cast(c as int4)), '' order by bucket) "
        f"from ({counted}) as counted "
        f"join kpi_cell as cell using ({_DIMENSIONS}) group by kpi, hour, cell.id"
    )


def matures_sql(parameters: Parameters, at: datetime) -> str:
    """Return the statement for (hour, when the next conversation of it becomes final) of some hours."""
    idle = f"last_at + interval '{parameters.idle_minutes!r} minutes'"
    survey = f"ended_at + interval '{parameters.survey_hours!r} hours'"
    recontact = f"ended_at + interval '{parameters.recontact_hours!r} hours'"
    now = moment(at)
    return f"""
        select date_trunc('hour', c.opened_at, 'UTC'), min(due.at) filter (where due.at > {now})
        from (select opened_at, state, last_at, coalesce(closed_at, last_at) as ended_at from conversation
              where assistant = %(assistant)s and opened_at >= %(start)s and opened_at < %(end)s
                    and next_seq > 1) as c
        cross join lateral (
            values (case when state = 'open' then {idle} end), ({survey}), ({recontact})) as due(at)
        group by 1"""


def design_sql(over: Over, parameters: Parameters, at: datetime, *, sample: int) -> str:
    """Return the statement for a KPI's sums over conversations and, the capital ones, over customers.

    Rows are (kpi, simulated, customers, n, y, d, yy, dd, yd, YY, DD, YD) of mature units since `start`, of
    one customer in `sample`.
    """
    kpis = [kpi for kpi in RATIOS if kpi.over is over and kpi not in COUNTS]
    picked = f"hashtext(cast(c.customer_id as text)) %% {sample} = 0"
    if over is Over.CONVERSATIONS:
        flags = ", ".join(f"{matured(m, parameters, at)} as {_FLAG[m]}" for m in _FLAG)
        units = (
            f"select c.customer_id, simulated, {flags}, {_measured(kpis, parameters)} from ("
            "select * from conversations c where assistant = %(assistant)s and opened_at >= %(start)s "
            f"and {picked} {_FENCE}) as c"
        )
    else:
        flags = "true as m_closed, true as m_survey, true as m_recontact"
        rows = (
            f"select conversation_id, simulated, {_measured(kpis, parameters)} from turns "
            "where assistant = %(assistant)s and started_at >= %(start)s"
        )
        units = (
            f"select c.customer_id, t.simulated, {flags}, {_summed(kpis)} from ({rows}) as t "
            f"join conversation c on c.id = t.conversation_id where {picked} "
            "group by c.customer_id, t.simulated, t.conversation_id"
        )
    return (
        "select kpi, simulated, count(*), cast(sum(n) as double precision), sum(y), sum(d), sum(yy), "
        "sum(dd), sum(yd), sum(y * y), sum(d * d), sum(y * d) from ("
        "select k.kpi, simulated, customer_id, count(*) as n, sum(k.y) as y, sum(k.d) as d, "
        "sum(k.y * k.y) as yy, sum(k.d * k.d) as dd, sum(k.y * k.d) as yd "
        f"from ({units}) as units cross join lateral (values {_values(kpis)}) as k(kpi, mature, y, d) "
        "where k.mature and k.y is not null and k.d is not null group by k.kpi, simulated, customer_id"
        ") as customers group by kpi, simulated"
    )


def _rolled(units: str, kpis: Sequence[Ratio]) -> str:
    return (
        "insert into kpi_hour (kpi, hour, cell, mature, n, y, d, yy, dd, yd) "
        "select k.kpi, hour, cell.id, k.mature, count(*), sum(k.y), sum(k.d), sum(k.y * k.y), "
        f"sum(k.d * k.d), sum(k.y * k.d) from ({units}) as units join kpi_cell as cell using ({_DIMENSIONS}) "
        f"cross join lateral (values {_values(kpis)}) as k(kpi, mature, y, d) "
        "where k.y is not null and k.d is not null group by k.kpi, hour, cell.id, k.mature"
    )


def _values(kpis: Iterable[Ratio]) -> str:
    return ", ".join(f"('{kpi.name}', {_FLAG[kpi.matures]}, y{i}, d{i})" for i, kpi in enumerate(kpis))


def _measured(kpis: Iterable[Ratio], parameters: Parameters) -> str:
    return ", ".join(
        f"cast({bound(kpi.numerator, parameters)} as double precision) as y{i}, "
        f"cast({bound(kpi.denominator, parameters)} as double precision) as d{i}"
        for i, kpi in enumerate(kpis)
    )


def _summed(kpis: Iterable[Ratio]) -> str:
    return ", ".join(
        f"sum(y{i}) filter (where d{i} is not null) as y{i}, "
        f"sum(d{i}) filter (where y{i} is not null) as d{i}"
        for i, _ in enumerate(kpis)
    )


def _cell(time: str) -> str:
    return (
        f"date_trunc('hour', {time}, 'UTC') as hour, assistant, simulated, release_id, arm, "
        "coalesce(category, '') as category, channel"
    )
