"""A YAML document as a tree in which every value and every key knows its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Path = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Place:
    """A line and a column, both counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value, resolved by YAML 1.2's core schema."""

    place: Place
    value: str | int | bool | Decimal | None


@dataclass(frozen=True, slots=True)
class ListNode:
    """A list of nodes."""

    place: Place
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One key of a mapping with the key's own place."""

    place: Place
    node: Node


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and their nodes, in the order of the file."""

    place: Place
    entries: Mapping[str, Entry]


Node = ScalarNode | ListNode | MappingNode


def plain(node: Node) -> Any:
    """Return a tree as plain dicts, lists and values."""
    if isinstance(node, MappingNode):
        return {key: plain(entry.node) for key, entry in node.entries.items()}
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return node.value


def child(node: Node, key: str | int) -> Node | None:
    """Return the node one step down, or None where there is none."""
    if isinstance(node, MappingNode) and isinstance(key, str):
        entry = node.entries.get(key)
        return None if entry is None else entry.node
    if isinstance(node, ListNode) and isinstance(key, int) and 0 <= key < len(node.items):
        return node.items[key]
    return None


def known_part(node: Node, path: Path) -> tuple[str | int, ...]:
    """Return the longest beginning of a path that the tree really has."""
    known: list[str | int] = []
    for key in path:
        below = child(node, key)
        if below is None:
            break
        known.append(key)
        node = below
    return tuple(known)


def at(node: Node, path: Path) -> Node:
    """Return the node at a path, or the deepest one above it that exists."""
    for key in path:
        below = child(node, key)
        if below is None:
            return node
        node = below
    return node


def place_of(node: Node, path: Path) -> Place:
    """Return where the value at a path stands, or the deepest value above it."""
    return at(node, path).place


def key_place_of(node: Node, path: Path) -> Place:
    """Return where the last key of a path stands, or its value's place for a list entry."""
    above = at(node, path[:-1]) if path else node
    if path and isinstance(above, MappingNode) and path[-1] in above.entries:
        return above.entries[str(path[-1])].place
    return place_of(node, path)


def without(node: Node, path: Path) -> Node:
    """Return the tree without the key or list entry at a path."""
    key, rest = path[0], path[1:]
    if isinstance(node, MappingNode) and isinstance(key, str):
        kept = {
            name: entry if name != key else Entry(entry.place, without(entry.node, rest))
            for name, entry in node.entries.items()
            if name != key or rest
        }
        return MappingNode(node.place, kept)
    if isinstance(node, ListNode) and isinstance(key, int):
        items = tuple(
            item if index != key else without(item, rest)
            for index, item in enumerate(node.items)
            if index != key or rest
        )
        return ListNode(node.place, items)
    return node
