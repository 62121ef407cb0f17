"""A second model reads answers of dear categories before they're said, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from prometheus_client import CollectorRegistry
from tests.conftest import TestDatabase, empty_tables
from tests.integration.serve.test_replay import NAMED_MODEL, make_small

from steward.app.foundation import open_foundation
from steward.app.settings import Settings
from steward.app.wiring import Application, open_application
from steward.improve.simulation.knobs import Knobs
from steward.improve.simulation.model_server import serve_in_thread
from steward.serve.conversations.contracts import Customer, Done
from steward.serve.turn.anatomy import Anatomy
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder

pytestmark = pytest.mark.timeout(300)
JUDGE = """
  - name: judge
    provider: openai
    model: judge
    url: {url}
    secret: OPENAI_API_KEY
  - name: extractive
"""
JUDGED = """
judge:
  model: judge
  categories: [payments_refunds]
  deadline_seconds: 0.5
"""
IN_A_JUDGED_CATEGORY = "How long does a refund take?"
IN_ANOTHER = "How do I reset my router?"


@dataclass(frozen=True, slots=True)
class Scene:
    """The sample with a model that answers and one that judges."""

    application: Application
    judge_url: str

    async def ask(self, text: str, **knobs: object) -> Anatomy:
        """Ask in a new conversation, the judge behaving as told; return the turn taken apart."""
        address = self.judge_url.removesuffix("/v1") + "/simulate"
        httpx2.delete(address)
        httpx2.post(address, content=Knobs.model_validate(knobs).model_dump_json(exclude_unset=True))
        started = await self.application.conversations.start(
            assistant="northline", channel="web", customer=Customer(str(uuid4()), False, {}), locale=None
        )
        turn = self.application.turns.message(started.conversation.id, text, key=str(uuid4()))
        events = [event async for event in turn]
        assert isinstance(events[-1], Done)
        return await self.application.anatomies.show(events[-1].turn_id)

    def asked(self) -> int:
        """Return how often the judge was asked so far."""
        address = self.judge_url.removesuffix("/v1") + "/simulate"
        return int(httpx2.get(address).json()["requests"])


@pytest.fixture(scope="module")
async def scene(
    worker_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    directory = tmp_path_factory.mktemp("judging")
    folder = directory / "northline"
    initialise(folder, "northline")
    make_small(folder)
    (directory / "secrets").mkdir()
    (directory / "secrets" / "OPENAI_API_KEY").write_text("sk-simulated")
    with serve_in_thread() as model_url, serve_in_thread() as judge_url:
        with_models(folder, model_url, judge_url)
        settings = Settings(
            data_dir=directory,
            database_url=worker_database.app_url,
            migration_database_url=worker_database.owner_url,
        )
        async with open_foundation(settings, say=lambda _: None) as foundation:
            release = await foundation.releases.create(read_folder(folder), created_by="system")
            await foundation.releases.serve("northline", release.id, actor="system")
            registry = CollectorRegistry()
            async with open_application(foundation, assistant="northline", registry=registry) as application:
                yield Scene(application, judge_url)
    empty_tables(worker_database.admin_url)


def with_models(folder: Path, model_url: str, judge_url: str) -> None:
    path = folder / "assistant.yaml"
    text = path.read_text(encoding="utf-8").replace(NAMED_MODEL, f"{NAMED_MODEL}    url: {model_url}\n")
    assert "\n  - name: extractive\n" in text
    text = text.replace("\n  - name: extractive\n", JUDGE.format(url=judge_url), 1)
    path.write_text(text, encoding="utf-8")
    guardrails = folder / "guardrails.yaml"
    guardrails.write_text(guardrails.read_text(encoding="utf-8") + JUDGED, encoding="utf-8")


class TestJudge:
    async def test_what_it_confirms_is_said(self, scene: Scene) -> None:
        turn = await scene.ask(IN_A_JUDGED_CATEGORY, canned="SUPPORTED. All of it stands there.")
        assert turn.category == "payments_refunds"
        assert turn.model == "main"
        assert [said.verdict for said in turn.sentences][-1] == "confirmed"

    @pytest.mark.parametrize(
        ("knobs", "reason"),
        [
            ({"canned": "UNSUPPORTED: the days differ."}, "judged_unsupported"),
            ({"canned": "NOT SUPPORTED."}, "judged_unsupported"),
            ({"canned": "I am not sure what you ask."}, "not_judged"),
            ({"canned": "SUPPORTED", "first_token_ms": 3000}, "not_judged"),
            ({"error_rate": 1.0, "error_status": 400}, "not_judged"),
        ],
    )
    async def test_what_it_does_not_is_answered_in_the_bases_own_words(
        self, scene: Scene, knobs: dict[str, object], reason: str
    ) -> None:
        turn = await scene.ask(IN_A_JUDGED_CATEGORY, **knobs)
        assert reason in [said.reason for said in turn.sentences if said.verdict == "dropped"]
        assert turn.model == "extractive"
        assert turn.route == "verification failed"
        sent = [said.text for said in turn.sentences if said.verdict == "sent"]
        assert any(sent[-1] in passage.body for passage in turn.passages)

    async def test_every_reason_is_told_in_words(self, scene: Scene) -> None:
        turn = await scene.ask(IN_A_JUDGED_CATEGORY, canned="UNSUPPORTED")
        assert "The judge found that the cited passage doesn't say it." in [
            said.why for said in turn.sentences
        ]

    async def test_other_categories_are_not_judged(self, scene: Scene) -> None:
        before = scene.asked()
        turn = await scene.ask(IN_ANOTHER, canned="UNSUPPORTED")
        assert turn.category != "payments_refunds"
        assert turn.model == "main"
        assert scene.asked() == before
