"""The reference page of commands and settings, generated from what they are."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from cyclopts import App

from steward.app.cli import app
from steward.app.settings import PREFIX, Settings

HEAD = """# Commands and settings

This page is generated (`python -m steward.app.reference`); a test compares it with the code.

Exit codes: 0 done, 1 it ran and the answer is no, 2 it could not run.

## Commands
"""
SETTINGS = """
## Settings

Settings belong to an installation, not to an assistant. They come from the environment, or by their
lower-case names from `steward.toml` in the data directory; the command line wins over the environment,
and that over the file.
`STEWARD_MASTER_KEY` (32 bytes in base64) takes the place of the file `master.key`.

| variable | default | meaning |
|---|---|---|
"""
_BUILT_IN = ("--help", "-h", "--version")


def reference() -> str:
    """Return the page as Markdown."""
    commands = "".join(f"\n- `steward {name}`: {sentence}" for name, sentence in commands_of(app, ""))
    rows = "".join(
        f"| `{PREFIX}{name.upper()}` | {_default(name)} | {field.description} |\n"
        for name, field in Settings.model_fields.items()
    )
    return f"{HEAD}{commands}\n{SETTINGS}{rows}"


def commands_of(group: App, above: str) -> Iterator[tuple[str, str]]:
    """Yield each command's name and the first sentence of its help."""
    for name in group:
        if name in _BUILT_IN:
            continue
        command = group[name]
        whole = f"{above}{name}"
        if command.default_command is None:
            yield from commands_of(command, f"{whole} ")
        else:
            text = inspect.getdoc(command.default_command) or ""
            yield whole, " ".join(text.split("\n\n")[0].split())


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if name == "data_dir":
        return "`~/.local/share/steward`"
    default = field.get_default(call_default_factory=True, validated_data={})
    return "" if default in (None, {}) else f"`{default}`"


if __name__ == "__main__":
    print(reference(), end="")
