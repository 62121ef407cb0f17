"""Reads an assistant folder as a whole: every fault of every file in one run, or a `Folder`.

The order is: collect bytes, read each file into a tree, fit it to its schema, check what crosses
files. A file with faults still takes part in the later steps with whatever of it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from steward.supply.assistant.collecting import collect, shapes_behaviour
from steward.supply.assistant.crosschecks.all import cross_check
from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault, FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.parsing import parse
from steward.supply.assistant.schema.connectors import Connectors
from steward.supply.assistant.schema.rollout import Rollout


def read_folder(path: Path) -> Folder:
    """Read and check an assistant folder on disk.

    Raises:
        FolderFaults: it isn't a folder, or it has faults; all of them are in the error.
    """
    if not path.is_dir():
        said = "this isn't a folder; name an assistant folder, or make one with `steward init`"
        raise FolderFaults([Fault(path.as_posix(), None, None, said)])
    files, faults = collect(path)
    above = "" if path.as_posix() == "." else path.as_posix()
    return _read(files, above, faults)


def read_files(files: Mapping[str, bytes], name: str) -> Folder:
    """Read and check an assistant from its files' bytes, as a release holds them.

    Args:
        files: bytes by path below the folder.
        name: how faults name the folder.

    Raises:
        FolderFaults: the files have faults; all of them are in the error.
    """
    return _read({path: files[path] for path in sorted(files) if shapes_behaviour(path)}, name, ())


def _read(files: Mapping[str, bytes], above: str, faults: tuple[Fault, ...]) -> Folder:
    draft = parse(files, above)
    found = [*faults, *draft.faults, *cross_check(draft)]
    if found:
        raise FolderFaults(found)
    return _finished(draft, files)


def _finished(draft: Draft, files: Mapping[str, bytes]) -> Folder:
    assert draft.assistant is not None
    assert draft.intents is not None
    assert draft.guardrails is not None
    assert draft.desk is not None
    return Folder(
        name=draft.assistant.name,
        assistant=draft.assistant,
        intents=draft.intents,
        workflows=draft.workflows,
        connectors=draft.connectors or Connectors(),
        guardrails=draft.guardrails,
        desk=draft.desk,
        rollout=draft.rollout or Rollout(),
        governance=draft.governance,
        prompts=draft.prompts,
        documents=tuple(draft.documents),
        cases=tuple(case for cases in draft.cases.values() for case in cases.cases),
        files=files,
        sources=draft.sources,
    )
