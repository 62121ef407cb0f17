"""The shadow on the real turn code: finished turns of one release answered again by another."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from prometheus_client import CollectorRegistry
from tests.conftest import TestDatabase, empty_tables

from steward.app.foundation import open_foundation
from steward.app.settings import Settings
from steward.app.wiring import Application, open_application
from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.base.errors import NotFound
from steward.improve.rollout import plan
from steward.improve.rollout.contracts import RolloutKind
from steward.improve.rollout.shadow import CLAIM_ENDS_AFTER_S, Shadowing
from steward.improve.rollout.shadow_results import ShadowResults
from steward.serve.conversations.contracts import Customer, Done
from steward.serve.turn.replay import Compared
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder
from steward.supply.releases.contracts import ReleaseId

SAID = ("What does my bill include?", "How do I return my hub?", "I want to talk to a human")


class Installation:
    """The sample, served, with another release and what a shadow needs."""

    def __init__(self, application: Application, old: ReleaseId, new: ReleaseId, kept: str) -> None:
        self.application = application
        self.database: Database = application.foundation.store.database
        self.old = old
        self.new = new
        self.plan = kept

    async def open(self, *, simulated: bool = False, share_percent: float = 100.0) -> UUID:
        """Begin a shadow that takes turns from now on."""
        rollout_id = uuid4()
        kept = json.loads(self.plan)
        kept["phases"][0]["share_percent"] = share_percent
        async with self.database.write() as session:
            await session.execute("update rollout set state = 'concluded'")
            await session.execute(
                """insert into rollout (id, assistant, simulated, kind, candidate_release, baseline_release,
                       baseline_kind, plan, state, phase, created_by, created_at)
                   values (%s, 'northline', %s, 'shadow', %s, %s, 'release', %s, 'running', 0, 'test', %s)""",
                (rollout_id, simulated, self.new, self.old, json.dumps(kept), datetime.now(UTC)),
            )
        return rollout_id

    async def talk(self, *said: str, simulated: bool = False) -> list[Done]:
        """Say something in a new conversation and return how each turn ended."""
        started = await self.application.conversations.start(
            assistant="northline", channel="web", customer=Customer(str(uuid4()), False, {}), locale=None,
            simulated=simulated,
        )  # fmt: skip
        done: list[Done] = []
        for text in said:
            async for event in self.application.turns.message(
                started.conversation.id, text, key=str(uuid4())
            ):
                if isinstance(event, Done):
                    done.append(event)
        return done

    async def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a query."""
        async with self.database.read() as session:
            return await session.all(statement, values)


class Resting:
    """Notes rests instead of taking them."""

    def __init__(self) -> None:
        self.rests: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.rests.append(seconds)


