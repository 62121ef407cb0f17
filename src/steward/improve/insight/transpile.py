"""A KPI's expressions as statements of an engine.

PostgreSQL's are plain text; the other engines' are made by sqlglot, which is imported when it is needed.
"""

from __future__ import annotations

import re

from steward.improve.insight.contracts import Over, Ratio

_PARAMETER = re.compile(r"(?<!:):([a-z_]+)")


def observations_sql(kpi: Ratio) -> str:
    """Return PostgreSQL's statement for one KPI's units, with psycopg's named parameters.

    It takes `ids` (uuid[]) and those fields of `Parameters` that the KPI names, and returns
    (conversation_id uuid, numerator float8, denominator float8): one row per conversation of `ids` that
    counts in the KPI, and none for one that doesn't.
    """
    numerator, denominator = postgresql_expression(kpi.numerator), postgresql_expression(kpi.denominator)
    if kpi.over is Over.CONVERSATIONS:
        return (
            "select unit, y, d from (select id as unit, "
            f"cast({numerator} as double precision) as y, cast({denominator} as double precision) as d "
            "from conversations where id = any(%(ids)s)) as units where y is not null and d is not null"
        )
    return (
        "select unit, sum(y), sum(d) from (select conversation_id as unit, "
        f"cast({numerator} as double precision) as y, cast({denominator} as double precision) as d "
        "from turns where conversation_id = any(%(ids)s)) as units "
        "where y is not null and d is not null group by unit"
    )


def postgresql_expression(expression: str) -> str:
    """Return a KPI's expression with psycopg's named parameters."""
    return _PARAMETER.sub(r"%(\1)s", expression.replace("%", "%%"))
