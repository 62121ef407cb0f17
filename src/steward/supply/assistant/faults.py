"""Faults of an assistant folder: where, what, and the nearest name that would have been right.

FolderFaults (InvalidInput, 400)   the folder can't be used; carries every fault found in one run
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher

from steward.base.errors import InvalidInput

NEAR_ENOUGH = 0.6
"""Similarity (difflib ratio) from which a name is worth proposing; difflib's own default."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, at its place.

    `line` and `column` count from 1 and are None where the whole file is meant.
    """

    file: str
    line: int | None
    column: int | None
    sentence: str
    nearest: str | None = None

    @property
    def place(self) -> str:
        """The place as editors and terminals link it: `file:line:column`."""
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        text = f"{self.place}  {self.sentence}"
        if self.nearest is not None:
            text += f"\n{' ' * len(self.place)}  nearest: {self.nearest}"
        return text


class FolderFaults(InvalidInput):
    """An assistant folder has faults; `faults` holds all of them, sorted by file and line."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults), key=_order))
        count = len(self.faults)
        super().__init__(
            "\n".join(str(fault) for fault in self.faults)
            + f"\n{count} {'fault' if count == 1 else 'faults'}; nothing was changed"
        )


def _order(fault: Fault) -> tuple[str, int, int, str]:
    return fault.file, fault.line or 0, fault.column or 0, fault.sentence


def nearest_of(word: str, names: Iterable[str]) -> str | None:
    """Return the name most like a word, or None where nothing is like it."""
    wanted = word.casefold()
    best, best_ratio = None, NEAR_ENOUGH
    for name in sorted(set(names)):
        ratio = SequenceMatcher(None, wanted, name.casefold(), autojunk=False).ratio()
        if ratio > best_ratio:
            best, best_ratio = name, ratio
    return best


def choice_of(values: Iterable[str]) -> str:
    """Write alternatives as people do: `low, medium or high`."""
    listed = list(values)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} or {listed[-1]}"


def shortened(text: str, *, length: int = 60) -> str:
    """Return text on one line, cut to a length, for quoting in a fault."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"
