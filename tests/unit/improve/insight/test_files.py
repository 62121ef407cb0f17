"""KPIs of files that another system wrote."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steward.app.commands.kpi import Question, run_kpi
from steward.base.errors import InvalidInput
from steward.improve.insight.contracts import By, Parameters, Scope
from steward.improve.insight.files import open_files
from steward.improve.insight.kpis import kpi

SCOPE = Scope(at=datetime(2026, 3, 2, tzinfo=UTC))
CONVERSATIONS = """id,opened_at,handed_over,csat,category
a,2026-02-01T10:00:00Z,true,5,billing
b,2026-02-01T11:00:00+01:00,false,,billing
c,2026-02-02 12:00:00,false,2,internet
"""
TURNS = """id,conversation_id,started_at,outcome,total_ms
1,a,2026-02-01T10:00:00Z,answered,100
2,a,2026-02-01T10:01:00Z,failed,300
3,b,2026-02-01T10:00:00Z,silent,
"""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with both tables, with few columns."""
    (tmp_path / "conversations.csv").write_text(CONVERSATIONS)
    (tmp_path / "turns.csv").write_text(TURNS)
    return tmp_path


class TestOpenFiles:
    """What can be read, and what is said where it can't."""

    def test_a_directory_has_both_tables(self, directory: Path) -> None:
        source = open_files(directory)
        figures = source.figures(kpi("escalation_rate"), Parameters(), SCOPE)
        assert figures["all"].value == pytest.approx(1 / 3)
        assert figures["all"].n == 3
        assert source.figures(kpi("turn_ms_p50"), Parameters(), SCOPE)["all"].value == 200

    def test_times_without_a_zone_are_utc(self, directory: Path) -> None:
        found = open_files(directory).figures(kpi("escalation_rate"), Parameters(), SCOPE, by=By.HOUR)
        assert [part[:13] for part in found] == ["2026-02-01 10", "2026-02-02 12"]

    def test_a_single_file_is_known_by_its_columns(self, directory: Path) -> None:
        source = open_files(directory / "turns.csv")
        assert source.figures(kpi("error_rate"), Parameters(), SCOPE)["all"].value == 0.5
        assert source.lacks(kpi("csat")) == "the table conversations"

    def test_a_missing_column_is_named(self, directory: Path) -> None:
        source = open_files(directory)
        with pytest.raises(
            InvalidInput, match=r"lack the column conversations\.looped, which .* 'loop_rate'"
        ):
            source.figures(kpi("loop_rate"), Parameters(), SCOPE)

    def test_nothing_to_read(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="no conversations or turns here"):
            open_files(tmp_path)

    def test_a_table_without_its_time(self, tmp_path: Path) -> None:
        (tmp_path / "conversations.csv").write_text("id,csat\na,5\n")
        with pytest.raises(InvalidInput, match="the table conversations lacks the column opened_at"):
            open_files(tmp_path)

    def test_what_is_no_table(self, tmp_path: Path) -> None:
        (tmp_path / "turns.parquet").write_text("not parquet")
        with pytest.raises(InvalidInput, match="this can't be read"):
            open_files(tmp_path)


class TestRunKpi:
    """`steward kpi --source`."""

    def test_json_has_the_interval_and_what_it_stands_on(
        self, directory: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = Question(name="csat", source=str(directory), since=None, by=None, simulated=False)
        assert run_kpi(asked, as_json=True, data_dir=None) == 0
        (line,) = json.loads(capsys.readouterr().out)
        assert (line["kpi"], line["value"], line["n"], line["interval"]) == ("csat", 3.5, 2, "delta")

    def test_without_a_name_it_shows_what_the_files_allow(
        self, directory: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        asked = Question(name=None, source=str(directory), since="2026-02-01", by=None, simulated=False)
        run_kpi(asked, as_json=False, data_dir=None)
        out = capsys.readouterr().out
        assert "escalation_rate" in out
        assert "loop_rate" not in out

    def test_parts_need_a_name(self, directory: Path) -> None:
        asked = Question(name=None, source=str(directory), since=None, by="day", simulated=False)
        with pytest.raises(InvalidInput, match="--by needs a KPI"):
            run_kpi(asked, as_json=False, data_dir=None)

    def test_since_must_be_a_moment(self, directory: Path) -> None:
        asked = Question(name="csat", source=str(directory), since="monday", by=None, simulated=False)
        with pytest.raises(InvalidInput, match="not 'monday'"):
            run_kpi(asked, as_json=False, data_dir=None)
