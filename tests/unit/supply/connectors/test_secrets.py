"""Where secrets are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from steward.supply.connectors.secrets import InstalledSecrets


class TestFind:
    def test_environment_goes_before_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "KEY").write_text("from file\n")
        assert InstalledSecrets({"KEY": "from environment"}, tmp_path).find("KEY") == "from environment"
        assert InstalledSecrets({}, tmp_path).find("KEY") == "from file"

    @pytest.mark.parametrize("name", ["MISSING", "EMPTY", "../KEY", "", ".hidden", "a/b"])
    def test_nothing_else_is_found(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "EMPTY").write_text(" \n")
        (tmp_path / ".hidden").write_text("x")
        assert InstalledSecrets({"EMPTY": ""}, tmp_path / "").find(name) is None

    def test_values_do_not_show(self) -> None:
        assert "s3cret" not in repr(InstalledSecrets({"KEY": "s3cret"}))
