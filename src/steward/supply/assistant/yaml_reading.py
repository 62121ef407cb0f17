"""Reads YAML 1.2 into a tree with places, and turns everything wrong with it into faults.

Works on the parser's events, so that no object is ever built from a tag and limits bind while
reading: size, depth, and the number of nodes after aliases are followed (a few bytes of anchors
can stand for billions of nodes). Plain scalars follow the core schema of YAML 1.2: `no` and
`08:30` are text, `2026-11-30` is text until a schema reads it as a date.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from steward.supply.assistant.faults import Fault
from steward.supply.assistant.yaml_nodes import (
    Entry,
    ListNode,
    MappingNode,
    Node,
    Place,
    ScalarNode,
)

MOST_BYTES = 2 * 1024 * 1024
"""A YAML file of 2 MiB holds some 20,000 examples and reads in about two seconds."""
MOST_DEPTH = 32
"""The schema itself is seven levels deep."""
MOST_NODES = 200_000
"""Nodes of one file after aliases are followed: far above what 2 MiB of plain lines hold."""

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,2})?\Z")


class _UnreadableError(Exception):
    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(sentence)
        self.place = place
        self.sentence = sentence


def read_yaml(content: bytes, *, file: str, first_line: int = 1) -> tuple[Node | None, tuple[Fault, ...]]:
    """Read one YAML document.

    Args:
        content: the file's bytes, UTF-8.
        file: how faults name the file.
        first_line: line of the file on which the document starts (front matter starts on 2).

    Returns:
        The tree, or None where the file couldn't be read; and the faults.
    """
    above = b"\n" * (first_line - 1)
    try:
        # Empty lines put front matter where it stands in its file.
        reader = _Reader(_decoded(above + content.removeprefix(b"\xef\xbb\xbf")))
        node = reader.document()
        found = reader.faults
    except _UnreadableError as problem:
        node, found = None, [(problem.place, problem.sentence)]
    faults = tuple(Fault(file, place.line, place.column, said) for place, said in found)
    return node, faults


def decoded_text(content: bytes, *, file: str) -> tuple[str, tuple[Fault, ...]]:
    """Decode a text file; the text is empty where there is a fault."""
    try:
        return _decoded(content, most_bytes=None), ()
    except _UnreadableError as problem:
        return "", (Fault(file, problem.place.line, problem.place.column, problem.sentence),)


def _decoded(content: bytes, *, most_bytes: int | None = MOST_BYTES) -> str:
    if most_bytes is not None and len(content) > most_bytes:
        raise _UnreadableError(
            Place(1, 1), f"the file is larger than {most_bytes // 1024} KiB; split or shorten it"
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        start = before.rfind(b"\n") + 1
        column = len(before[start:].decode("utf-8", "replace")) + 1
        place = Place(before.count(b"\n") + 1, column)
        raise _UnreadableError(place, "the file isn't UTF-8 text from here on; save it as UTF-8") from None
    odd = _FORBIDDEN.search(text)
    if odd is not None:
        raise _UnreadableError(
            _place_in(text, odd.start()),
            f"there is a control character (U+{ord(odd[0]):04X}) here; delete it",
        )
    return text


def _place_in(text: str, index: int) -> Place:
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


class _Reader:
    """Composes events into nodes, under limits."""

    def __init__(self, text: str) -> None:
        self.faults: list[tuple[Place, str]] = []
        self._text = text
        self._events = self._safely(YAML(typ="safe", pure=True).parse(text))
        self._event: Any = None
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def _safely(self, events: Iterator[Any]) -> Iterator[Any]:
        """Hand events on; whatever the parser raises becomes one sentence with a place."""
        try:
            yield from events
        except MarkedYAMLError as error:
            raise _UnreadableError(*_explained(error, self._text)) from None
        except Exception as error:
            # ruamel.yaml lets a few ValueErrors and IndexErrors through on hostile input.
            place = _mark(self._event) if self._event is not None else Place(1, 1)
            raise _UnreadableError(
                place, "this isn't YAML after this point; check quotes and escapes"
            ) from error

    def _next(self) -> Any:
        self._event = next(self._events)
        return self._event

    def document(self) -> Node:
        event = self._next()
        while isinstance(event, (StreamStartEvent, DocumentStartEvent)):
            event = self._next()
        if isinstance(event, StreamEndEvent):
            return MappingNode(Place(1, 1), {})
        node = self._node(event, 0)
        self._next()
        if not isinstance(self._next(), StreamEndEvent):
            raise _UnreadableError(_mark(self._event), "a second document starts here; one file holds one")
        return node

    def _node(self, event: Any, depth: int) -> Node:
        place = _mark(event)
        if depth > MOST_DEPTH:
            raise _UnreadableError(place, f"this is nested deeper than {MOST_DEPTH} levels")
        if isinstance(event, AliasEvent):
            return self._alias(event, place)
        before = self._nodes
        self._count(1, place)
        if event.ctag is not None and event.ctag:
            raise _UnreadableError(place, "tags (!…) aren't used here; write the plain value")
        node: Node
        if isinstance(event, MappingStartEvent):
            node = self._mapping(place, depth)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(place, depth)
        else:
            node = self._scalar(event, place)
        if event.anchor is not None:
            self._anchors[event.anchor] = (node, self._nodes - before)
        return node

    def _alias(self, event: Any, place: Place) -> Node:
        if event.anchor not in self._anchors:
            raise _UnreadableError(
                place, f"*{event.anchor} refers to an anchor that isn't defined before this line"
            )
        node, size = self._anchors[event.anchor]
        self._count(size, place)
        return node

    def _count(self, more: int, place: Place) -> None:
        self._nodes += more
        if self._nodes > MOST_NODES:
            raise _UnreadableError(
                place, f"the file grows beyond {MOST_NODES:,} values here; use fewer aliases"
            )

    def _list(self, place: Place, depth: int) -> Node:
        items = []
        while not isinstance(event := self._next(), SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return ListNode(place, tuple(items))

    def _mapping(self, place: Place, depth: int) -> Node:
        entries: dict[str, Entry] = {}
        while not isinstance(event := self._next(), MappingEndEvent):
            key_place = _mark(event)
            if not isinstance(event, ScalarEvent):
                raise _UnreadableError(
                    key_place, "a key must be a single word, not a list, a mapping or an alias"
                )
            key = str(event.value)
            node = self._node(self._next(), depth + 1)
            if isinstance(node, ScalarNode) and node.value is None:
                node = ScalarNode(key_place, None)  # nothing is written, so the key is the place to look
            if key == "<<":
                self.faults.append((key_place, "merge keys (<<) aren't part of YAML 1.2; write the keys out"))
            elif key in entries:
                first = entries[key].place.line
                self.faults.append((key_place, f"'{key}' stands here twice; the first is on line {first}"))
            else:
                entries[key] = Entry(key_place, node)
        return MappingNode(place, entries)

    def _scalar(self, event: Any, place: Place) -> Node:
        text = str(event.value)
        if _FORBIDDEN.search(text):
            raise _UnreadableError(place, "an escape here stands for a control character; delete it")
        return ScalarNode(place, text if event.style else _resolved(text, place))


def _resolved(text: str, place: Place) -> str | int | bool | Decimal | None:
    """Resolve a plain scalar by the core schema of YAML 1.2 (10.3.2), decimals kept exact."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    # 0123 would lose its zero; account numbers and postcodes keep it as text.
    if _WHOLE.match(text) and not re.match(r"[-+]?0[0-9]", text):
        return int(text)
    if _NUMBER.match(text) and not re.match(r"[-+]?0[0-9]", text):
        return Decimal(text)
    return text


