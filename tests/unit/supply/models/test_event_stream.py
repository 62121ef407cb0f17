"""Server-sent events, cut anywhere."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.supply.models.event_stream import EventData, WholeBody

STREAM = b': hello\r\ndata: {"a": 1}\r\n\r\nevent: x\ndata: one\ndata: two\n\ndata: [DONE]\n'
EVENTS = [b'{"a": 1}', b"one\ntwo", b"[DONE]"]


class TestEventData:
    @given(st.lists(st.integers(0, len(STREAM)), max_size=8))
    def test_same_events_wherever_the_stream_is_cut(self, cuts: list[int]) -> None:
        edges = [0, *sorted(cuts), len(STREAM)]
        events = EventData()
        found = [data for start, end in pairwise(edges) for data in events.feed(STREAM[start:end])]
        assert found + events.finish() == EVENTS

    def test_endless_line_is_refused(self) -> None:
        events = EventData(limit_bytes=100)
        with pytest.raises(ValueError, match="too long"):
            events.feed(b"data: " + b"x" * 200)


class TestWholeBody:
    def test_gives_the_body_once_at_the_end(self) -> None:
        body = WholeBody()
        assert body.feed(b"{") == body.feed(b"}") == []
        assert body.finish() == [b"{}"]
        assert body.finish() == []
