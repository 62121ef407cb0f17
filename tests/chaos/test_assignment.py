"""A small seed of the assignment campaign, on the real turn code and a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tests.conftest import TestDatabase, empty_tables
from tests.prove import arms, assignment
from tests.prove.assignment import Installation, open_installation, prepare

from steward.app.settings import Settings

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
async def installation(
    worker_database: TestDatabase, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Installation]:
    """The sample with three releases, in this process."""
    directory = prepare(tmp_path_factory.mktemp("assignment"))
    settings = Settings(
        data_dir=directory,
        database_url=worker_database.app_url,
        migration_database_url=worker_database.owner_url,
    )
    async with open_installation(directory, settings) as opened:
        yield opened
    empty_tables(worker_database.admin_url)


class TestConversations:
    async def test_the_sentences_are_taken_for_what_they_are(self, installation: Installation) -> None:
        await assignment.require_understood(installation)

    async def test_they_are_answered_as_the_rules_say(self, installation: Installation) -> None:
        rounds = [await assignment.one_round(installation, f"1:{n}", conversations=20) for n in range(3)]
        assert [problem for round_ in rounds for problem in round_.problems] == []
        assert sum(sum(round_.changes.values()) for round_ in rounds) > 3


class TestDue:
    """The second telling of the rules, where a round may not come by."""

    PLANS = (
        arms.Plan(10.0, frozenset({"billing"})),
        arms.Plan(50.0, frozenset({"billing", "offers"})),
    )

    def lane(self) -> arms.Lane:
        rollout = arms.Rollout("one", "new", self.PLANS)
        return arms.Lane("old", None, {"one": rollout})

    def test_a_customer_seen_on_the_candidate_is_due_there_for_good(self) -> None:
        lane, customers = self.lane(), arms.Customers()
        talk = arms.Talk("ann", "web", "old")
        found = arms.due(talk, lane, "billing", customers)
        assert {item.arm for item in found} == {"candidate", "baseline"}
        customers.learn(next(item for item in found if item.arm == "candidate"), lane)
        lane.rollouts["one"].phase = 1
        assert [item.arm for item in arms.due(talk, lane, "offers", customers)] == ["candidate"]

    def test_nobody_stays_on_a_rolled_back_candidate(self) -> None:
        lane = self.lane()
        talk = arms.Talk("ann", "web", "new", True, "candidate", "one", 0, "billing")
        assert arms.due(talk, lane, None, arms.Customers()) == [talk]
        lane.rollouts["one"].state = "rolled_back"
        assert arms.due(talk, lane, None, arms.Customers()) == [replace(talk, release="old", moved=True)]

    def test_another_category_than_takes_part_leaves_the_candidate(self) -> None:
        talk = arms.Talk("ann", "web", "new", True, "candidate", "one", 0, "billing")
        (found,) = arms.due(talk, self.lane(), "access", arms.Customers())
        assert (found.release, found.moved, found.arm) == ("old", True, "candidate")
