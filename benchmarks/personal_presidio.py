"""Presidio's default recognisers in their own environment, spoken to over pipes.

Its spaCy models have to be downloaded; here the pipeline is blank, so its patterns and checksums run, and
its names, places and dates by model don't.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from benchmarks.personal_rows import Row

_KINDS = {"PERSON": "NAME", "LOCATION": "ADDRESS"}
_PROGRAM = """
import json, logging, statistics, sys, time
logging.disable(logging.CRITICAL)
import spacy
from presidio_analyzer import AnalyzerEngine
from presidio_analyzer.nlp_engine import SpacyNlpEngine

class Blank(SpacyNlpEngine):
    def __init__(self):
        super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
        self.nlp = {"en": spacy.blank("en")}

    def load(self):
        pass

engine = AnalyzerEngine(nlp_engine=Blank(), supported_languages=["en"])
engine.analyze("warm up: jo@example.com 4111 1111 1111 1111", language="en")
print("ready", flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    spent, found = [], []
    for _ in range(asked.get("rounds", 1)):
        for text in asked["texts"]:
            began = time.perf_counter()
            result = engine.analyze(text, language="en")
            spent.append(time.perf_counter() - began)
            found.append([[item.start, item.end, item.entity_type] for item in result])
    answer = {"p50_ms": 1000 * statistics.median(spent), "found": found[: len(asked["texts"])]}
    print(json.dumps(answer), flush=True)
"""


@dataclass(frozen=True, slots=True)
class _Answer:
    p50_ms: float
    found: list[list[tuple[int, int, str]]]


class Presidio:
    """A running analyser; use as a context."""

    def __init__(self, python: Path) -> None:
        """Name the Python of an environment that holds `presidio-analyzer`."""
        self._python = python
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Presidio:
        self._process = subprocess.Popen(
            [str(self._python), "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        if self._line().strip() != "ready":
            raise RuntimeError(f"presidio-analyzer doesn't start in {self._python}; install it there")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def find_all(self, rows: Sequence[Row]) -> list[Sequence[tuple[int, int, str]]]:
        """Return what it finds in each text, in our names for names and places."""
        if not rows:
            return []
        found = self._asked({"texts": [row.text for row in rows]}).found
        return [[(start, end, _KINDS.get(kind, kind)) for start, end, kind in spans] for spans in found]

    def p50_ms(self, text: str, *, rounds: int = 500) -> float:
        """Return the median time of one text, in milliseconds."""
        return self._asked({"texts": [text], "rounds": rounds}).p50_ms

    def _asked(self, question: dict[str, object]) -> _Answer:
        process = self._running()
        assert process.stdin is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        answer = json.loads(self._line())
        return _Answer(float(answer["p50_ms"]), answer["found"])

    def _line(self) -> str:
        stdout = self._running().stdout
        assert stdout is not None
        return stdout.readline()

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            raise RuntimeError("the analyser isn't running; use it as a context")
        return self._process
