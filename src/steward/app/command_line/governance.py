"""`steward governance`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]

governance = App(name="governance", help="Who answers for what, which risks there are, and what lowers them.")


@governance.command
def report(
    release: str | None = None,
    *,
    out: Path | None = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Report on a release's governance. Exits 1 when something that it asks for is missing.

    Args:
        release: id, beginning of it, number or label; the one being served by default.
        out: write a document, Markdown for `.md` or HTML for `.html`.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.governance import run_report

    return run_report(release, out=out, as_json=json, data_dir=data_dir)
