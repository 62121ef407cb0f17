"""`steward prompts audit`: what an auditor would ask about the prompts."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import print_json
from steward.app.commands.folder import NoFolder, report_faults
from steward.app.commands.release import with_foundation
from steward.app.foundation import Foundation
from steward.app.kpi_faults import read_checked
from steward.base.errors import InvalidInput
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.prompt_audit.contracts import Finding, PromptAudit
from steward.supply.assistant.prompt_audit.report import as_markdown, as_page, summary_of
from steward.supply.assistant.prompt_audit.service import audit_prompts
from steward.supply.releases.contracts import short_id

WIDTH = 100
_WRITERS: dict[str, Callable[[PromptAudit], str]] = {".md": as_markdown, ".html": as_page}


class UnknownReport(InvalidInput):
    """A report was asked for in a form that there isn't, or at a place that can't be written."""


def run_audit(
    folder: Path, *, release: str | None, out: Path | None, as_json: bool, data_dir: Path | None
) -> int:
    """Audit the prompts of a folder or of a release; 1 when a finding of high severity is open."""
    if out is not None and out.suffix not in _WRITERS:
        raise UnknownReport(f"A report is written as .md or .html, and '{out}' is neither.")
    if release is None:
        return _of_folder(folder, out=out, as_json=as_json)

    async def work(foundation: Foundation) -> int:
        found = await foundation.releases.find(release)
        loaded = await foundation.releases.load(found.id)
        origin = f"release {found.number} ({short_id(found.id)})"
        return _report(loaded.folder, origin, out=out, as_json=as_json)

    return with_foundation(data_dir, work)


def _of_folder(folder: Path, *, out: Path | None, as_json: bool) -> int:
    if not (folder / "assistant.yaml").exists():
        raise NoFolder(folder)
    try:
        read = read_checked(folder)
    except FolderFaults as error:
        report_faults(error, as_json=as_json)
        return 1
    return _report(read, f"folder {folder.name or read.name}", out=out, as_json=as_json)


def _report(folder: Folder, origin: str, *, out: Path | None, as_json: bool) -> int:
    audit = audit_prompts(folder, origin=origin)
    if out is not None:
        try:
            out.write_text(_WRITERS[out.suffix](audit), encoding="utf-8")
        except OSError as error:
            raise UnknownReport(f"{out} can't be written: {error.strerror}.") from error
    if as_json:
        print_json({"ok": audit.passed, **asdict(audit)})
    else:
        print("\n".join(_lines(audit)))
    return 0 if audit.passed else 1


def _lines(audit: PromptAudit) -> Iterator[str]:
    for finding in audit.findings:
        yield from _finding(finding)
    yield f"{audit.assistant}, {audit.origin}: {summary_of(audit)}"


def _finding(finding: Finding) -> Iterator[str]:
    yield f"{finding.severity.value:<7} {finding.place}  {finding.code}"
    said = f"{finding.problem} {finding.why} {finding.mend}"
    if finding.accepted is not None:
        said = f"{finding.problem} Accepted: {finding.accepted}"
    yield textwrap.fill(said, WIDTH, initial_indent="        ", subsequent_indent="        ")
