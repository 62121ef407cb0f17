"""`steward subject-export`: what is kept about somebody, for that somebody."""

from __future__ import annotations

from pathlib import Path

from steward.app.commands.console import OPERATOR, print_json
from steward.app.commands.erase import named, with_retention, write_private
from steward.app.retaining import Retention


def run_subject_export(customer: str | None, *, out: Path, as_json: bool, data_dir: Path | None) -> int:
    """Write the zip and tell what is in it."""
    write_private(out, b"")  # a file that can't be written is found before anything is noted

    async def work(retention: Retention) -> int:
        made = await retention.exporting.export(named(customer), actor=OPERATOR)
        write_private(out, made.content)
        if as_json:
            print_json({"export": made.id, "records": made.records, "sha256": made.digest.hex(), "file": out})
        else:
            print(f"{made.records} records are in {out}: data.json for programs, index.html to read")
        return 0

    try:
        return with_retention(data_dir, work)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
