"""`steward ledger verify`: where a walk may begin."""

from __future__ import annotations

import pytest

from steward.app.commands.ledger import require_row
from steward.base.errors import InvalidInput


class TestRequireRow:
    @pytest.mark.parametrize(("start", "last"), [(1, 0), (1, 5), (5, 5)])
    def test_takes_a_row_of_the_chain(self, start: int, last: int) -> None:
        require_row(start, last=last)

    @pytest.mark.parametrize(("start", "last"), [(0, 5), (-1, 5), (6, 5), (2, 0)])
    def test_refuses_one_that_nothing_would_be_checked_from(self, start: int, last: int) -> None:
        with pytest.raises(InvalidInput, match=f"from 1 to {last}"):
            require_row(start, last=last)