def _mark(event: Any) -> Place:
    mark = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


_SENTENCES: tuple[tuple[str, str], ...] = (
    ("character '\\t'", "a tab is used for indentation; use spaces"),
    (
        "mapping values are not allowed",
        "a ': ' isn't allowed here; put the text in quotes, or check the indentation",
    ),
    ("unexpected end of stream", "a quote that opens here is never closed"),
    ("expected <block end>", "the indentation doesn't fit the lines above"),
    ("<block mapping start>", "the indentation doesn't fit the lines above"),
    ("'<document start>'", "the indentation doesn't fit the lines above"),
    ("could not find expected ':'", "a ':' is missing after this key, or the text needs quotes"),
    ("expected ',' or ']'", "a list in brackets isn't closed, or lacks a comma"),
    ("expected ',' or '}'", "a mapping in braces isn't closed, or lacks a comma"),
    ("the node content", "a value is missing or a bracket isn't closed"),
    ("unknown escape character", "this escape isn't known in double quotes; use single quotes"),
    ("that cannot start any token", "text can't start with this character; put it in quotes"),
    ("incompatible YAML document", "the file asks for another YAML version; delete the %YAML line"),
)


def _explained(error: MarkedYAMLError, text: str) -> tuple[Place, str]:
    """Put a parser's problem in plain words."""
    problem = f"{error.problem or ''}"
    closed_late = "unexpected end of stream" in problem and error.context_mark is not None
    mark = error.context_mark if closed_late else error.problem_mark or error.context_mark
    place = Place(1, 1) if mark is None else Place(mark.line + 1, mark.column + 1)
    lines = text.split("\n")
    before = lines[place.line - 1][: place.column] if place.line <= len(lines) else ""
    if "\t" in before and not before.strip():
        return place, _SENTENCES[0][1]
    for part, sentence in _SENTENCES:
        if part in problem:
            return place, sentence
    return place, f"this isn't valid YAML: {problem or 'check quotes and indentation'}"
