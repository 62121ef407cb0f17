"""`steward chat`: a conversation in the terminal, over the same turn as every channel."""

from __future__ import annotations

import asyncio
import secrets
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from steward.app.commands.console import prepared, print_json, run_async, say
from steward.app.commands.folder import NoFolder, report_faults
from steward.app.commands.up import take_folder
from steward.app.foundation import open_foundation
from steward.app.wiring import Application, open_application
from steward.serve.conversations.contracts import (
    Citation,
    Customer,
    Delta,
    Done,
    HandedOver,
)
from steward.serve.conversations.events import event_data, event_name
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.reading import read_folder

SOMEBODY = Customer(reference=None, verified=False, claims={})


def run_chat(folder: Path, *, message: str | None, as_json: bool, data_dir: Path | None) -> int:
    """Answer one message, or talk until the end of input."""
    settings = prepared(data_dir)
    if not (folder / "assistant.yaml").exists():
        raise NoFolder(folder)
    try:
        read = read_folder(folder)
    except FolderFaults as error:
        report_faults(error)
        return 1

    async def work() -> int:
        async with open_foundation(settings, say=say) as foundation:
            await take_folder(foundation, read)
            async with open_application(foundation, assistant=read.name) as application:
                if message is not None:
                    return await _answer_once(application, message, as_json=as_json)
                return await _talk(application, as_json=as_json)

    return run_async(work)


async def _start(application: Application) -> tuple[UUID, str]:
    started = await application.conversations.start(
        assistant=application.assistant, channel="terminal", customer=SOMEBODY, locale=None
    )
    return started.conversation.id, started.greeting


async def _answer_once(application: Application, message: str, *, as_json: bool) -> int:
    conversation_id, _ = await _start(application)
    await _turn(application, conversation_id, message, as_json=as_json)
    return 0


async def _talk(application: Application, *, as_json: bool) -> int:
    conversation_id, greeting = await _start(application)
    print(greeting)
    while True:
        line = await asyncio.to_thread(_read_line)
        if line is None:
            print()
            return 0
        if line.strip():
            await _turn(application, conversation_id, line, as_json=as_json)


def _read_line() -> str | None:
    try:
        return input("> ")
    except EOFError:
        return None


async def _turn(application: Application, conversation_id: UUID, text: str, *, as_json: bool) -> None:
    events: list[dict[str, Any]] = []
    words = ""
    sources: list[Citation] = []
    async for event in application.turns.message(conversation_id, text, key=secrets.token_hex(8)):
        match event:
            case Delta():
                words += event.text
                if not as_json:
                    print(event.text, end="", flush=True)
            case Citation():
                sources.append(event)
            case HandedOver():
                events.append({"event": event_name(event), **event_data(event)})
            case Done():
                if as_json:
                    print_json({**event_data(event), "text": words, "conversation": str(conversation_id)})
                    return
                print()
                _print_sources(sources)
                print(
                    f"  {event.outcome.value} · {event.intent or '-'} "
                    f"{event.confidence or 0:.0%} · {event.latency_ms:.0f} ms",
                    file=sys.stderr,
                )


def _print_sources(sources: list[Citation]) -> None:
    for source in sources:
        where = source.url or source.document
        print(f"  [{source.index}] {source.title}: {where}")
