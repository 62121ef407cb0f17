from pathlib import Path

import pytest
from benchmarks.rollout import METHODS, as_text, harmful_round, harmless_round, summary
from tests.prove import rollout_aa, rollout_harm


class TestSummary:
    def test_it_has_the_share_of_false_roll_backs_and_the_table(self) -> None:
        figures = summary([harmless_round(1, 0)], harmful_round(1, 0))
        assert figures["aa_false_rollback_share"] in (0.0, 1.0)
        assert len(figures["harm"]) == 3 * 3 * 5
        assert "slow_turn_rate" in as_text(figures)


class TestHarmlessRound:
    def test_the_same_round_ends_the_same(self) -> None:
        first = harmless_round(2, 5)
        assert first == harmless_round(2, 5)
        assert set(METHODS) <= set(first)


@pytest.mark.campaign
class TestCampaigns:
    async def test_harmless_rollouts_go_on_where_they_stopped(self, tmp_path: Path) -> None:
        first = await rollout_aa.run(tmp_path, seed=3, rounds=20)
        kept = (tmp_path / "rounds.json").read_text()
        again = await rollout_aa.run(tmp_path, seed=3, rounds=20)
        assert (tmp_path / "rounds.json").read_text() == kept
        assert again.text() == first.text()
        assert not first.problems

    async def test_harm_at_half_of_the_customers_is_found(self, tmp_path: Path) -> None:
        report = await rollout_harm.run(tmp_path, seed=3, rounds=20)
        rows = dict(report.figures)
        assert rows["slow turns 12 % instead of 3 %, share 50 %, margin 0.03"].startswith("100.0%")
        assert report.figures[0] == ("rollouts for each row", "20")
