"""Faults of the KPI names in a folder's goals and triggers.

The folder's own reader can't know them: KPIs belong to a plane above it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from steward.improve.insight.errors import KpiNotFound, NotATrigger
from steward.improve.insight.kpis import names, trigger_of
from steward.supply.assistant.faults import Fault, FolderFaults, nearest_of
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_folder


def read_checked(path: Path) -> Folder:
    """Read a folder and refuse KPI names that there aren't.

    Raises:
        FolderFaults: each fault with file and line.
    """
    folder = read_folder(path)
    require_known_kpis(folder, path)
    return folder


def require_known_kpis(folder: Folder, path: Path) -> None:
    """Refuse a folder whose goals or triggers name a KPI that there isn't.

    Args:
        folder: a folder without other faults.
        path: where it lies, for the faults' places.

    Raises:
        FolderFaults: each with file and line.
    """
    if faults := tuple(kpi_faults(folder, path)):
        raise FolderFaults(faults)


def kpi_faults(folder: Folder, path: Path) -> Iterator[Fault]:
    """Yield a fault for each KPI that doesn't exist, or that a trigger can't watch."""
    for index, goal in enumerate(folder.assistant.business.goals):
        if goal.kpi not in names():
            place = ("business", "goals", index, "kpi")
            said = f"a goal names the KPI '{goal.kpi}', which doesn't exist"
            yield _fault(folder, path, "assistant.yaml", place, said, nearest_of(goal.kpi, names()))
    for index, trigger in enumerate(folder.rollout.triggers):
        try:
            trigger_of(trigger.kpi)
        except KpiNotFound:
            said = f"a trigger names the KPI '{trigger.kpi}', which doesn't exist"
            nearest = nearest_of(trigger.kpi, names())
        except NotATrigger as error:
            said, nearest = str(error), None
        else:
            continue
        yield _fault(folder, path, "rollout.yaml", ("triggers", index, "kpi"), said, nearest)


def _fault(
    folder: Folder, path: Path, file: str, at: tuple[str | int, ...], said: str, nearest: str | None
) -> Fault:
    place = folder.sources[file].place(at)
    shown = file if path.as_posix() == "." else f"{path.as_posix()}/{file}"
    return Fault(shown, place.line, place.column, said, nearest)
