"""`steward subject-export`: what is kept about somebody, for that somebody."""

from __future__ import annotations

from pathlib import Path

from steward.app.commands.console import OPERATOR, print_json
from steward.app.commands.erase import named, with_retention
from steward.app.commands.private_files import private_file
from steward.app.retaining import Retention


def run_subject_export(customer: str | None, *, out: Path, as_json: bool, data_dir: Path | None) -> int:
    """Write the zip and tell what is in it."""
    whom = named(customer)

    async def work(retention: Retention) -> int:
        # A file that can't be written is found before anything is noted.
        with private_file(out) as write:
            made = await retention.exporting.export(whom, actor=OPERATOR)
            write(made.content)
        if as_json:
            print_json({"export": made.id, "records": made.records, "sha256": made.digest.hex(), "file": out})
        else:
            print(f"{made.records} records are in {out}: data.json for programs, index.html to read")
        return 0

    return with_retention(data_dir, work)
