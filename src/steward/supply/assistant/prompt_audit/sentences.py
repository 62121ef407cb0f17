"""Reads a template as an auditor does: sentences with their lines, without comments and code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from steward.supply.assistant.folder import Prompt
from steward.supply.assistant.front_matter import split_front_matter

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_CODE = re.compile(r"\{%.*?%\}", re.DOTALL)
_ACCEPTS = re.compile(r"\{#-?\s*audit accepts\s+([a-z_.]+)\s*:\s*(.+?)\s*-?#\}", re.DOTALL)
_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*•#]+)\s+", re.MULTILINE)
_END = re.compile(
    r"(?<=[.!?])(?=\s+[\"'“(]?[A-Z\[<{])|\n\s*\n|\n(?=\s*(?:\d+[.)]|[-*•])\s)|\n(?=\s*</?[a-z])"
)


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a prompt; `number` is the line of the file on which it starts."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Script:
    """A prompt's file, taken apart.

    Attributes:
        file: its path in the folder.
        prompt: front matter and template.
        body: the template with comments and code blanked out, so that places stay where they were.
        first_line: the file's line on which the template starts.
        sentences: what it says, in order.
        accepted: findings that a comment accepts, with the comment's words.
    """

    file: str
    prompt: Prompt
    body: str
    first_line: int
    sentences: tuple[Line, ...]
    accepted: dict[str, str]

    def line_at(self, place: int) -> int:
        """Return the file's line of a place in the template."""
        return self.first_line + self.body.count("\n", 0, place)


def script_of(file: str, content: bytes, prompt: Prompt) -> Script:
    """Take a prompt's file apart."""
    first_line = split_front_matter(content).lines + 1
    body = _CODE.sub(_blank, _COMMENT.sub(_blank, prompt.template))
    accepted = {code: " ".join(words.split()) for code, words in _ACCEPTS.findall(prompt.template)}
    return Script(file, prompt, body, first_line, tuple(_sentences(body, first_line)), accepted)


def _sentences(body: str, first_line: int) -> Iterator[Line]:
    start = 0
    for end in [*(match.start() for match in _END.finditer(body)), len(body)]:
        piece = body[start:end]
        lead = len(piece) - len(piece.lstrip())
        text = " ".join(_ITEM.sub("", piece.strip()).split())
        if any(letter.isalpha() for letter in text):
            yield Line(first_line + body.count("\n", 0, start + lead), text)
        start = end


def _blank(match: re.Match[str]) -> str:
    return "".join(letter if letter == "\n" else " " for letter in match[0])
