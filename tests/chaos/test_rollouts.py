"""A small seed of the end-to-end rollouts: two replicas, a bad candidate, and the decider killed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from tests.conftest import scratch_directory
from tests.prove import rollouts
from tests.prove.results import Ledgered
from tests.prove.world import open_world

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(600)]

SHARE_PERCENT = 40.0
"""More than the campaign's 5 %, so that few customers are enough."""


class TestRollouts:
    async def test_a_bad_candidate_is_stopped_also_when_the_decider_is_killed(self) -> None:
        kept = Ledgered(None)
        with tempfile.TemporaryDirectory(prefix="steward-rollouts-", dir=scratch_directory()) as name:
            async with open_world(Path(name), customers=1) as world:
                await rollouts.campaign(
                    world, kept, seed=1, rounds=2, scenes=(rollouts.PLAIN, rollouts.LEADER_KILLED),
                    per_second=4.0, share_percent=SHARE_PERCENT,
                )  # fmt: skip
        assert kept.problems == []
        assert kept.all_of("state") == ["rolled_back", "rolled_back"]
