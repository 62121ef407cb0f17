"""`steward kpi`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

Source = Annotated[
    str,
    Parameter(
        help="`postgresql` for the live figures, or a Parquet or CSV file, or a directory with "
        "conversations.* and turns.*."
    ),
]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]


def kpi(
    name: str | None = None,
    *,
    source: Source = "postgresql",
    since: Annotated[
        str | None, Parameter(help="From this day or moment on, ISO 8601; 28 days by default.")
    ] = None,
    by: Annotated[
        Literal["hour", "day", "category", "channel", "release", "arm"] | None,
        Parameter(help="Split into parts."),
    ] = None,
    simulated: Annotated[
        bool, Parameter(negative="", help="Of simulated customers instead of real ones.")
    ] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Show KPIs with their intervals and what they stand on; all of them, or the one you name.

    Args:
        name: the KPI's name.
        source: where the conversations and turns lie.
        since: from when on.
        by: split into parts; needs a name.
        simulated: of simulated customers.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.kpi import Question, run_kpi

    asked = Question(name=name, source=source, since=since, by=by, simulated=simulated)
    return run_kpi(asked, as_json=json, data_dir=data_dir)
