"""Starts a new assistant folder from one of the templates that come with Steward."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from steward.base.errors import Conflict, InvalidInput
from steward.supply.assistant.collecting import is_junk
from steward.supply.assistant.faults import choice_of, nearest_of
from steward.supply.assistant.json_schemas import schema_comment, write_schemas

_MARK: Final = "# yaml-language-server:"


class FolderNotEmpty(Conflict):
    """A folder that holds something already."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} isn't empty; name a new folder, because an existing one is never written over"
        )


class NoSuchTemplate(InvalidInput):
    """A template that Steward doesn't come with."""

    def __init__(self, template: str) -> None:
        near = nearest_of(template, templates())
        meant = f"; nearest is {near}" if near else ""
        super().__init__(f"there is no template '{template}'; there are {choice_of(templates())}{meant}")


def templates() -> tuple[str, ...]:
    """Return the names of the templates, sorted."""
    return tuple(sorted(item.name for item in _root().iterdir() if item.is_dir() and not is_junk(item.name)))


def initialise(folder: Path, template: str) -> tuple[str, ...]:
    """Write a template into a folder that is new or empty, with schemas for editors.

    Returns:
        The paths written, below the folder, without the schemas.

    Raises:
        NoSuchTemplate: there is no such template.
        FolderNotEmpty: the folder holds something.
        InvalidInput: the folder's place is taken by a file.
    """
    if template not in templates():
        raise NoSuchTemplate(template)
    if folder.exists() and not folder.is_dir():
        raise InvalidInput(f"{folder} is a file; name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise FolderNotEmpty(folder)
    written = []
    for path, source in _walk(_root() / template, ""):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_with_schema(path, source.read_bytes()))
        written.append(path)
    write_schemas(folder)
    return tuple(written)


def _root() -> Traversable:
    return files("steward.supply.assistant") / "templates"


def _walk(folder: Traversable, above: str) -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if is_junk(item.name) or item.name.endswith((".py", ".pyc")):
            continue
        if item.is_dir():
            yield from _walk(item, f"{above}{item.name}/")
        else:
            yield f"{above}{item.name}", item


def _with_schema(path: str, content: bytes) -> bytes:
    comment = schema_comment(path)
    if comment is None or content.startswith(_MARK.encode()):
        return content
    return comment.encode() + content
