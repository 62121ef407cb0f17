"""The definitions as a whole, and their reference page."""

from __future__ import annotations

from pathlib import Path

import pytest

from steward.app.kpi_faults import require_known_kpis
from steward.improve.insight.contracts import Better, Over, Parameters, Quantile, Ratio
from steward.improve.insight.errors import KpiNotFound, NotATrigger
from steward.improve.insight.kpis import ALL, kpi, names, trigger_of
from steward.improve.insight.reference import page
from steward.improve.insight.tables import TABLES
from steward.improve.insight.transpile import bound, columns_of
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder

DOCS = Path(__file__).parents[4] / "docs"


class TestDefinitions:
    """What holds of every KPI."""

    def test_names_are_unique(self) -> None:
        assert len(set(names())) == len(ALL)

    @pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)
    def test_reads_documented_columns_only(self, item: Ratio | Quantile) -> None:
        over = Over.TURNS if isinstance(item, Quantile) else item.over
        assert columns_of(item) <= {column.name for column in TABLES[over]}

    @pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)
    def test_meaning_is_one_sentence_with_a_stakeholder(self, item: Ratio | Quantile) -> None:
        assert item.meaning.endswith(".")
        assert item.stakeholders

    @pytest.mark.parametrize("item", ALL, ids=lambda item: item.name)
    def test_names_known_parameters_only(self, item: Ratio | Quantile) -> None:
        texts = [item.expression] if isinstance(item, Quantile) else [item.numerator, item.denominator]
        assert not any(":" in bound(text, Parameters()) for text in texts)

    def test_triggers_have_a_direction(self) -> None:
        watched = [item for item in ALL if isinstance(item, Ratio) and item.trigger]
        assert not [item.name for item in watched if item.better is Better.NEITHER]


class TestKpi:
    """Finding a KPI by its name."""

    def test_unknown_names_the_nearest(self) -> None:
        with pytest.raises(KpiNotFound, match="there is no KPI 'csta': did you mean 'csat'"):
            kpi("csta")

    def test_nothing_near_tells_where_to_look(self) -> None:
        with pytest.raises(KpiNotFound, match="`steward kpi` lists them"):
            kpi("zzzz")


class TestTriggerOf:
    """What a rollout may watch."""

    def test_a_ratio(self) -> None:
        assert trigger_of("slow_turn_rate").over is Over.TURNS

    def test_no_quantile(self) -> None:
        with pytest.raises(NotATrigger, match="watch 'slow_turn_rate'"):
            trigger_of("turn_ms_p95")

    def test_nothing_without_a_direction(self) -> None:
        with pytest.raises(NotATrigger, match="'refusal_rate' can't be a trigger"):
            trigger_of("refusal_rate")


class TestTemplates:
    """Goals and triggers of the folders that `steward init` writes."""

    @pytest.mark.parametrize("template", ["blank", "northline"])
    def test_their_kpis_exist(self, template: str, tmp_path: Path) -> None:
        initialise(tmp_path / "a", template)
        require_known_kpis(read_folder(tmp_path / "a"), tmp_path / "a")

    def test_unknown_kpis_are_faults_at_their_lines(self, tmp_path: Path) -> None:
        folder = tmp_path / "a"
        initialise(folder, "northline")
        for file, before, after in (
            ("assistant.yaml", "{kpi: uptime,", "{kpi: upptime,"),
            ("rollout.yaml", "{kpi: unverified_rate,", "{kpi: turn_ms_p95,"),
        ):
            text = (folder / file).read_text()
            assert before in text
            (folder / file).write_text(text.replace(before, after))
        with pytest.raises(FolderFaults) as caught:
            require_known_kpis(read_folder(folder), folder)
        goal, trigger = caught.value.faults
        lines = (folder / "assistant.yaml").read_text().splitlines()
        assert goal.line is not None
        assert "upptime" in lines[goal.line - 1]
        assert goal.nearest == "uptime"
        assert trigger.file.endswith("/rollout.yaml")
        assert "a quantile has no variance" in trigger.sentence


class TestReference:
    """docs/reference/kpis.md."""

    def test_page_is_that_of_the_definitions(self) -> None:
        written = (DOCS / "reference" / "kpis.md").read_text(encoding="utf-8")
        assert written == page(), "run python -m steward.improve.insight.reference > docs/reference/kpis.md"
