"""`steward key`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]

app = App(name="key", help="The master key: where it comes from, and its rotation.")


@app.command
def status(*, json: Json = False, data_dir: DataDir = None) -> int:
    """Show the master keys: which is in use, and what each has wrapped.

    Args:
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.key import run_status

    return run_status(as_json=json, data_dir=data_dir)


@app.command
def rotate(*, service: bool = False, json: Json = False, data_dir: DataDir = None) -> int:
    """Put a new master key into use and wrap every key by it; goes on where a rotation was interrupted.

    Args:
        service: also make a new version of the key service's own key, and seal the master keys by it.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.key import run_rotate

    return run_rotate(service=service, as_json=json, data_dir=data_dir)


@app.command
def retire(
    key_id: Annotated[str, Parameter(help="The key's id, as `steward key status` shows it.")],
    *,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Forget a master key that nothing is wrapped by any more.

    Args:
        key_id: the key's id.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.key import run_retire

    return run_retire(key_id, as_json=json, data_dir=data_dir)
