"""A KPI's definition as statements of an engine.

PostgreSQL's are plain text and need nothing. The other engines' are made from them by sqlglot, which is
imported when it is needed.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from steward.improve.insight.contracts import By, Kpi, Matures, Over, Parameters, Quantile, Ratio, Scope

if TYPE_CHECKING:
    from sqlglot import Expr

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


class Engine(StrEnum):
    """Where logs may lie; the values are sqlglot's names of the dialects."""

    POSTGRESQL = "postgres"
    DUCKDB = "duckdb"
    SPARK = "spark"
    BIGQUERY = "bigquery"
    SNOWFLAKE = "snowflake"
    CLICKHOUSE = "clickhouse"


_QUANTILE = {
    Engine.DUCKDB: "quantile_cont({value}, {share})",
    Engine.SPARK: "percentile({value}, {share})",
    Engine.BIGQUERY: "approx_quantiles({value}, 1000)[offset({permille})]",
    Engine.SNOWFLAKE: "percentile_cont({share}) within group (order by {value})",
    Engine.CLICKHOUSE: "quantileExactInclusive({share})({value})",
}
"""Linear interpolation between neighbours, as PostgreSQL's percentile_cont does; BigQuery has only an
approximation as an aggregate."""


def observations_sql(kpi: Ratio) -> str:
    """Return PostgreSQL's statement for one KPI's units, with psycopg's named parameters.

    It takes `ids` (uuid[]) and those fields of `Parameters` that the KPI names, and returns
    (conversation_id uuid, numerator float8, denominator float8): one row per conversation of `ids` that
    counts in the KPI, and none for one that doesn't.
    """
    unit = "id" if kpi.over is Over.CONVERSATIONS else "conversation_id"
    numerator, denominator = (
        _PARAMETER.sub(r"%(\1)s", text.replace("%", "%%")) for text in (kpi.numerator, kpi.denominator)
    )
    rows = (
        f"select {unit} as unit, cast({numerator} as double precision) as y, "
        f"cast({denominator} as double precision) as d from {kpi.over.value} where {unit} = any(%(ids)s)"
    )
    if kpi.over is Over.CONVERSATIONS:
        return f"select unit, y, d from ({rows}) as units where y is not null and d is not null"
    return (
        f"select unit, sum(y), sum(d) from ({rows}) as units "
        "where y is not null and d is not null group by unit"
    )


def units_sql(kpi: Ratio, parameters: Parameters, scope: Scope, *, by: By | None = None) -> str:
    """Return PostgreSQL's statement for all units in scope: (part, unit, y, d), a row per conversation."""
    part = _part(kpi.over, by)
    unit = "id" if kpi.over is Over.CONVERSATIONS else "conversation_id"
    rows = (
        f"select {part} as part, {unit} as unit, "
        f"cast({bound(kpi.numerator, parameters)} as double precision) as y, "
        f"cast({bound(kpi.denominator, parameters)} as double precision) as d "
        f"from {kpi.over.value} where {_conditions(kpi, parameters, scope)}"
    )
    counted = f"({rows}) as counted where y is not null and d is not null"
    if kpi.over is Over.CONVERSATIONS:
        return f"select part, unit, y, d from {counted}"
    return f"select part, unit, sum(y) as y, sum(d) as d from {counted} group by part, unit"


def totals_sql(kpi: Ratio, parameters: Parameters, scope: Scope, *, by: By | None = None) -> str:
    """Return PostgreSQL's statement for (part, n, y, d, yy, dd, yd) of a ratio, a row per part."""
    return (
        "select part, count(*) as n, sum(y) as y, sum(d) as d, sum(y * y) as yy, sum(d * d) as dd, "
        f"sum(y * d) as yd from ({units_sql(kpi, parameters, scope, by=by)}) as units "
        "group by part order by part"
    )


def quantile_sql(kpi: Quantile, parameters: Parameters, scope: Scope, *, by: By | None = None) -> str:
    """Return PostgreSQL's statement for (part, n, value) of a quantile, a row per part."""
    rows = (
        f"select {_part(Over.TURNS, by)} as part, "
        f"cast({bound(kpi.expression, parameters)} as double precision) as v "
        f"from turns where {_conditions(kpi, parameters, scope)}"
    )
    return (
        f"select part, count(*) as n, percentile_cont({kpi.share}) within group (order by v) as value "
        f"from ({rows}) as measured where v is not null group by part order by part"
    )


