"""Simulated customers against the running demo, as people start them."""

from __future__ import annotations

import json

from tests.journeys.conftest import Demo
from tests.journeys.running import run


class TestSimulate:
    def test_prints_what_it_came_to(self, demo: Demo) -> None:
        ran = run(
            "simulate", "--url", demo.url, "--key", demo.key, "--conversations", "12", "--per-second", "6",
            "--survey-share", "1", "--json",
        )  # fmt: skip

        assert ran.code == 0, ran.both
        summary = json.loads(ran.out)
        assert summary["simulated"] is True
        assert summary["conversations"] == 12
        assert summary["faults"] == summary["refusals"] == {}
        assert summary["csat_answers"] == 12
        assert summary["turns"] >= 12
        assert summary["turn_ms_p95"] > 0

    def test_leaves_real_figures_alone(self, demo: Demo) -> None:
        with demo.client() as client:
            before = client.get("/v1/admin/kpis").json()
            ran = run(
                "simulate", "--url", demo.url, "--key", demo.key, "--conversations", "5", "--seed", "9",
                "--per-second", "5",
            )  # fmt: skip
            after = client.get("/v1/admin/kpis").json()

        assert ran.code == 0, ran.both
        assert after == before

    def test_says_what_the_key_lacks(self, demo: Demo) -> None:
        ran = run(
            "simulate", "--url", demo.url, "--key", demo.public_key, "--conversations", "2",
            "--per-second", "5",
        )  # fmt: skip

        assert ran.code == 2
        assert "traffic:simulate" in ran.err

    def test_says_when_nothing_answers(self, demo: Demo) -> None:
        ran = run("simulate", "--url", "http://127.0.0.1:9", "--key", demo.key, "--conversations", "1")

        assert ran.code == 2
        assert "Nothing answers" in ran.err
