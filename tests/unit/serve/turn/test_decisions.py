from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from steward.govern.privacy.sealing import CustomerKey
from steward.serve.turn.decisions import open_decisions, seal_decisions

VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
DECISIONS = st.lists(st.dictionaries(st.text(), VALUES | st.lists(VALUES), max_size=5), max_size=5)


@given(DECISIONS)
def test_come_back_as_they_were(decisions: list[dict[str, Any]]) -> None:
    key = CustomerKey(b"k" * 32)
    assert open_decisions(key, seal_decisions(key, decisions)) == decisions


def test_take_little_room() -> None:
    key = CustomerKey(b"k" * 32)
    decisions = [
        {"stage": "verify", "what": "sent", "text": f"Refunds take {days} days.", "support": 0.9}
        for days in range(40)
    ]
    assert len(seal_decisions(key, decisions)) < len(json.dumps(decisions)) / 3


def test_older_rows_are_read() -> None:
    key = CustomerKey(b"k" * 32)
    assert open_decisions(key, key.seal('[{"stage": "guard"}]', "turn.decisions")) == [{"stage": "guard"}]
