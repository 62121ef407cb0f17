"""Files for one user alone: whole or not at all; and who is named for a right of theirs."""

from __future__ import annotations

import io
import stat
import sys
from pathlib import Path

import pytest

from steward.app.commands.erase import NobodyNamed, named, run_erase
from steward.app.commands.private_files import BadFile, private_file
from steward.app.commands.subject import run_subject_export


class TestPrivateFile:
    def test_is_this_users_alone(self, tmp_path: Path) -> None:
        file = tmp_path / "export.zip"
        file.write_bytes(b"older")
        file.chmod(0o644)
        with private_file(file) as write:
            write(b"newer")
        assert file.read_bytes() == b"newer"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert list(tmp_path.iterdir()) == [file]

    def test_what_was_there_stays_where_nothing_is_written(self, tmp_path: Path) -> None:
        file = tmp_path / "export.zip"
        file.write_bytes(b"older")
        with pytest.raises(RuntimeError, match="on the way"), private_file(file):
            raise RuntimeError("on the way")
        assert file.read_bytes() == b"older"
        assert list(tmp_path.iterdir()) == [file]

    @pytest.mark.parametrize("place", ["nowhere/export.zip", "", "/dev/null"])
    def test_place_that_takes_no_file_is_found_at_once(self, tmp_path: Path, place: str) -> None:
        with pytest.raises(BadFile, match="can't be written"), private_file(tmp_path / place):
            raise AssertionError("nothing may be done before the place is known to be good")


class TestNamed:
    def test_comes_from_standard_input_unless_given(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(" NL-1 \nother\n"))
        assert named(None) == "NL-1"
        assert named("NL-2") == "NL-2"

    @pytest.mark.parametrize("given", ["", "  \n"])
    def test_nobody_is_refused(self, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(NobodyNamed, match="give a customer's reference"):
            named(None)

    def test_bytes_that_are_no_text_are_refused_unquoted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xff\n"), encoding="utf-8"))
        with pytest.raises(NobodyNamed, match="isn't text") as caught:
            named(None)
        assert caught.value.__cause__ is None


class TestCommands:
    def test_nobody_named_is_told_before_a_database_is_opened(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        with pytest.raises(NobodyNamed, match="Nobody was named"):
            run_subject_export(None, out=tmp_path / "x.zip", as_json=False, data_dir=tmp_path / "data")
        with pytest.raises(NobodyNamed, match="Nobody was named"):
            run_erase(None, ground="request", certificate=None, as_json=False, data_dir=tmp_path / "data")
        assert list(tmp_path.iterdir()) == []

    def test_certificate_of_no_known_form_is_refused_first(self, tmp_path: Path) -> None:
        with pytest.raises(BadFile, match=r"has to end with \.json, \.html, \.md"):
            run_erase("NL-1", ground="request", certificate=Path("x.pdf"), as_json=False, data_dir=tmp_path)
        assert list(tmp_path.iterdir()) == []
