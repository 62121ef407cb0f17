"""JSON Schemas of the folder's files, so that editors complete keys and underline faults while typing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pydantic import BaseModel

from steward.supply.assistant.places import FILES_IN, SIDECAR, TOP_FILES
from steward.supply.assistant.schema.documents import DocumentMeta, PromptMeta

FOLDER: Final = ".schema"
"""Hidden, so that it never counts as a part of the assistant."""
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema_names() -> Mapping[str, type[BaseModel]]:
    """Return the schema's name (`intents`, `workflow`, …) and model of each kind of file."""
    top = {PurePosixPath(file).stem: model for file, model in TOP_FILES.items()}
    inside = {model.__name__.lower(): model for model in FILES_IN.values()}
    return {**top, **inside, "document": DocumentMeta, "prompt": PromptMeta}


def json_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return one model's JSON Schema (draft 2020-12), with the keys as they stand in files."""
    return {"$schema": _DIALECT, **model.model_json_schema(by_alias=True, mode="validation")}


def write_schemas(folder: Path) -> tuple[Path, ...]:
    """Write every schema into `folder/.schema` and return the paths written."""
    target = folder / FOLDER
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for name, model in schema_names().items():
        path = target / f"{name}.schema.json"
        path.write_text(json.dumps(json_schema(model), indent=2, sort_keys=True) + "\n", encoding="utf-8")
        written.append(path)
    return tuple(written)


def schema_comment(path: str) -> str | None:
    """Return the first line that tells an editor a file's schema, or None where it has none.

    Args:
        path: the file's path below the folder.
    """
    place = PurePosixPath(path)
    if path in TOP_FILES:
        name = place.stem
    elif place.suffix == ".yaml" and place.parts[0] in FILES_IN:
        name = FILES_IN[place.parts[0]].__name__.lower()
    elif path.endswith(SIDECAR):
        name = "document"
    else:
        return None
    up = "../" * (len(place.parts) - 1)
    return f"# yaml-language-server: $schema={up}{FOLDER}/{name}.schema.json\n"
