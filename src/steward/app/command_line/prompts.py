"""`steward prompts`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]

app = App(name="prompts", help="What models are told.")


@app.command
def audit(
    folder: Annotated[Path, Parameter(help="The assistant folder.")] = Path(),
    *,
    release: Annotated[str | None, Parameter(help="Audit a release instead of a folder.")] = None,
    out: Annotated[
        Path | None, Parameter(help="Write the report into this file: .md for Markdown, .html for a page.")
    ] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Check prompts for what is missing, secret, contradictory, open to injection or wasted.

    Exits 1 when a finding of high severity is open.

    Args:
        folder: the assistant folder.
        release: a release's id, its beginning, its number, or a label.
        out: where to write the report.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.prompts import run_audit

    return run_audit(folder, release=release, out=out, as_json=json, data_dir=data_dir)
