"""Agreeing to a release at the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from steward.app.commands.governance import run_approve
from steward.base.errors import InvalidInput


class TestApprove:
    def test_wants_a_reason_before_it_opens_anything(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="give a reason with --reason"):
            run_approve("1", role="admin", reason=" ", withdraw=False, as_json=False, data_dir=tmp_path)
        assert list(tmp_path.iterdir()) == []