@pytest.fixture(scope="module")
async def installation(
    worker_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """Everything that serves the sample, in this process, with two releases."""
    directory = tmp_path_factory.mktemp("shadow")
    settings = Settings(
        data_dir=directory,
        database_url=worker_database.app_url,
        migration_database_url=worker_database.owner_url,
    )
    folder = directory / "northline"
    initialise(folder, "northline")
    async with open_foundation(settings, say=lambda _: None) as foundation:
        read = read_folder(folder)
        first = await foundation.releases.create(read, created_by="system")
        await foundation.releases.serve("northline", first.id, actor="system")
        page = folder / "knowledge" / "billing" / "understand-your-bill.md"
        text = page.read_text(encoding="utf-8")
        page.write_text(text.replace(".\n", ". That is so.\n"), encoding="utf-8")
        second = await foundation.releases.create(read_folder(folder), created_by="system")
        kept = json.dumps(plan.as_json(plan.plan_of(read, kind=RolloutKind.SHADOW)))
        async with open_application(
            foundation, assistant="northline", registry=CollectorRegistry()
        ) as application:
            yield Installation(application, first.id, second.id, kept)
    empty_tables(worker_database.admin_url)


def shadowing(installation: Installation, **changes: Any) -> Shadowing:
    """Return the worker on a machine that is idle."""
    given = {
        "database": installation.database,
        "clock": installation.application.foundation.clock,
        "replays": installation.application.replays,
        "load": lambda: 0.0,
        "rest": Resting(),
    }
    return Shadowing(**{**given, **changes})


async def swept(worker: Shadowing) -> int:
    """Sweep until nothing is left and return how many turns were stored."""
    stored = 0
    while found := await worker.sweep():
        stored += found
    return stored


class TestSweep:
    async def test_each_finished_turn_is_compared_once(self, installation: Installation) -> None:
        rollout_id = await installation.open()
        turns = await installation.talk(*SAID)
        rest = Resting()
        assert await swept(shadowing(installation, rest=rest)) == len(SAID)
        assert await swept(shadowing(installation)) == 0
        assert len(rest.rests) == len(SAID)
        page = await ShadowResults(database=installation.database).of(rollout_id)
        assert page.compared == len(SAID)
        assert page.broken == ()
        assert page.handed_over_baseline.hits == page.handed_over_candidate.hits == 1
        assert page.same_sources.hits < len(SAID)
        assert page.telling[0].turn_id in {done.turn_id for done in turns}
        assert page.p50_ms.candidate is not None
        assert page.p50_ms.candidate > 0

    async def test_nothing_of_it_reaches_the_conversation(self, installation: Installation) -> None:
        await installation.open()
        await installation.talk(SAID[0])
        counts = "select (select count(*) from message), (select count(*) from turn), count(*) from handover"
        before = await installation.rows(counts)
        assert await swept(shadowing(installation)) == 1
        assert await installation.rows(counts) == before

    async def test_rehearsals_and_real_turns_are_apart(self, installation: Installation) -> None:
        await installation.open(simulated=True)
        await installation.talk(SAID[0])
        assert await swept(shadowing(installation)) == 0
        await installation.talk(SAID[0], simulated=True)
        assert await swept(shadowing(installation)) == 1

    async def test_what_was_said_before_it_began_is_left_alone(self, installation: Installation) -> None:
        await installation.talk(SAID[0])
        await installation.open()
        assert await swept(shadowing(installation)) == 0

    async def test_a_share_takes_the_same_turns_whoever_asks(self, installation: Installation) -> None:
        await installation.open(share_percent=0.0)
        await installation.talk(SAID[0])
        assert await swept(shadowing(installation)) == 0

    async def test_a_busy_machine_is_left_to_live_turns(self, installation: Installation) -> None:
        await installation.open()
        await installation.talk(SAID[0])
        assert await shadowing(installation, load=lambda: 9.0).sweep() == 0
        assert await swept(shadowing(installation)) == 1

    async def test_one_that_breaks_is_a_result_and_is_not_tried_again(
        self, installation: Installation
    ) -> None:
        class Broken:
            async def replay(self, turn_id: UUID, *, release_id: str | None = None) -> Compared:
                raise NotFound(f"no turn {turn_id} on {release_id}")

        rollout_id = await installation.open()
        await installation.talk(SAID[0])
        assert await swept(shadowing(installation, replays=Broken())) == 1
        assert await swept(shadowing(installation)) == 0
        page = await ShadowResults(database=installation.database).of(rollout_id)
        assert (page.compared, page.broken) == (0, (("NotFound", 1),))

    async def test_a_killed_process_leaves_a_claim_that_ends(self, installation: Installation) -> None:
        class Killed(BaseException):
            """Ends a sweep as a kill does: nothing after it runs."""

        class Dying:
            async def replay(self, turn_id: UUID, *, release_id: str | None = None) -> Compared:
                raise Killed

        rollout_id = await installation.open()
        await installation.talk(SAID[0])
        with pytest.raises(Killed):
            await shadowing(installation, replays=Dying()).sweep()
        assert await swept(shadowing(installation)) == 0
        later = FixedClock(datetime.now(UTC) + timedelta(seconds=CLAIM_ENDS_AFTER_S + 5))
        assert await swept(shadowing(installation, clock=later)) == 1
        page = await ShadowResults(database=installation.database).of(rollout_id)
        assert page.compared == 1

    async def test_a_late_result_does_not_overwrite_the_claim_that_followed(
        self, installation: Installation
    ) -> None:
        replays = installation.application.replays
        later = FixedClock(datetime.now(UTC) + timedelta(seconds=CLAIM_ENDS_AFTER_S + 5))

        class Overtaken:
            """Another process takes the turn over while this one replays it."""

            async def replay(self, turn_id: UUID, *, release_id: str | None = None) -> Compared:
                assert await swept(shadowing(installation, clock=later)) == 1
                compared = await replays.replay(turn_id, release_id=release_id)
                return replace(compared, now=replace(compared.now, outcome="failed"))

        rollout_id = await installation.open()
        await installation.talk(SAID[0])
        assert await shadowing(installation, replays=Overtaken()).sweep() == 0
        page = await ShadowResults(database=installation.database).of(rollout_id)
        assert page.compared == 1
        assert [item.after for item in page.outcomes if item.after == "failed"] == []


class TestShadowResults:
    async def test_an_unknown_shadow(self, installation: Installation) -> None:
        with pytest.raises(NotFound, match="There is no shadow"):
            await ShadowResults(database=installation.database).of(uuid4())
