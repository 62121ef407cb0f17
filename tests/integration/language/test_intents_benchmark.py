"""The benchmark runs from files to figures; the real data stays outside the tests."""

from __future__ import annotations

import importlib.util
import json
import lzma
import sys
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARK = Path(__file__).parents[3] / "benchmarks" / "intents.py"
WORDS = {
    "bill": ["invoice", "charge", "payment", "receipt", "fee"],
    "line": ["internet", "router", "wifi", "signal", "connection"],
    "sign_in": ["password", "login", "account", "code", "user name"],
}
OPENINGS = ["my {} is wrong", "what about the {}", "problem with my {}", "the {} doesn't work"]


@pytest.fixture
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("intents_benchmark", BENCHMARK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def write(path: Path, rows: list[dict[str, str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with lzma.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


class TestMain:
    def test_prints_figures_for_the_files_that_are_there(
        self, benchmark: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rows = [
            {"text": opening.format(word), "intent": intent}
            for intent, words in WORDS.items()
            for word in words
            for opening in OPENINGS
        ]
        write(tmp_path / "intent" / "banking77_train.jsonl.xz", rows)
        write(tmp_path / "intent" / "hint3_sofmattress_train.jsonl.xz", rows)
        live = [{"text": "is it going to rain", "intent": "NO_NODES_DETECTED"}, *rows[::7]]
        write(tmp_path / "intent" / "hint3_sofmattress_test.jsonl.xz", live)
        benchmark.main([str(tmp_path), "--quick", "--json"])
        figures = {(item["dataset"], item["measure"]): item for item in json.loads(capsys.readouterr().out)}
        assert figures["banking77", "accuracy, 5-fold"]["value"] > 0.7
        assert figures["hint3 sofmattress", "Matthews"]["value"] > 0.7
        assert figures["8-bit vectors", "cosine deviation, mean"]["met"] is True
