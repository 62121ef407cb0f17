"""What a campaign found, kept between interruptions and written down at the end."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STATE = Path(".prove")
PROOF = Path("docs/proof")


@dataclass(slots=True)
class Ledgered:
    """A campaign's rounds so far, saved after each."""

    path: Path | None
    rounds: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def open(cls, directory: Path) -> Ledgered:
        """Read what was saved, if anything was."""
        path = directory / "rounds.json"
        return cls(path, json.loads(path.read_text()) if path.exists() else [])

    def add(self, round_: dict[str, Any]) -> None:
        """Keep a round."""
        self.rounds.append(round_)
        if self.path is not None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps(self.rounds, indent=1))
            os.replace(fresh, self.path)

    def all_of(self, name: str) -> list[Any]:
        """Return one value of every round that has it."""
        return [item[name] for item in self.rounds if item.get(name) is not None]

    @property
    def problems(self) -> list[str]:
        """Return everything that should not have happened."""
        return [problem for item in self.rounds for problem in item.get("problems", [])]


@dataclass(frozen=True, slots=True)
class Report:
    """What is written down: rows of (figure, value), and what should not have happened."""

    name: str
    title: str
    claim: str
    command: str
    seed: int
    figures: Sequence[tuple[str, str]]
    problems: Sequence[str]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """Return the page, without a date."""
        verdict = "nothing failed" if not self.problems else f"{len(self.problems)} failures, listed below"
        lines = [f"# {self.title}", "", " ".join(self.claim.split()), "", f"Result: **{verdict}**.", ""]
        lines += [f"Command: `{self.command}` (seed {self.seed})", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.figures]
        lines += [
            "",
            f"Machine: {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}.",
        ]
        if self.notes:
            lines += ["", *[f"- {note}" for note in self.notes]]
        if self.problems:
            lines += ["", "## Failures", "", *[f"- {problem}" for problem in self.problems]]
        return "\n".join(lines) + "\n"

    def write(self) -> Path:
        """Write the page and return where."""
        PROOF.mkdir(parents=True, exist_ok=True)
        path = PROOF / f"{self.name}.md"
        path.write_text(self.text(), encoding="utf-8")
        return path


def spread(values: Sequence[float], *, unit: str = "s", digits: int = 1) -> str:
    """Return median, 95th percentile and maximum."""
    if not values:
        return "none"
    ranked = sorted(values)
    p95 = ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]
    median = ranked[len(ranked) // 2]
    figures = (("median", median), ("p95", p95), ("worst", ranked[-1]))
    return ", ".join(f"{name} {value:.{digits}f} {unit}" for name, value in figures)
