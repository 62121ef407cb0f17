"""`steward release`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Folder = Annotated[Path, Parameter(help="The assistant folder.")]
Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]

release = App(name="release", help="Freeze folders into releases, and name, compare, move and prune them.")


@release.command
def create(
    folder: Folder = Path(), *, serve: bool = False, json: Json = False, data_dir: DataDir = None
) -> int:
    """Freeze a folder into a release. The same inputs give the same id on any machine.

    Args:
        folder: the assistant folder.
        serve: also make it the one that new conversations start on.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.release import run_create

    return run_create(folder, serve=serve, as_json=json, data_dir=data_dir)


@release.command(name="list")
def list_releases(*, json: Json = False, data_dir: DataDir = None) -> int:
    """List releases, the newest first."""
    from steward.app.commands.release import run_list

    return run_list(as_json=json, data_dir=data_dir)


@release.command
def show(reference: str, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Show one release: what it was made from, what was derived, who signed it.

    Args:
        reference: its id, the beginning of it, its number or a label.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.release import run_show

    return run_show(reference, as_json=json, data_dir=data_dir)


@release.command
def diff(before: str, after: str, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Say what changed between two releases: in words, in behaviour and in cost.

    Args:
        before: the older one.
        after: the newer one.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.difference import run_diff

    return run_diff(before, after, as_json=json, data_dir=data_dir)


@release.command
def serve(reference: str, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Make a release the one that new conversations start on.

    Args:
        reference: its id, the beginning of it, its number or a label.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.release import run_serve_release

    return run_serve_release(reference, as_json=json, data_dir=data_dir)


@release.command
def label(
    reference: str,
    name: str,
    *,
    remove: Annotated[bool, Parameter(negative="", help="Take the label off instead.")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Name a release; a name that another release of the assistant has moves here.

    Args:
        reference: its id, the beginning of it, its number or a label.
        name: the label, such as `stable`; not a number, and not what could be an id.
        remove: take the label off.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.release import run_label

    return run_label(reference, name, remove=remove, as_json=json, data_dir=data_dir)


@release.command
def export(reference: str, file: Path, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Write a release into one signed file, for another installation.

    Args:
        reference: its id, the beginning of it, its number or a label.
        file: where to write it; what is there is replaced.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.moving import run_export

    return run_export(reference, file, as_json=json, data_dir=data_dir)


@release.command(name="import")
def import_release(file: Path, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Take a release from a file that a trusted installation signed. Nothing is served by this alone.

    Args:
        file: what `release export` wrote.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.moving import run_import

    return run_import(file, as_json=json, data_dir=data_dir)


@release.command
def key(*, json: Json = False, data_dir: DataDir = None) -> int:
    """Print this installation's public release key, for others to trust."""
    from steward.app.commands.moving import run_key

    return run_key(as_json=json, data_dir=data_dir)


@release.command
def trust(
    name: str | None = None,
    public_key: str | None = None,
    *,
    remove: Annotated[bool, Parameter(negative="", help="Trust the key of this name no longer.")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Let releases in that another installation signed; without a name, list the trusted keys.

    Args:
        name: what to call that installation.
        public_key: what `steward release key` prints there.
        remove: trust the key of this name no longer.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.moving import run_trust

    return run_trust(name, public_key, remove=remove, as_json=json, data_dir=data_dir)


@release.command
def prune(
    *,
    keep: Annotated[int, Parameter(help="How many of each assistant's newest releases stay.")] = 10,
    dry_run: Annotated[
        bool, Parameter(name="--dry-run", negative="", help="Say what would go, and remove nothing.")
    ] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Remove releases that nothing refers to, and the knowledge that only they held.

    What is served, compared, labelled, or named by a conversation, turn, workflow or evaluation stays.

    Args:
        keep: how many of each assistant's newest releases stay whatever refers to them, at least 1.
        dry_run: say what would go.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.release import run_prune

    return run_prune(keep=keep, dry_run=dry_run, as_json=json, data_dir=data_dir)


@release.command
def approve(
    reference: str,
    *,
    role: str,
    reason: Annotated[str, Parameter(help="Why, for the ledger.")] = "",
    withdraw: Annotated[bool, Parameter(negative="")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Agree to a release in a role that governance.yaml asks, or take that back.

    Args:
        reference: id, beginning of it, number or label.
        role: the role that agrees.
        reason: why.
        withdraw: take the agreement back.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.governance import run_approve

    return run_approve(
        reference, role=role, reason=reason, withdraw=withdraw, as_json=json, data_dir=data_dir
    )
