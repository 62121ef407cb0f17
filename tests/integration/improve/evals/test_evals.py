"""Evaluations through the real turn code, on a real database, with the company's system beside it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.improve.evals.conftest import Scene
from tests.prove.regressions import changed_yaml, edit, passages_left_out

from steward.app.evaluating import open_evals
from steward.base.errors import NotFound
from steward.improve.evals.contracts import CaseChange
from steward.improve.evals.errors import NoSuchCase
from steward.improve.simulation.model_server import serve_in_thread
from steward.supply.assistant.reading import read_folder

pytestmark = pytest.mark.timeout(300)

LIVE = (
    "conversation",
    "message",
    "turn",
    "customer",
    "vault_token",
    "handover",
    "workflow_run",
    "action",
    "approval",
)
REFUND = "refund_for_a_signed_in_customer"
APPROVAL = "refund_above_100_waits_for_a_colleague"

FEE = """
cases:
  - name: refund_days
    turns:
      - customer: How many days does a refund to a credit card need?
        expect:
          outcome: [answered]
          cites: [payments/refunds.md, billing/charged-twice.md]
          says: [3 to 5 working days]
  - name: hello
    turns: [{customer: good morning, expect: {outcome: [answered]}}]
"""


@contextmanager
def changed_copy(scene: Scene, place: Path) -> Iterator[Path]:
    """Give a copy of the folder to change."""
    shutil.copytree(scene.folder, place / "northline")
    yield place / "northline"


class Interrupted(Exception):
    """Somebody pressed the keys."""


class TestRun:
    async def test_every_case_passes_and_nothing_remains_but_results(self, scene: Scene) -> None:
        ledger = await scene.rows("ledger")
        run = await scene.evals.run(scene.baseline)
        assert run.failed == run.not_runnable == ()
        assert len(run.results) == len(read_folder(scene.folder).cases)
        assert (run.deterministic, run.repeats) == (True, 1)
        assert {table: await scene.rows(table) for table in LIVE} == dict.fromkeys(LIVE, 0)
        assert await scene.rows("ledger") == ledger
        assert await scene.rows("serving") == 0

    async def test_effects_are_rehearsed_and_never_sent(self, scene: Scene) -> None:
        for _ in range(2):
            run = await scene.evals.run(scene.baseline, names=[REFUND], fresh=True)
            assert run.results[0].attempts[0].outcomes == ("answered", "asked", "acted")
            assert "Your reference is (rehearsed)" in run.results[0].attempts[0].texts[-1]

    async def test_stored_texts_are_masked(self, scene: Scene) -> None:
        run = await scene.evals.run(scene.baseline, names=["address_change_repeats_the_address"], fresh=True)
        said = " ".join(run.results[0].attempts[0].texts)
        assert run.results[0].passed == 1
        assert "LS9 9ZX" not in said

    async def test_a_case_whose_system_is_away_says_so(self, scene: Scene) -> None:
        settings = scene.foundation.settings.model_copy(
            update={"system_urls": {"billing": "http://127.0.0.1:1", "service": "http://127.0.0.1:1"}}
        )
        evals = open_evals(replace(scene.foundation, settings=settings))
        run = await evals.run(scene.baseline, names=[REFUND, "one_word"], fresh=True)
        assert [item.case for item in run.not_runnable] == [REFUND]
        assert run.failed == ()
        fault = run.not_runnable[0].attempts[0].faults[0]
        assert fault.startswith("needs the system 'billing'")
        assert "STEWARD_SYSTEM_BILLING_URL" in fault

    async def test_an_interrupted_run_goes_on_where_it_stopped(self, scene: Scene) -> None:
        def stop(done: int, of: int) -> None:
            if done == 3:
                raise Interrupted

        with pytest.raises(ExceptionGroup, match="unhandled errors"):
            await scene.evals.run(scene.baseline, repeats=2, progress=stop)
        seen: list[int] = []
        run = await scene.evals.run(scene.baseline, repeats=2, progress=lambda done, of: seen.append(done))
        assert min(seen) > 3
        assert {len(result.attempts) for result in run.results} == {2}

    async def test_an_unknown_case_is_refused_with_the_nearest(self, scene: Scene) -> None:
        with pytest.raises(NoSuchCase, match="nearest: one_word"):
            await scene.evals.run(scene.baseline, names=["one_wrd"])

    async def test_an_unknown_release_is_not_found(self, scene: Scene) -> None:
        with pytest.raises(NotFound, match="release"):
            await scene.evals.run("f" * 64)


class TestCompare:
    async def test_an_unchanged_release_passes_and_the_answer_is_kept(self, scene: Scene) -> None:
        gate = await scene.evals.compare(scene.baseline, scene.baseline, fresh=True)
        assert gate.passed
        assert gate.baseline_run != gate.candidate_run
        assert all(case.same_answer for case in gate.cases)
        assert await scene.evals.gate(scene.baseline, scene.baseline) == gate
        assert (await scene.evals.recent(limit=1))[0] == gate

    async def test_a_worse_release_fails_though_its_folder_dropped_the_case(
        self, scene: Scene, tmp_path: Path
    ) -> None:
        with changed_copy(scene, tmp_path) as copy:
            edit(copy / "workflows/refund_double_charge.yaml", "amount > 100", "amount > 1000")
            with changed_yaml(copy / "cases/workflows.yaml") as content:
                content["cases"] = [case for case in content["cases"] if case["name"] != APPROVAL]
            candidate = await scene.freeze(copy)
        gate = await scene.evals.compare(candidate, scene.baseline, fresh=True)
        assert not gate.passed
        worse = next(case for case in gate.cases if case.worse)
        assert (worse.case, worse.change, worse.asks[-1]) == (APPROVAL, CaseChange.REMOVED, "yes")
        assert "colleagues" in worse.baseline_texts[-1]
        assert "I've refunded £142.50" in worse.candidate_texts[-1]
        async with scene.foundation.store.database.read() as session:
            entries = await scene.foundation.ledger.recent(session, deed="evaluation.failed")
        assert entries[0].subject == f"release:{candidate}"
        assert entries[0].details["worse"] == APPROVAL


class TestWithAModel:
    async def test_a_prompt_without_passages_is_beyond_chance(
        self, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-simulated")
        with serve_in_thread() as url, changed_copy(scene, tmp_path) as copy:
            with changed_yaml(copy / "assistant.yaml") as assistant:
                assistant["models"][0]["url"] = url
                assistant["answer_with"] = ["main", "extractive"]
            for place in (copy / "cases").glob("*.yaml"):
                place.unlink()
            (copy / "cases/fee.yaml").write_text(FEE, encoding="utf-8")
            baseline = await scene.freeze(copy)
            passages_left_out(copy, random.Random(1), read_folder(copy))
            candidate = await scene.freeze(copy)
            gate = await scene.evals.compare(candidate, baseline, fresh=True)
        assert not gate.deterministic
        assert [case.case for case in gate.cases if case.worse] == ["refund_days"]
        worse = next(case for case in gate.cases if case.worse)
        assert (worse.baseline_passed, worse.baseline_runs) == (13, 13)
        assert (worse.candidate_passed, worse.candidate_runs) == (0, 13)
        assert worse.p < 1e-4
        assert gate.cost_baseline is not None
        assert gate.cost_baseline > 0
