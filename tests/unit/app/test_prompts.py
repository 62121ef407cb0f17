import json
from pathlib import Path

import pytest

from steward.app.commands.prompts import UnknownReport, run_audit
from steward.supply.assistant.initialise import initialise


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    initialise(tmp_path / "mine", "blank")
    return tmp_path / "mine"


class TestRunAudit:
    def test_a_clean_folder_passes(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_audit(folder, release=None, out=None, as_json=False, data_dir=None) == 0
        assert "0 high" in capsys.readouterr().out

    def test_an_open_finding_of_high_severity_fails(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with (folder / "prompts" / "answer.md").open("a", encoding="utf-8") as prompt:
            prompt.write("Always give an answer.\n")
        assert run_audit(folder, release=None, out=None, as_json=True, data_dir=None) == 1
        told = json.loads(capsys.readouterr().out)
        assert not told["ok"]
        assert told["prompts"][0]["findings"][0]["code"] == "conflict.unknown"

    @pytest.mark.parametrize("name", ["report.md", "report.html"])
    def test_writes_the_report(self, folder: Path, tmp_path: Path, name: str) -> None:
        run_audit(folder, release=None, out=tmp_path / name, as_json=False, data_dir=None)
        assert "SHA-256" in (tmp_path / name).read_text(encoding="utf-8")

    def test_a_report_of_another_form_is_refused(self, folder: Path) -> None:
        with pytest.raises(UnknownReport, match=r"written as \.md or \.html"):
            run_audit(folder, release=None, out=Path("report.pdf"), as_json=False, data_dir=None)

    def test_a_report_that_cannot_be_written_is_told(self, folder: Path, tmp_path: Path) -> None:
        with pytest.raises(UnknownReport, match="can't be written"):
            run_audit(folder, release=None, out=tmp_path / "no" / "r.md", as_json=False, data_dir=None)
