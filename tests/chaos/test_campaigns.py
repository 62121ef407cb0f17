"""A small seed of each long campaign, in one installation; `make prove` runs them whole."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.conftest import scratch_directory
from tests.prove import erasure, kills, personal_data, takeovers, troubles
from tests.prove.results import Ledgered
from tests.prove.world import World, open_world

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(300)]

KILLS = 3
QUICK_TROUBLES = (
    "does the work and drops the answer",
    "drops the answer and won't say what became of it",
    "refuses with 422",
    troubles.DOWN_BEFORE,
    troubles.DOWN_IN_THE_ACT,
    troubles.TAKEN_OVER,
)


@pytest.fixture(scope="module")
async def world() -> AsyncIterator[World]:
    """One installation with the company's system and a simulated model."""
    with tempfile.TemporaryDirectory(prefix="steward-campaign-", dir=scratch_directory()) as name:
        customers = len(QUICK_TROUBLES) + KILLS + kills.REHEARSALS
        async with open_world(Path(name), customers=customers) as opened:
            yield opened


class TestTroubles:
    async def test_one_effect_and_true_words_whatever_the_company_does(self, world: World) -> None:
        kept = Ledgered(None)
        await troubles.campaign(world, kept, seed=1, rounds=1, troubles=QUICK_TROUBLES)
        assert kept.problems == []


class TestTakeOvers:
    async def test_no_sentence_after_the_commit(self, world: World) -> None:
        kept = Ledgered(None)
        await takeovers.campaign(world, kept, seed=1, rounds=2, conversations=6)
        assert kept.problems == []
        assert sum(kept.all_of("mid_stream")) > 0


class TestKills:
    async def test_nothing_is_lost_doubled_or_undecided(self, world: World) -> None:
        kept = Ledgered(None)
        await kills.campaign(world, kept, seed=1, rounds=KILLS, first=len(QUICK_TROUBLES))
        assert kept.problems == []


class TestPersonalData:
    def test_the_search_sees_every_form(self) -> None:
        assert personal_data.self_check() == []

    async def test_nothing_that_is_kept_holds_it(self, world: World) -> None:
        found = personal_data.Found()
        agent = await world.agent(world.client())
        await personal_data.type_everything(world, agent, found, forms=1)
        await personal_data.search_everything(world, agent, found)
        assert found.problems == []


class TestErasure:
    async def test_an_erased_customer_is_nowhere(self, world: World) -> None:
        found = await erasure.erase_and_search(world, conversations=10, turns=2)
        assert found["problems"] == []

    async def test_who_is_being_answered_can_be_erased(self, world: World) -> None:
        assert await erasure.turn_in_flight(world) == []

    async def test_a_killed_erasure_is_finished_by_erasing_again(self, world: World) -> None:
        assert await erasure.killed_in_the_middle(world) == []
