"""Writes the reference page of the assistant folder from its schema, so that the page is never behind.

`python -m steward.supply.assistant.reference > docs/reference/assistant-folder.md` writes it anew.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from steward.supply.assistant.places import DOCUMENT_KINDS, FILES_IN, REQUIRED, SIDECAR, TOP_FILES
from steward.supply.assistant.prompts import PROMPT_VARIABLES
from steward.supply.assistant.schema.base import NAME_PATTERN
from steward.supply.assistant.schema.documents import DocumentMeta, PromptMeta

_HEAD: Final = """# The assistant folder

Everything that shapes an assistant's behaviour is files in one folder. This page lists every file and every
key; it is generated from the schema. `steward check DIR` reads a folder as a whole and tells all faults at
once, each at its line and column. Keys that aren't listed here are faults.

Keys marked *required* must be written. A *name* is lower-case letters, digits and `_`, and starts with a
letter. Hidden files, editor backups and a `README` at the top are left out of the assistant.
"""

_LANGUAGE: Final = """## Values in texts, and conditions

Texts and arguments of a workflow may name values in braces: `{account}` is a slot, `{duplicate.amount}` a
field of a check's or step's result, `{customer.name}` a claim of the verified customer. A doubled brace
(`{{`) stands for one. A text may name only what is known by then: a check's result from that check on, a
step's from that step on.

A condition compares one value with one constant:

| condition | holds when |
|---|---|
| `always` | always |
| `duplicate.found` | the value says yes (not `false`, `no`, `0` or empty) |
| `not duplicate.found` | the value is there and says no |
| `duplicate.amount > 100` | both are numbers, compared exactly; also `>=`, `<`, `<=`, `==`, `!=` |
| `invoice.due < 2026-11-30` | the value is a date before that day |
| `line.status == suspended` | the value is this word; put several words into quotes |

A condition whose value is missing never holds, whichever way it is put.
"""


def reference() -> str:
    """Return the whole page as Markdown."""
    parts = [_HEAD, "\n".join(_overview()), _LANGUAGE]
    parts.extend(_file_section(file, model) for file, model in TOP_FILES.items())
    parts.extend(_file_section(f"{folder}/*.yaml", model) for folder, model in FILES_IN.items())
    parts.append(_file_section("knowledge/", DocumentMeta))
    parts.append(_file_section("prompts/*.md", PromptMeta))
    parts.append("\n".join(_prompts()))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _overview() -> Iterator[str]:
    yield "## Files\n"
    yield "| file | needed | holds |"
    yield "|---|---|---|"
    shown: list[tuple[str, type[BaseModel]]] = [
        *TOP_FILES.items(),
        *((f"{folder}/*.yaml", model) for folder, model in FILES_IN.items()),
        ("knowledge/", DocumentMeta),
        ("prompts/*.md", PromptMeta),
    ]
    for file, model in shown:
        needed = "yes" if file in REQUIRED else "`answer.md`" if file.startswith("prompts") else "no"
        yield f"| [`{file}`](#{_anchor(file)}) | {needed} | {_module_line(model)} |"
    kinds = ", ".join(f"`{kind}`" for kind in DOCUMENT_KINDS)
    yield f"\nKnowledge documents may be {kinds}, in folders of any depth."
    yield "What describes a document stands in its front matter, or in a file beside it:"
    yield f"`manual.pdf` is described by `manual{SIDECAR}`."


def _module_line(model: type[BaseModel]) -> str:
    text = (sys.modules[model.__module__].__doc__ or "").strip().split("\n")[0].rstrip(".")
    said = text.partition(": ")[2] or text
    return said[:1].lower() + said[1:]


def _anchor(file: str) -> str:
    return "".join(letter for letter in file.lower() if letter.isalnum() or letter in "_-")


def _file_section(file: str, model: type[BaseModel]) -> str:
    lines = [f"## {file}\n", *_table(model)]
    for part in _parts_of(model, set()):
        lines.append(f"\n### {file}: {_spoken(part.__name__)}\n")
        lines.append((part.__doc__ or "").strip() + "\n")
        lines.extend(_table(part))
    return "\n".join(lines) + "\n"


def _spoken(name: str) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()


def _table(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        meaning = " ".join((field.description or "").split()).replace("|", "\\|")
        simple = "name" if _is_name(field.metadata) else _kind(field.annotation)
        kind = (simple + _bounds(field)).replace("|", "\\|")
        yield f"| `{field.alias or name}` | {kind} | {_default(field)} | {meaning} |"


def _kind(annotation: Any) -> str:
    """Name a type as a person who writes YAML would."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return "name" if _is_name(inner[1:]) else _kind(inner[0])
    if origin is tuple:
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"mapping of names to {_kind(inner[1])}"
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in inner if one is not type(None))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " or ".join(f"`{member.value}`" for member in annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return _spoken(annotation.__name__)
    simple = {str: "text", int: "whole number", bool: "true or false", Decimal: "number"}
    return simple.get(annotation) or str(getattr(annotation, "__name__", annotation))


def _is_name(metadata: Iterable[Any]) -> bool:
    return any(getattr(item, "pattern", None) == NAME_PATTERN for item in metadata)


def _bounds(field: FieldInfo) -> str:
    least = next((item.ge for item in field.metadata if hasattr(item, "ge")), None)
    most = next((item.le for item in field.metadata if hasattr(item, "le")), None)
    shortest = next((item.min_length for item in field.metadata if hasattr(item, "min_length")), None)
    if _kind(field.annotation).startswith("list") and shortest:
        return f", {shortest} or more"
    if least is not None and most is not None:
        return f", {least} to {most}"
    return f", {least} or more" if least is not None else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value == () or value == {} or value is PydanticUndefined:
        return ""
    if isinstance(value, BaseModel):
        return "as below"
    if isinstance(value, tuple):
        return ", ".join(f"`{item}`" for item in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _parts_of(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Yield the models inside a model, each once, in reading order."""
    for field in model.model_fields.values():
        for part in _models_in(field.annotation):
            if part not in seen:
                seen.add(part)
                yield part
                yield from _parts_of(part, seen)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _prompts() -> Iterator[str]:
    yield "### What prompts are given\n"
    yield "A prompt is a Jinja template. Each prompt may name these variables, and declares those it names.\n"
    yield "| prompt | variables |"
    yield "|---|---|"
    for name, variables in PROMPT_VARIABLES.items():
        yield f"| `prompts/{name}.md` | {', '.join(f'`{variable}`' for variable in variables)} |"


if __name__ == "__main__":
    sys.stdout.write(reference())
