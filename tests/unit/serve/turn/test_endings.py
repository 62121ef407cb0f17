"""How turns that broke are recorded."""

from __future__ import annotations

import pytest

from steward.govern.ledger.errors import BadEntry
from steward.serve.turn.endings import reason_of
from steward.serve.turn.timing import Notes, Stage


class TestReasonOf:
    def test_a_fault_of_the_guard_is_told_apart(self) -> None:
        notes = Notes()
        with pytest.raises(ZeroDivisionError), notes.stage(Stage.GUARD):
            raise ZeroDivisionError
        assert reason_of(ZeroDivisionError(), notes.broke_in) == "guard_fault"

    def test_a_fault_of_the_ledger_is_told_apart(self) -> None:
        assert reason_of(BadEntry("actor", "is empty"), Stage.ACT) == "ledger_fault"

    def test_anything_else_is_internal(self) -> None:
        assert reason_of(ZeroDivisionError(), None) == "internal_error"
        assert reason_of(ZeroDivisionError(), Stage.RETRIEVE) == "internal_error"
