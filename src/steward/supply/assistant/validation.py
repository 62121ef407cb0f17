"""Fits a tree to a schema and says every misfit in a plain sentence at its place.

A tree with misfits is also salvaged: the faulty entries are left out and the rest is read again,
so that checks across files still see everything that is right, and one run finds all faults.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, Generic, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from steward.supply.assistant.faults import Fault, choice_of, nearest_of, shortened
from steward.supply.assistant.schema.base import NAME_PATTERN, proper_name
from steward.supply.assistant.yaml_nodes import (
    ListNode,
    MappingNode,
    Node,
    Path,
    at,
    child,
    key_place_of,
    known_part,
    plain,
    without,
)

SALVAGE_ROUNDS = 12
"""Leaving one entry out may leave its list too short; each level of the schema costs one round."""

ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Validated(Generic[ModelT]):
    """What could be read: `model` is None where nothing could be saved.

    `tree` is what the model was made of, so positions in the model are paths in the tree.
    """

    model: ModelT | None
    tree: Node
    faults: tuple[Fault, ...]


def validate(schema: type[ModelT], tree: Node, *, file: str) -> Validated[ModelT]:
    """Fit a tree to a schema; the faults are those of the whole tree."""
    model, errors = _attempt(schema, tree)
    if model is not None:
        return Validated(model, tree, ())
    faults = _said(schema, tree, errors, file)
    for _ in range(SALVAGE_ROUNDS):
        pruned = _pruned(tree, errors)
        if pruned is None:
            break
        tree = pruned
        model, errors = _attempt(schema, tree)
        if model is not None:
            break
    return Validated(model, tree, faults)


def _attempt(schema: type[ModelT], tree: Node) -> tuple[ModelT | None, list[Any]]:
    try:
        return schema.model_validate(plain(tree)), []
    except ValidationError as error:
        return None, list(error.errors(include_url=False))


def _pruned(tree: Node, errors: list[Any]) -> Node | None:
    """Leave out the smallest entries that hold the errors; None where the whole tree is wrong."""
    doomed = set()
    for error in errors:
        path = known_part(tree, [part for part in error["loc"] if part != "[key]"])
        last_entry = max((i for i, part in enumerate(path) if isinstance(part, int)), default=None)
        if error["type"] == "extra_forbidden" or last_entry is None:
            doomed.add(path)
        else:
            doomed.add(path[: last_entry + 1])
    doomed.discard(())
    if not doomed:
        return None
    for path in sorted(doomed, key=_from_the_back, reverse=True):
        tree = without(tree, path)
    return tree


def _from_the_back(path: Path) -> tuple[tuple[int, str], ...]:
    """Order siblings so that removing a later one never moves an earlier one."""
    return tuple((part, "") if isinstance(part, int) else (-1, part) for part in path)


def _said(schema: type[BaseModel], tree: Node, errors: list[Any], file: str) -> tuple[Fault, ...]:
    faults: list[Fault] = []
    unions: dict[tuple[str | int, ...], set[str]] = {}
    for error in errors:
        path: tuple[str | int, ...] = error["loc"]
        if path and path[-1] == "[key]":
            faults.append(_key_fault(tree, path[:-1], file))
            continue
        known = known_part(tree, path)
        if error["type"] not in ("missing", "extra_forbidden") and len(known) < len(path):
            unions.setdefault(known, set()).add(str(path[-1]))
            continue
        faults.append(_fault(schema, tree, error, file))
    for path, kinds in unions.items():
        wanted = choice_of(_UNION_WORDS[kind] for kind in _UNION_WORDS if kind in kinds)
        faults.append(
            _at_value(tree, path, file, f"{_label(path)} {_is(at(tree, path))}; it must be {wanted}")
        )
    return tuple(faults)


_UNION_WORDS = {"str": "text", "int": "a whole number", "bool": "true or false"}


def _fault(schema: type[BaseModel], tree: Node, error: Any, file: str) -> Fault:
    path: tuple[str | int, ...] = error["loc"]
    if error["type"] == "extra_forbidden":
        valid = _keys_at(schema, path[:-1])
        where = key_place_of(tree, path)
        nearest = nearest_of(str(path[-1]), valid) or (choice_of(valid) if len(valid) <= 6 else None)
        return Fault(
            file, where.line, where.column, f"unknown key '{path[-1]}'{_inside(tree, path[:-1])}", nearest
        )
    if error["type"] == "missing":
        where = key_place_of(tree, path[:-1])
        inside = _inside(tree, path[:-1])
        return Fault(file, where.line, where.column, f"'{path[-1]}' is missing{inside}")
    sentence, nearest = _misfit(tree, path, error)
    return _at_value(tree, path, file, sentence, nearest)


def _at_value(tree: Node, path: Path, file: str, sentence: str, nearest: str | None = None) -> Fault:
    where = at(tree, path).place
    return Fault(file, where.line, where.column, sentence, nearest)


def _key_fault(tree: Node, path: Path, file: str) -> Fault:
    where = key_place_of(tree, path)
    said = f"key '{shortened(str(path[-1]))}' isn't a name; {_NAME_RULE}"
    return Fault(file, where.line, where.column, said, proper_name(str(path[-1])))


_NAME_RULE = "names are lower-case letters, digits and _, and start with a letter"

_PATTERN_RULES = {
    NAME_PATTERN: _NAME_RULE,
    r"^\d\d:\d\d$": "it must be a time of day, as in 08:30",
    r"^[A-Z]{3}$": "it must be a currency's three letters, as in GBP",
}

_SHAPES = {
    "tuple_type": "a list, each entry on a line of its own after '- '",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "string_type": "text (put quotes around it)",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "decimal_parsing": "a number",
    "decimal_type": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "date_type": "a date, as in 2026-11-30",
    "date_parsing": "a date, as in 2026-11-30",
    "date_from_datetime_parsing": "a date, as in 2026-11-30",
    "date_from_datetime_inexact": "a date, as in 2026-11-30",
}


def _misfit(tree: Node, path: Path, error: Any) -> tuple[str, str | None]:
    """Say what is wrong with the value at a path, and what would have been right."""
    node, kind, context = at(tree, path), error["type"], error.get("ctx") or {}
    label, is_what = _label(path), _is(node)
    if kind in ("literal_error", "enum"):
        choices = _choices(context["expected"])
        nearest = nearest_of(str(plain(node)), choices)
        return f"{label} {is_what}; it must be {choice_of(choices)}", nearest
    if kind == "string_pattern_mismatch":
        rule = _PATTERN_RULES.get(context["pattern"], f"it must match {context['pattern']}")
        nearest = proper_name(str(plain(node))) if context["pattern"] == NAME_PATTERN else None
        return f"{label} {is_what}; {rule}", nearest
    if kind == "string_too_short" or (kind == "string_type" and plain(node) is None):
        return f"{label} is empty; write its text", None
    if kind == "too_short":
        count, least = context["actual_length"], context["min_length"]
        entries = "entry" if count == 1 else "entries"
        return f"{label} has {count} {entries}; it needs at least {least}", None
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return f"{label} {is_what}; it must be {bound}", None
    if kind in _SHAPES:
        return f"{label} {is_what}; it must be {_SHAPES[kind]}", None
    return f"{label} {is_what}; {error['msg']}", None


def _label(path: Path) -> str:
    if not path:
        return "the file"
    last = path[-1]
    if isinstance(last, str):
        return last
    above = next((part for part in reversed(path) if isinstance(part, str)), "the list")
    return f"entry {last + 1} of {above}"


def _is(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "is a mapping" if node.entries else "is an empty mapping"
    if isinstance(node, ListNode):
        return "is a list"
    if node.value is None:
        return "is empty"
    if isinstance(node.value, bool):
        return f"is {str(node.value).lower()}"
    if isinstance(node.value, str):
        return f"is '{shortened(node.value)}'"
    return f"is the number {node.value}"


def _inside(tree: Node, path: Path) -> str:
    """Name what surrounds a place: ` in categories 'billing'`."""
    if not path:
        return ""
    named = child(at(tree, path), "name")
    name = None if named is None else plain(named)
    if isinstance(name, str):
        above = next((part for part in reversed(path) if isinstance(part, str)), "")
        return f" in {above} '{shortened(name)}'"
    return f" in {_label(path)}"


def _choices(expected: str) -> list[str]:
    return [part.strip("'") for part in expected.replace(" or ", ", ").split(", ")]


def _keys_at(schema: type[BaseModel], path: Path) -> list[str]:
    """List the keys that the schema allows at a path."""
    kinds: list[Any] = [schema]
    for part in path:
        kinds = [below for kind in kinds for below in _below(kind, part)]
    models = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return sorted(field.alias or name for model in models for name, field in model.model_fields.items())


def _below(kind: Any, part: str | int) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            if part == (field.alias or name):
                yield from _open(field.annotation)
        return
    inner = get_args(kind)
    if get_origin(kind) is tuple and isinstance(part, int):
        yield from _open(inner[0])
    elif get_origin(kind) is dict and isinstance(part, str):
        yield from _open(inner[1])


def _open(annotation: Any) -> Iterator[Any]:
    """Look through Annotated and unions to the kinds inside."""
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from _open(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for inner in get_args(annotation):
            yield from _open(inner)
    elif origin is not Literal and not (isinstance(annotation, type) and issubclass(annotation, Enum)):
        yield annotation
