"""`steward release create|list|show|diff|serve`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import prepared, print_json, run_async, say
from steward.app.commands.folder import report_faults
from steward.app.wiring import Foundation, open_foundation
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.reading import read_folder
from steward.supply.releases.contracts import short_id


def _with_foundation(data_dir: Path | None, work: Callable[[Foundation], Awaitable[int]]) -> int:
    settings = prepared(data_dir)

    async def opened() -> int:
        async with open_foundation(settings, say=say) as foundation:
            return await work(foundation)

    return run_async(opened)


def run_create(folder: Path, *, serve: bool, as_json: bool, data_dir: Path | None) -> int:
    """Freeze a folder; perhaps serve it."""
    try:
        read = read_folder(folder)
    except FolderFaults as error:
        report_faults(error, as_json=as_json)
        return 1

    async def work(foundation: Foundation) -> int:
        release = await foundation.releases.create(read, created_by="operator", progress=say)
        if serve:
            await foundation.releases.serve(read.name, release.id, actor="operator")
        if as_json:
            print_json(
                {"id": release.id, "number": release.number, "assistant": release.assistant, "serving": serve}
            )
        else:
            served = ", now served" if serve else ""
            print(f"{release.assistant} release {release.number}: {short_id(release.id)}{served}")
        return 0

    return _with_foundation(data_dir, work)


def run_list(*, as_json: bool, data_dir: Path | None) -> int:
    """List releases."""

    async def work(foundation: Foundation) -> int:
        lines = await foundation.releases.recent()
        if as_json:
            print_json([asdict(line) for line in lines])
        for line in () if as_json else lines:
            served = "  served" if line.serving else ""
            print(
                f"{short_id(line.id)}  {line.assistant} {line.number:>4}  "
                f"{line.created_at:%Y-%m-%d %H:%M}{served}"
            )
        return 0

    return _with_foundation(data_dir, work)


def run_show(reference: str, *, as_json: bool, data_dir: Path | None) -> int:
    """Show one release."""

    async def work(foundation: Foundation) -> int:
        details = await foundation.releases.show(reference)
        if as_json:
            print_json(asdict(details))
            return 0
        release = details.release
        print(f"{release.assistant} release {release.number}\nid        {release.id}")
        print(f"made      {release.created_at:%Y-%m-%d %H:%M} UTC by {release.created_by}")
        print(f"knowledge {release.snapshot_id}\nserved    {'yes' if details.serving else 'no'}")
        for name, digest in details.artefacts.items():
            print(f"derived   {name}  {short_id(digest)}")
        return 0

    return _with_foundation(data_dir, work)


def run_diff(before: str, after: str, *, as_json: bool, data_dir: Path | None) -> int:
    """Say what changed between two releases."""

    async def work(foundation: Foundation) -> int:
        difference = await foundation.releases.diff(before, after)
        print_json(asdict(difference)) if as_json else print(difference)
        return 0

    return _with_foundation(data_dir, work)


def run_serve_release(reference: str, *, as_json: bool, data_dir: Path | None) -> int:
    """Make a release the served one."""

    async def work(foundation: Foundation) -> int:
        release = await foundation.releases.find(reference)
        serving = await foundation.releases.serve(release.assistant, release.id, actor="operator")
        if as_json:
            print_json({"release": serving.release_id, "generation": serving.generation})
        else:
            print(f"{release.assistant} serves release {release.number}: {short_id(release.id)}")
        return 0

    return _with_foundation(data_dir, work)
