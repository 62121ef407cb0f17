"""`steward release create|list|show|serve|label|prune`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.commands.folder import NoFolder, report_faults
from steward.app.foundation import Foundation, open_foundation
from steward.app.kpi_faults import read_checked
from steward.supply.assistant.faults import FolderFaults
from steward.supply.releases.contracts import short_id
from steward.supply.releases.labels import Labels
from steward.supply.releases.pruning import Pruning


def with_foundation(data_dir: Path | None, work: Callable[[Foundation], Awaitable[int]]) -> int:
    """Open the store, do the work, and return its exit code."""
    settings = prepared(data_dir)

    async def opened() -> int:
        async with open_foundation(settings, say=say) as foundation:
            return await work(foundation)

    return run_async(opened)


def run_create(folder: Path, *, serve: bool, as_json: bool, data_dir: Path | None) -> int:
    """Freeze a folder; perhaps serve it."""
    if not (folder / "assistant.yaml").exists():
        raise NoFolder(folder)
    try:
        read = read_checked(folder)
    except FolderFaults as error:
        report_faults(error, as_json=as_json)
        return 1

    async def work(foundation: Foundation) -> int:
        release = await foundation.releases.create(read, created_by=OPERATOR, progress=say)
        if serve:
            await foundation.releases.serve(read.name, release.id, actor=OPERATOR)
        if as_json:
            print_json(
                {"id": release.id, "number": release.number, "assistant": release.assistant, "serving": serve}
            )
        else:
            served = ", now served" if serve else ""
            print(f"{release.assistant} release {release.number}: {short_id(release.id)}{served}")
        return 0

    return with_foundation(data_dir, work)


def run_list(*, as_json: bool, data_dir: Path | None) -> int:
    """List releases."""

    async def work(foundation: Foundation) -> int:
        lines = await foundation.releases.recent()
        if as_json:
            print_json([asdict(line) for line in lines])
        elif not lines:
            say("no release yet; `steward release create FOLDER` makes one")
        for line in () if as_json else lines:
            notes = [*(["served"] if line.serving else []), *line.labels]
            print(
                f"{short_id(line.id)}  {line.assistant} {line.number:>4}  "
                f"{line.created_at:%Y-%m-%d %H:%M}  {' '.join(notes)}".rstrip()
            )
        return 0

    return with_foundation(data_dir, work)


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
        print(f"labels    {', '.join(details.labels) or 'none'}")
        print(f"signed    {', '.join(details.signed_with) or 'not yet: its first export signs it'}")
        for name, digest in details.artefacts.items():
            print(f"derived   {name}  {short_id(digest)}")
        for item in details.inert:
            print(f"left out  {item.path}: looks like an order to the assistant ({item.score:.2f})")
        return 0

    return with_foundation(data_dir, work)


def run_serve_release(reference: str, *, as_json: bool, data_dir: Path | None) -> int:
    """Make a release the served one."""

    async def work(foundation: Foundation) -> int:
        release = await foundation.releases.find(reference)
        # Nothing keeps it from being served: it may be an emergency. What a rollout asks for is on record.
        missing = (await foundation.governing.state(release.id)).missing
        serving = await foundation.releases.serve(
            release.assistant, release.id, actor=OPERATOR, missing=missing
        )
        for sentence in missing:
            say(f"served without what governance asks: {sentence}")
        if as_json:
            print_json({"release": serving.release_id, "generation": serving.generation})
        else:
            print(f"{release.assistant} serves release {release.number}: {short_id(release.id)}")
        return 0

    return with_foundation(data_dir, work)


def run_label(reference: str, name: str, *, remove: bool, as_json: bool, data_dir: Path | None) -> int:
    """Give a release a label, or take one off."""

    async def work(foundation: Foundation) -> int:
        release = await foundation.releases.find(reference)
        labels = Labels(foundation.store.database, clock=foundation.clock, ledger=foundation.ledger)
        before = None
        if remove:
            await labels.remove(release, name, actor=OPERATOR)
        else:
            before = await labels.put(release, name, actor=OPERATOR)
        shown = f"{release.assistant} release {release.number} ({short_id(release.id)})"
        moved = f"; it was {short_id(before)}'s" if before not in (None, release.id) else ""
        if as_json:
            print_json({"id": release.id, "label": name, "removed": remove, "before": before})
        else:
            print(f"{shown} is {'no longer ' if remove else ''}'{name}'{moved}")
        return 0

    return with_foundation(data_dir, work)


def run_prune(*, keep: int, dry_run: bool, as_json: bool, data_dir: Path | None) -> int:
    """Remove what nothing refers to, or say what that is."""

    async def work(foundation: Foundation) -> int:
        pruning = Pruning(foundation.store.database, clock=foundation.clock, ledger=foundation.ledger)
        if dry_run:
            pruned = await pruning.plan(keep=keep)
        else:
            pruned = await pruning.prune(keep=keep, actor=OPERATOR, progress=say)
        if as_json:
            print_json({**asdict(pruned), "dry_run": dry_run})
            return 0
        would = "would go" if dry_run else "gone"
        for release in pruned.releases:
            print(f"{short_id(release.id)}  {release.assistant} {release.number:>4}  {would}")
        print(
            f"{would}: {len(pruned.releases)} releases, {pruned.snapshots} knowledge snapshots, "
            f"{pruned.passages} passages, {pruned.documents} documents"
        )
        return 0

    return with_foundation(data_dir, work)
