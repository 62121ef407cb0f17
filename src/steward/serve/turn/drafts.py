"""Sentences of an answer before they are verified, and cutting a model's stream into them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKER = re.compile(r"\s*\[(\d{1,2}(?:\s*,\s*\d{1,2})*)\]")
_BOUNDARY = re.compile(r"(?:[.!?…]+[\"'”’)]*(?:\s*\[[\d,\s]{1,12}\])*(?=\s)|(?:\s*\[[\d,\s]{1,12}\])*\n+)")
_MAY_END = re.compile(r"[.!?…\n]")
_NOT_AN_END = re.compile(
    r"(?:^|\s)(?:\d{1,2}|e\.g|i\.e|etc|mr|mrs|ms|dr|st|no|vs|approx|[a-z])\.$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Draft:
    """One sentence that wants to be said.

    `text` is without citation marks; `cited` are the numbers of the passages it names (from 1);
    `ending` is the white space that followed it.
    """

    text: str
    cited: tuple[int, ...]
    ending: str = " "


def draft_of(raw: str) -> Draft:
    """Take the citation marks out of a raw sentence."""
    numbers = [int(number) for marks in _MARKER.findall(raw) for number in marks.split(",")]
    ending = "\n" if raw.endswith("\n") else " "
    return Draft(_MARKER.sub("", raw).strip(), tuple(dict.fromkeys(numbers)), ending)


def plain(text: str) -> str:
    """Return a text without citation marks and with single spaces, so that what was said can be compared."""
    return " ".join(_MARKER.sub("", text).split())


def as_data(text: str) -> str:
    """Return text that can't close the marks around it in a prompt."""
    return text.replace("<", "‹").replace(">", "›")


def take_sentences(buffer: str) -> tuple[list[str], str]:
    """Cut the whole sentences off a growing text; return them and the rest.

    A citation mark behind the full stop belongs to the sentence before it, so a sentence counts as
    whole only once something follows it that isn't a mark.
    """
    if _MAY_END.search(buffer) is None:
        return [], buffer  # asked for every token: most of them end nothing
    sentences: list[str] = []
    start = 0
    for end in _BOUNDARY.finditer(buffer):
        piece = buffer[start : end.end()]
        following = buffer[end.end() :].lstrip()
        if not following or following[0] == "[" or _NOT_AN_END.search(_MARKER.sub("", piece.rstrip())):
            continue
        if piece.strip():
            sentences.append(piece)
        start = end.end()
    return sentences, buffer[start:]
