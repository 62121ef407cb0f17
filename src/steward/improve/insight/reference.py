"""Writes the reference page of the KPIs from their definitions, so that the page is never behind.

`python -m steward.improve.insight.reference > docs/reference/kpis.md` writes it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from steward.improve.insight.contracts import Better, Kpi, Matures, Over, Quantile
from steward.improve.insight.kpis import ALL
from steward.improve.insight.tables import TABLES

_HEAD = """# KPIs

Every KPI is defined once, over the columns of two tables that stand below. The console, rollouts, `steward
kpi` and this page read the same definitions. `steward kpi NAME` shows one with its interval and what it
stands on; [measures](../concepts/measures.md) explains what the intervals mean and when a measure is final.

A *share* is between 0 and 1. *money* is in the assistant's currency. A KPI marked as trigger can be watched
by a rollout (`rollout.yaml`); its unit is one conversation. *Final* tells when a conversation's part in it
can't change any more.

| KPI | meaning | unit | better | trigger | final | for |
|---|---|---|---|---|---|---|
"""
_DEFINITIONS = """
## Definitions

Numerators and denominators are SQL over one row; where either is null the row doesn't count. Over `turns`
both are added up per conversation first. Names with a colon are the installation's own figures: `:slow_ms`
is `slow_seconds` of `rollout.yaml`, `:recontact_hours` its `maturity.recontact_hours`.
"""
_TABLES = {
    Over.CONVERSATIONS: "One row per conversation in which something was said.",
    Over.TURNS: "One row per customer message and all that answering it took.",
}
_FILES = """
## Files

`steward kpi --source DIR` reads `conversations.parquet` and `turns.parquet` (or `.csv`, or directories of
Parquet parts) with these columns; times without a zone are UTC. A KPI needs the columns that its definition
names; without a name, `steward kpi` shows those that the files have columns for. `id` and `opened_at` (of
turns: `id`, `conversation_id` and `started_at`) must be there. Without `simulated` all rows are real,
without `state` all conversations are closed, and without `ended_at` they end when they open.
"""
_FINAL = {
    Matures.CLOSED: "at its end",
    Matures.SURVEY: "when the survey closes",
    Matures.RECONTACT: "after the re-contact window",
}


def page() -> str:
    """Return the page as Markdown."""
    rows = "".join(f"{_row(kpi)}\n" for kpi in ALL)
    definitions = "".join(_definition(kpi) for kpi in ALL)
    return _HEAD + rows + _DEFINITIONS + definitions + "".join(_tables()) + _FILES


def _row(kpi: Kpi) -> str:
    better = "" if kpi.better is Better.NEITHER else kpi.better.value
    if isinstance(kpi, Quantile):
        trigger, final = "", "at once"
    else:
        trigger = "yes" if kpi.trigger else ""
        at_once = kpi.over is Over.TURNS and kpi.matures is Matures.CLOSED
        final = "at once" if at_once else _FINAL[kpi.matures]
    stakeholders = ", ".join(kpi.stakeholders)
    return f"| `{kpi.name}` | {kpi.meaning} | {kpi.unit} | {better} | {trigger} | {final} | {stakeholders} |"


def _definition(kpi: Kpi) -> str:
    if isinstance(kpi, Quantile):
        body = f"quantile {kpi.share} over turns of\n  {kpi.expression}"
    else:
        body = f"sum over {kpi.over.value} of\n  {kpi.numerator}\ndivided by the sum of\n  {kpi.denominator}"
    return f"\n### {kpi.name}\n\n```text\n{body}\n```\n"


def _tables() -> Iterator[str]:
    for over, columns in TABLES.items():
        yield f"\n## The table `{over.value}`\n\n{_TABLES[over]}\n\n"
        yield "| column | type | meaning |\n|---|---|---|\n"
        for column in columns:
            yield f"| `{column.name}` | {column.kind.value} | {column.meaning} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
