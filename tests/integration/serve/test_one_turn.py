"""One message is one turn, however many ask for it and whenever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry
from psycopg_pool import AsyncConnectionPool
from tests.conftest import TestDatabase, empty_tables

from steward.app.foundation import open_foundation
from steward.app.settings import Settings
from steward.app.wiring import Application, open_application
from steward.serve.conversations.contracts import Customer, Delta, Done
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder

pytestmark = pytest.mark.timeout(600)  # freezes the sample
HELD_UP_S = 0.5
ANSWERED_WITHIN_S = 60.0


@pytest.fixture
async def application(
    worker_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Application]:
    """Everything that serves the sample, in this process."""
    directory = tmp_path_factory.mktemp("one_turn")
    settings = Settings(
        data_dir=directory,
        database_url=worker_database.app_url,
        migration_database_url=worker_database.owner_url,
    )
    initialise(directory / "northline", "northline")
    async with open_foundation(settings, say=lambda _: None) as foundation:
        release = await foundation.releases.create(read_folder(directory / "northline"), created_by="system")
        await foundation.releases.serve("northline", release.id, actor="system")
        async with open_application(
            foundation, assistant="northline", registry=CollectorRegistry()
        ) as opened:
            yield opened
    empty_tables(worker_database.admin_url)


async def test_it_is_begun_once_though_its_commit_is_heard_of_late(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = await application.conversations.start(
        assistant="northline", channel="web", customer=Customer(str(uuid4()), False, {}), locale=None
    )
    gives_back: Callable[..., Awaitable[None]] = AsyncConnectionPool.putconn
    held_up: list[float] = []

    async def late(self: object, connection: object) -> None:
        if not held_up:
            held_up.append(HELD_UP_S)
            await asyncio.sleep(HELD_UP_S)
        await gives_back(self, connection)

    monkeypatch.setattr(AsyncConnectionPool, "putconn", late)

    async def ask() -> tuple[str, Done]:
        message = application.turns.message(started.conversation.id, "How do I read my bill?", key="the key")
        events = [event async for event in message]
        assert isinstance(events[-1], Done)
        return "".join(event.text for event in events if isinstance(event, Delta)), events[-1]

    async with asyncio.timeout(ANSWERED_WITHIN_S):
        answers = await asyncio.gather(*(ask() for _ in range(4)))
    assert held_up
    assert {(text, done.turn_id) for text, done in answers} == {(answers[0][0], answers[0][1].turn_id)}
    transcript = await application.conversations.transcript(started.conversation.id)
    assert [message.role.value for message in transcript] == ["customer", "assistant"]
