"""`steward ledger`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]

ledger = App(name="ledger", help="The record of sensitive actions.")


@ledger.command
def verify(
    file: Path | None = None,
    *,
    start: Annotated[int, Parameter(name="--from")] = 1,
    witness: Path | None = None,
    key: str | None = None,
    open_end: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Recompute the ledger's chain and its signed heads. Exits 1 and names the row where it breaks.

    Args:
        file: an exported file to check by itself, without any database.
        start: a row to begin at; what lies before the signed head below it is taken as good.
        witness: a file of signed heads kept elsewhere, against which a cut-off end shows.
        key: the public key that signed, as `steward release key` prints it; this installation's by default.
        open_end: take an export of an earlier version, which has no closing line that proves its end.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.ledger import run_verify

    return run_verify(
        file, start=start, witness=witness, key=key, open_end=open_end, as_json=json, data_dir=data_dir
    )


@ledger.command
def export(
    out: Path,
    *,
    since: str | None = None,
    until: str | None = None,
    entry: str | None = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Write a stretch of the ledger, or one entry's proof, into a file that proves itself.

    The stretch is widened to the signed heads on both sides.

    Args:
        out: the file to write, JSON lines.
        since: from this day or moment on, ISO 8601.
        until: before this day or moment.
        entry: the id of one entry, to write only its proof.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.ledger import run_export

    return run_export(out, since=since, until=until, entry=entry, as_json=json, data_dir=data_dir)
