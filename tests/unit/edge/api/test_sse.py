"""Events as bytes: one line each, what is ready together in one write."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from steward.edge.api.sse import event_frames, frame, in_bunches
from steward.serve.conversations.contracts import Delta, Status


class TestFrame:
    @pytest.mark.parametrize(
        "text", ["a\n\nevent: done\ndata: {}", "a\r\nb", "a\rb", "line\u2028break", "😀 ü"]
    )
    def test_no_text_can_end_its_frame(self, text: str) -> None:
        lines = frame("delta", {"text": text}).decode().split("\n")
        assert lines[0] == "event: delta"
        assert json.loads(lines[1].removeprefix("data: ")) == {"text": text}
        assert lines[2:] == ["", ""]

    def test_a_mark_is_the_id_to_go_on_from(self) -> None:
        assert frame("message", {}, mark=7).startswith(b"id: 7\nevent: message\n")

    def test_several_events_follow_each_other(self) -> None:
        assert event_frames([Status("guard"), Delta("Hi.")]) == (
            b'event: status\ndata: {"stage":"guard"}\n\nevent: delta\ndata: {"text":"Hi."}\n\n'
        )


class TestInBunches:
    async def test_what_is_ready_together_comes_together(self) -> None:
        gate = asyncio.Event()

        async def source() -> AsyncIterator[int]:
            yield 1
            yield 2
            await gate.wait()
            yield 3

        bunches = in_bunches(source())
        assert await anext(bunches) == [1, 2]
        gate.set()
        assert [bunch async for bunch in bunches] == [[3]]

    async def test_a_failure_comes_after_what_was_ready(self) -> None:
        async def source() -> AsyncIterator[int]:
            yield 1
            raise LookupError("gone")

        bunches = in_bunches(source())
        assert await anext(bunches) == [1]
        with pytest.raises(LookupError, match="gone"):
            await anext(bunches)

    async def test_a_failure_before_anything_is_raised_at_once(self) -> None:
        async def source(*, broken: bool) -> AsyncIterator[int]:
            if broken:
                raise LookupError("gone")
            yield 1

        with pytest.raises(LookupError, match="gone"):
            await anext(in_bunches(source(broken=True)))

    async def test_a_quiet_source_gives_empty_bunches(self) -> None:
        async def source() -> AsyncIterator[int]:
            await asyncio.Event().wait()
            yield 1

        bunches = in_bunches(source(), quiet_s=0.001)
        assert await anext(bunches) == []
        await bunches.aclose()

    async def test_a_stopping_server_ends_the_stream(self) -> None:
        stop = asyncio.Event()

        async def source() -> AsyncIterator[int]:
            yield 1
            await asyncio.Event().wait()

        bunches = in_bunches(source(), stop=stop)
        assert await anext(bunches) == [1]
        stop.set()
        assert [bunch async for bunch in bunches] == []

    async def test_leaving_early_ends_the_source(self) -> None:
        ended = asyncio.Event()

        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                await asyncio.Event().wait()
            finally:
                ended.set()

        bunches = in_bunches(source())
        await anext(bunches)
        await bunches.aclose()
        assert ended.is_set()
