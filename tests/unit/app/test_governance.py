"""Agreeing to a release at the command line."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from steward.app.commands.governance import in_a_cell, run_approve, served_or_newest
from steward.base.errors import InvalidInput, NotFound
from steward.supply.releases.contracts import ReleaseId, ReleaseLine


class TestApprove:
    def test_wants_a_reason_before_it_opens_anything(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="give a reason with --reason"):
            run_approve("1", role="admin", reason=" ", withdraw=False, as_json=False, data_dir=tmp_path)
        assert list(tmp_path.iterdir()) == []


class TestInACell:
    def test_what_somebody_wrote_neither_leaves_its_cell_nor_becomes_html(self) -> None:
        assert in_a_cell("fine |\n\n# a heading") == "fine \\| # a heading"
        assert in_a_cell("<script>x</script> \\|") == "&lt;script&gt;x&lt;/script&gt; \\\\\\|"
        assert in_a_cell("don't") == "don't"


class TestServedOrNewest:
    def test_takes_the_served_one_then_the_newest(self) -> None:
        newest, oldest = line("b", number=2), line("a", number=1)
        assert served_or_newest([newest, oldest]) == "b"
        assert served_or_newest([newest, replace(oldest, serving=True)]) == "a"

    def test_without_a_release_says_how_to_make_one(self) -> None:
        with pytest.raises(NotFound, match="steward release create"):
            served_or_newest([])


def line(release_id: str, *, number: int) -> ReleaseLine:
    """Return a line of the list of releases."""
    return ReleaseLine(
        id=ReleaseId(release_id),
        assistant="northline",
        number=number,
        created_at=datetime(2026, 3, 2, tzinfo=UTC),
        created_by="operator",
        serving=False,
        labels=(),
    )
