"""`steward init` and `steward check`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from steward.app.commands.console import print_json
from steward.app.kpi_faults import read_checked
from steward.base.errors import InvalidInput
from steward.supply.assistant.advice import advise
from steward.supply.assistant.faults import Fault, FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.personal_documents import personal_finds


class NoFolder(InvalidInput):
    """A command was called with a folder that isn't there, or isn't one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"There is no assistant folder at '{folder}'. `steward init {folder}` writes one; "
            "`steward up --demo` shows the sample."
        )


def init_folder(folder: Path, template: str) -> int:
    """Write a template's files and say what to do next."""
    files = initialise(folder, template)
    print(f"{folder}: {len(files)} files of the template '{template}'")
    print(f"next: steward check {folder}\n      steward up {folder}")
    return 0


def check_folder(folder: Path, *, as_json: bool) -> int:
    """Print every fault, or what the folder holds and advice; 1 when there are faults."""
    try:
        found = read_checked(folder)
        refuse_personal_documents(found)
    except FolderFaults as error:
        report_faults(error, as_json=as_json)
        return 1
    advice = advise(found, today=datetime.now(UTC).date())
    examples = sum(len(intent.examples) for intent in found.intents.intents)
    summary = {
        "assistant": found.name,
        "intents": len(found.intents.intents),
        "examples": examples,
        "documents": len(found.documents),
        "workflows": len(found.workflows),
        "cases": len(found.cases),
    }
    if as_json:
        print_json({"ok": True, **summary, "faults": [], "advice": [_fault(item) for item in advice]})
        return 0
    for item in advice:
        print(f"advice  {item}")
    print(
        f"{found.name}: {summary['intents']} intents with {examples} examples, "
        f"{summary['documents']} documents, {summary['workflows']} workflows, "
        f"{summary['cases']} cases. No faults."
    )
    return 0


def refuse_personal_documents(folder: Folder) -> None:
    """Refuse a folder whose rules let no personal data into documents, where there is some.

    Raises:
        FolderFaults: each find with file and line.
    """
    if folder.guardrails.masking.documents == "refuse" and (faults := tuple(personal_finds(folder))):
        raise FolderFaults(faults)


def report_faults(error: FolderFaults, *, as_json: bool = False) -> None:
    """Print all faults of a folder."""
    if as_json:
        print_json({"ok": False, "faults": [_fault(item) for item in error.faults]})
        return
    for item in error.faults:
        print(item, file=sys.stderr)
    count = len(error.faults)
    print(f"{count} fault{'s' if count != 1 else ''}", file=sys.stderr)


def _fault(item: Fault) -> dict[str, object]:
    return {
        "file": item.file,
        "line": item.line,
        "column": item.column,
        "sentence": item.sentence,
        "nearest": item.nearest,
    }
