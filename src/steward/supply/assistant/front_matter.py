"""Splits a text file into its front matter (YAML between two lines of `---`) and what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FENCE = re.compile(rb"---[ \t]*\r?(\n|\Z)")
_CLOSING = re.compile(rb"^---[ \t]*\r?(\n|\Z)", re.MULTILINE)
FIRST_LINE = 2
"""Line of the file on which the YAML of a front matter starts."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The parts of a file. `yaml` is None where it has no front matter; `lines` is its height."""

    yaml: bytes | None
    body: bytes
    lines: int = 0
    unclosed: bool = False


def split_front_matter(content: bytes) -> FrontMatter:
    """Split a file's bytes; a file that doesn't start with `---` is all body."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    opening = _FENCE.match(content)
    if opening is None:
        return FrontMatter(None, content)
    closing = _CLOSING.search(content, opening.end())
    if closing is None:
        return FrontMatter(None, content, unclosed=True)
    return FrontMatter(
        yaml=content[opening.end() : closing.start()],
        body=content[closing.end() :],
        lines=content.count(b"\n", 0, closing.end()),
    )