def figure_sql(
    kpi: Kpi,
    engine: Engine,
    parameters: Parameters,
    scope: Scope,
    *,
    by: By | None = None,
) -> str:
    """Return an engine's statement for a KPI, over tables named `conversations` and `turns`.

    Columns are those of `totals_sql` or `quantile_sql`. The session's time zone must be UTC.
    """
    if isinstance(kpi, Quantile):
        statement = quantile_sql(kpi, parameters, scope, by=by)
    else:
        statement = totals_sql(kpi, parameters, scope, by=by)
    return statement if engine is Engine.POSTGRESQL else to_engine(statement, engine)


def to_engine(statement: str, engine: Engine) -> str:
    """Return a statement of PostgreSQL in another engine's words."""
    from sqlglot import exp, parse_one

    def in_its_words(node: Expr) -> Expr:
        if isinstance(node, exp.WithinGroup) and isinstance(node.this, exp.PercentileCont):
            share = float(node.this.this.name)
            value = node.expression.expressions[0].this.sql(dialect=engine.value)
            text = _QUANTILE[engine].format(value=value, share=share, permille=round(share * 1000))
            return parse_one(text, read=engine.value)
        if engine is Engine.CLICKHOUSE and isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
            # Its casts to a time take neither fractions nor zones.
            return parse_one(f"parseDateTime64BestEffort({node.this.sql()}, 6)", read=engine.value)
        return node

    return parse_one(statement, read="postgres").transform(in_its_words).sql(dialect=engine.value)


def columns_of(kpi: Kpi) -> frozenset[str]:
    """Return the names of the columns that a KPI's expressions read."""
    from sqlglot import exp, parse_one

    texts = [kpi.expression] if isinstance(kpi, Quantile) else [kpi.numerator, kpi.denominator]
    return frozenset(
        column.name for text in texts for column in parse_one(text, read="postgres").find_all(exp.Column)
    )


def bound(expression: str, parameters: Parameters) -> str:
    """Return an expression with the parameters' figures in it."""
    values = parameters.values()
    return _PARAMETER.sub(lambda found: repr(float(values[found[1]])), expression)


def moment(at: datetime) -> str:
    """Return a moment as a literal that every engine reads."""
    text = at.astimezone(UTC).isoformat(sep=" ", timespec="microseconds")
    return f"cast('{text}' as timestamp with time zone)"


def matured(matures: Matures, parameters: Parameters, at: datetime) -> str:
    """Return the condition on a row of `conversations` that its part in a KPI is final."""
    idle = moment(at - timedelta(minutes=parameters.idle_minutes))
    match matures:
        case Matures.CLOSED:
            return f"(state = 'closed' or last_at <= {idle})"
        case Matures.SURVEY:
            window = timedelta(hours=parameters.survey_hours)
        case Matures.RECONTACT:
            window = timedelta(hours=parameters.recontact_hours)
    return f"ended_at <= {moment(at - window)}"


def _conditions(kpi: Kpi, parameters: Parameters, scope: Scope) -> str:
    over_turns = isinstance(kpi, Quantile) or kpi.over is Over.TURNS
    column = "started_at" if over_turns else "opened_at"
    said = ["simulated" if scope.simulated else "not simulated"]
    if scope.assistant is not None:
        said.append("assistant = '{}'".format(scope.assistant.replace("'", "''")))
    if scope.since is not None:
        said.append(f"{column} >= {moment(scope.since)}")
    if scope.until is not None:
        said.append(f"{column} < {moment(scope.until)}")
    if isinstance(kpi, Ratio):
        if not over_turns:
            said.append(matured(kpi.matures, parameters, scope.at))
        elif kpi.matures is Matures.RECONTACT:
            window = timedelta(hours=parameters.recontact_hours)
            said.append(f"finished_at <= {moment(scope.at - window)}")
    return " and ".join(said)


def _part(over: Over, by: By | None) -> str:
    column = "started_at" if over is Over.TURNS else "opened_at"
    match by:
        case None:
            return "'all'"
        case By.HOUR | By.DAY:
            return f"date_trunc('{by.value}', {column})"
        case By.RELEASE:
            return "release_id"
        case _:
            return f"coalesce({by.value}, '')"
