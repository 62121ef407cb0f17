"""Server-sent events as raw bytes (WHATWG HTML, section 9.2).

One JSON line per event; what is ready at the same moment leaves in one write.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, suppress
from typing import Any, Final, TypeVar

from starlette.responses import StreamingResponse

from steward.serve.conversations.contracts import Event
from steward.serve.conversations.events import event_data, event_name

HEARTBEAT_SECONDS: Final = 15.0
HEARTBEAT: Final = b": still here\n\n"
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Item = TypeVar("Item")


def frame(name: str, data: Any, *, mark: int | None = None) -> bytes:
    """Return one event, `mark` being its `id:`. JSON escapes line breaks, so no text can end its frame."""
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    head = "" if mark is None else f"id: {mark}\n"
    return f"{head}event: {name}\ndata: {line}\n\n".encode()


def event_frames(events: Iterable[Event]) -> bytes:
    """Return the frames of several events as one piece of bytes."""
    return b"".join(frame(event_name(event), event_data(event)) for event in events)


async def in_bunches(
    items: AsyncIterator[Item], *, quiet_s: float | None = None, stop: asyncio.Event | None = None
) -> AsyncGenerator[list[Item], None]:
    """Yield what is ready together as one list, and an empty list after each quiet spell of `quiet_s`.

    Raises what the source raises, once everything before it is out. Ends with the source, or when `stop`
    is set: a server that shuts down doesn't wait for its listeners.
    """
    ready: asyncio.Queue[Item | None] = asyncio.Queue()
    pump = asyncio.create_task(_pump(items, ready))
    halt = None if stop is None else asyncio.create_task(_halt(stop, ready))
    try:
        ended = False
        while not ended:
            bunch = await _next_bunch(ready, quiet_s)
            ended = any(item is None for item in bunch)
            if not ended or len(bunch) > 1:
                yield [item for item in bunch if item is not None]
        if stop is None or not stop.is_set():
            await pump
    finally:
        await _cancel(pump)
        if halt is not None:
            await _cancel(halt)


async def turn_chunks(
    first: list[Event], rest: AsyncGenerator[list[Event], None]
) -> AsyncGenerator[bytes, None]:
    """Yield a turn's events as bytes."""
    async with aclosing(rest):
        if first:
            yield event_frames(first)
        async for bunch in rest:
            yield event_frames(bunch)


def stream_response(chunks: AsyncIterator[bytes]) -> StreamingResponse:
    """Return a response that sends chunks as they come."""
    return StreamingResponse(chunks, media_type="text/event-stream", headers=HEADERS)


async def _next_bunch(ready: asyncio.Queue[Item | None], quiet_s: float | None) -> list[Item | None]:
    try:
        bunch = [await (ready.get() if quiet_s is None else asyncio.wait_for(ready.get(), quiet_s))]
    except TimeoutError:
        return []
    while not ready.empty():
        bunch.append(ready.get_nowait())
    return bunch


async def _pump(items: AsyncIterator[Item], ready: asyncio.Queue[Item | None]) -> None:
    try:
        async for item in items:
            ready.put_nowait(item)
    finally:
        ready.put_nowait(None)


async def _halt(stop: asyncio.Event, ready: asyncio.Queue[Item | None]) -> None:
    await stop.wait()
    ready.put_nowait(None)


async def _cancel(task: asyncio.Task[None]) -> None:
    if not task.done():
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
