"""Labels move and are found; pruning takes what nothing refers to and nothing else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.base.errors import InvalidInput
from steward.govern.ledger.service import Ledger
from steward.supply.releases.contracts import Release
from steward.supply.releases.errors import AmbiguousRelease, BadLabel, NoSuchLabel, NoSuchRelease
from steward.supply.releases.labels import Labels
from steward.supply.releases.pruning import GRACE, Pruning

CLERK = "account:0190"
Admin = psycopg.Connection[tuple[object, ...]]
GREETINGS = (b"Hello, I'm", b"Hi, I'm", b"Hey, I'm", b"Good day, I'm")


@pytest.fixture
def labels(database: Database, fixed_clock: FixedClock) -> Labels:
    return Labels(database, clock=fixed_clock, ledger=Ledger(fixed_clock))


@pytest.fixture
def pruning(database: Database, fixed_clock: FixedClock) -> Pruning:
    return Pruning(database, clock=fixed_clock, ledger=Ledger(fixed_clock))


async def releases_of(workshop: Any, count: int) -> list[Release]:
    """Make releases that differ in their greeting alone: they share their knowledge."""
    service = workshop.open()
    return [
        await service.create(
            workshop.folder(assistant=(b"Hello, I'm", greeting)) if place else workshop.folder(),
            created_by=CLERK,
        )
        for place, greeting in enumerate(GREETINGS[:count])
    ]


async def rows(database: Database, sql: str) -> list[Any]:
    async with database.read() as session:
        return [row[0] for row in await session.all(sql)]


class TestLabels:
    async def test_a_label_means_one_release_at_a_time(
        self, workshop: Any, labels: Labels, database: Database
    ) -> None:
        first, second = await releases_of(workshop, 2)
        assert await labels.put(first, "stable", actor=CLERK) is None
        assert (await workshop.open().find("Stable")).id == first.id
        assert await labels.put(second, "stable", actor=CLERK) == first.id
        assert await labels.put(second, "stable", actor=CLERK) == second.id
        assert (await workshop.open().find("stable")).id == second.id
        assert [line.labels for line in await workshop.open().recent()] == [("stable",), ()]
        moved = await rows(database, "select details from ledger where deed = 'release.labelled' order by 1")
        assert [(entry["label"], entry["before"]) for entry in moved].count(("stable", first.id)) == 1
        assert len(moved) == 2

    async def test_what_could_be_an_id_or_a_number_is_refused(self, workshop: Any, labels: Labels) -> None:
        (first,) = await releases_of(workshop, 1)
        for name in ("7", "beef", first.id[:8], "with space"):
            with pytest.raises(BadLabel, match="can't be a label"):
                await labels.put(first, name, actor=CLERK)

    async def test_taking_it_off(self, workshop: Any, labels: Labels) -> None:
        first, second = await releases_of(workshop, 2)
        await labels.put(first, "stable", actor=CLERK)
        with pytest.raises(NoSuchLabel, match="doesn't have the label 'stable'"):
            await labels.remove(second, "stable", actor=CLERK)
        await labels.remove(first, "stable", actor=CLERK)
        with pytest.raises(NoSuchRelease, match="no release 'stable'"):
            await workshop.open().find("stable")

    async def test_each_assistant_has_its_own(self, workshop: Any, labels: Labels) -> None:
        (spoke,) = await releases_of(workshop, 1)
        wheel = await workshop.open().create(
            workshop.folder(assistant=(b"name: spoke", b"name: wheel")), created_by=CLERK
        )
        for release in (spoke, wheel):
            await labels.put(release, "stable", actor=CLERK)
        with pytest.raises(AmbiguousRelease, match="'stable' means several releases"):
            await workshop.open().find("stable")
        assert (await workshop.open().find("stable", assistant="wheel")).id == wheel.id


class TestPruning:
    async def test_takes_what_nothing_refers_to(
        self, workshop: Any, pruning: Pruning, database: Database
    ) -> None:
        first, second, third = await releases_of(workshop, 3)
        await workshop.open().serve("spoke", first.id, actor=CLERK)
        planned = await pruning.plan(keep=1)
        assert [release.id for release in planned.releases] == [second.id]
        told: list[str] = []
        pruned = await pruning.prune(actor=CLERK, keep=1, progress=told.append)
        assert pruned == planned
        assert "removing release spoke 2: 1 of 1" in told
        assert await rows(database, "select id from release order by number") == [first.id, third.id]
        assert await rows(database, "select distinct number from release_artefact a join release r on r.id = "
                                    "a.release_id order by 1") == [1, 3]  # fmt: skip
        assert await rows(
            database, "select details->>'number' from ledger where deed = 'release.pruned'"
        ) == ["2"]
        await workshop.open().load(first.id)

    async def test_a_plan_removes_nothing(self, workshop: Any, pruning: Pruning, database: Database) -> None:
        await releases_of(workshop, 3)
        assert len((await pruning.plan(keep=1)).releases) == 2
        assert len(await rows(database, "select id from release")) == 3

    async def test_the_newest_always_stays(self, pruning: Pruning) -> None:
        with pytest.raises(InvalidInput, match=r"--keep is 0; .* 1 or more"):
            await pruning.plan(keep=0)

    async def test_numbers_are_not_used_again(self, workshop: Any, pruning: Pruning) -> None:
        await releases_of(workshop, 3)
        await pruning.prune(actor=CLERK, keep=1)
        again = await workshop.open().create(workshop.folder(), created_by=CLERK)
        assert again.number == 4

    async def test_whatever_refers_to_a_release_keeps_it(
        self, workshop: Any, pruning: Pruning, labels: Labels, admin_connection: Admin
    ) -> None:
        release, _ = await releases_of(workshop, 2)
        customer, conversation, turn, run = (uuid4() for _ in range(4))
        db = admin_connection
        db.execute("insert into customer values (%s, null, false, now())", (customer,))
        others = await workshop.open().create(
            workshop.folder(assistant=(b"name: spoke", b"name: wheel")), created_by=CLERK
        )
        spoken = (
            "insert into conversation (id, customer_id, assistant, release_id, channel, verified, opened_at, "
            "last_at) values (%s, %s, 'spoke', %s, 'web', false, now(), now())"
        )
        keeping: dict[str, tuple[str, tuple[object, ...], str]] = {
            "conversation": (spoken, (conversation, customer, release.id), "delete from conversation"),
            "turn": (
                "insert into turn (id, conversation_id, message_id, release_id, assistant, arm, channel, "
                "simulated, outcome, reason, currency, total_ms, started_at, finished_at) "
                "values (%s, %s, %s, %s, 'spoke', 'baseline', 'web', false, 'answered', 'x', 'GBP', 1, "
                "now(), now())",
                (turn, conversation, uuid4(), release.id), "delete from turn",
            ),
            "evaluation": (
                "insert into eval_run (id, assistant, release_id, side, cases_digest, repeats, "
                "deterministic, started_at) values (%s, 'spoke', %s, 'alone', 'd', 1, true, now())",
                (uuid4(), release.id), "delete from eval_run",
            ),
            "rollout": (
                "insert into rollout (id, assistant, kind, candidate_release, baseline_release, "
                "baseline_kind, plan, state, created_by, created_at) values "
                "(%s, 'spoke', 'rollout', %s, %s, 'release', '{}', 'promoted', 'system', now())",
                (uuid4(), others.id, release.id), "delete from rollout",
            ),
            "split": (
                "insert into serving (assistant, release_id, changed_at, split) values "
                "('wheel', %s, now(), %s)",
                (others.id, json.dumps({"candidate": release.id})), "delete from serving",
            ),
            "holdout": (
                "insert into serving (assistant, release_id, changed_at, holdout) values "
                "('wheel', %s, now(), %s)",
                (others.id, json.dumps({"release_id": release.id})), "delete from serving",
            ),
            "simulated": (
                "insert into serving (assistant, simulated, release_id, changed_at) values "
                "('spoke', true, %s, now())",
                (release.id,), "delete from serving",
            ),
        }  # fmt: skip
        for what, (insert, values, undo) in keeping.items():
            db.execute(insert.encode(), values)
            planned = await pruning.plan(keep=1, assistant="spoke")
            assert planned.releases == (), what
            db.execute(undo.encode())
        db.execute(spoken.encode(), (conversation, customer, others.id))
        db.execute(
            "insert into workflow_run (id, conversation_id, customer_id, release_id, workflow, state, "
            "values_sealed, created_at, updated_at) values (%s, %s, %s, %s, 'w', 'done', '', now(), now())",
            (run, conversation, customer, release.id),
        )
        assert (await pruning.plan(keep=1, assistant="spoke")).releases == ()
        db.execute("delete from workflow_run")
        await labels.put(release, "stable", actor=CLERK)
        assert (await pruning.plan(keep=1, assistant="spoke")).releases == ()
        await labels.remove(release, "stable", actor=CLERK)
        assert [unused.id for unused in (await pruning.plan(keep=1, assistant="spoke")).releases] == [
            release.id
        ]

    async def test_knowledge_goes_with_the_last_release_that_held_it(
        self, workshop: Any, pruning: Pruning, database: Database, fixed_clock: FixedClock
    ) -> None:
        service = workshop.open()
        files = dict(workshop.folder().files)
        files["knowledge/returns.md"] = b"# Returns\n\nSend it back within 30 days.\n"
        first = await service.create(workshop.read(files), created_by=CLERK)
        second = await service.create(workshop.folder(), created_by=CLERK)
        held = "select path from knowledge_document order by path"
        assert await rows(database, held) == ["cancelling.md", "delivery.md", "returns.md"]
        await workshop.open().serve("spoke", second.id, actor=CLERK)
        fixed_clock.advance(GRACE + timedelta(seconds=1))
        planned = await pruning.plan(keep=1)
        pruned = await pruning.prune(actor=CLERK, keep=1)
        assert pruned == planned
        assert [unused.id for unused in pruned.releases] == [first.id]
        assert (pruned.snapshots, pruned.documents) == (1, 1)
        assert pruned.passages > 0
        assert await rows(database, held) == ["cancelling.md", "delivery.md"]
        assert (await workshop.open().load(second.id)).id == second.id
        assert await rows(database, "select details from ledger where deed = 'knowledge.pruned'")

    async def test_knowledge_of_a_release_being_made_stays(
        self, workshop: Any, pruning: Pruning, database: Database, admin_connection: Admin
    ) -> None:
        await releases_of(workshop, 1)
        admin_connection.execute("delete from release")
        assert (await pruning.prune(actor=CLERK, keep=1)).snapshots == 0
        assert len(await rows(database, "select id from knowledge_snapshot")) == 1

    async def test_a_reference_that_comes_meanwhile_keeps_the_release(
        self, workshop: Any, pruning: Pruning, labels: Labels, database: Database
    ) -> None:
        first, second = await releases_of(workshop, 2)
        service = workshop.open()

        def interfere(text: str) -> None:
            if text.startswith("removing release spoke 1"):
                with psycopg.connect(workshop.admin_url, autocommit=True) as other:
                    other.execute(
                        "insert into release_label values ('spoke', 'wanted', %s, now(), 'x')", (first.id,)
                    )

        pruned = await pruning.prune(actor=CLERK, keep=1, progress=interfere)
        assert pruned.releases == ()
        assert (await service.find("wanted")).id == first.id
        assert second.id != first.id
