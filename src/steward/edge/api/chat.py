"""/v1/chat/completions and /v1/models: the whole guarded turn behind OpenAI's format.

The last message is the customer's; earlier ones only find the conversation again. System and developer
messages are not obeyed: what the assistant is stands in its release.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.edge.api.answers import json_answer
from steward.edge.api.chat_shapes import (
    ChatBody,
    Head,
    ModelNotFound,
    StewardExtra,
    chunk,
    completion,
    data_line,
    explain_like_openai,
    extra,
    transcript_digest,
    usage,
)
from steward.edge.api.conversations import ownership_of
from steward.edge.api.documents import described, takes
from steward.edge.api.sse import in_bunches, stream_response
from steward.edge.bodies import BODY_LIMIT_BYTES, check_text, read_body
from steward.edge.callers import identify_for_api
from steward.edge.contracts import Services
from steward.edge.entrance import Caller, caller_of, entrance, services_of
from steward.edge.parameters import conversation_id_of
from steward.govern.access.permissions import Permission
from steward.serve.conversations.contracts import Customer, Delta, Done, Event

CHAT_BODY_LIMIT_BYTES: Final = 16 * BODY_LIMIT_BYTES
"""A transcript is longer than one message."""

router = APIRouter(tags=["openai"])
chat_api: Final = entrance(identify_for_api, explain_like_openai)


@router.post(
    "/v1/chat/completions", openapi_extra=takes(ChatBody), responses=described(200, 404, 422, stream=True)
)
@chat_api(Permission.CHAT_USE)
async def complete_chat(request: Request) -> Response:
    """Answer the last message of a transcript with a guarded turn."""
    services, caller = services_of(request), caller_of(request)
    body = await read_body(request, ChatBody, limit=CHAT_BODY_LIMIT_BYTES)
    body.require_offered()
    await _require_model(services, body.model)
    text = check_text(body.messages[-1].text)
    own = body.steward or StewardExtra()
    conversation = await _conversation(request, services, caller, body, own)
    events = services.turns.message(conversation, text, key=own.key or uuid4().hex)
    head = Head(body.model, int(services.clock.now().timestamp()), str(conversation))
    memory = _Memory(services, conversation, _scope(caller, body), (*body.said_before, ("user", text)))
    if body.stream:
        bunches = in_bunches(events)
        with_usage = body.stream_options is not None and body.stream_options.include_usage
        first: list[Event] = await anext(bunches, [])
        return stream_response(_chunks(head, memory, first, bunches, with_usage=with_usage))
    said, done = [], None
    async for event in events:
        if isinstance(event, Delta):
            said.append(event.text)
        elif isinstance(event, Done):
            done = event
    assert done is not None, "a turn ends with its done event"
    await memory.note("".join(said))
    return json_answer(completion(head, "".join(said), done))


@router.get("/v1/models", responses=described(200))
@chat_api(Permission.CHAT_USE)
async def list_models(request: Request) -> Response:
    """List what `model` may be: the assistant's name, and the release it serves."""
    services = services_of(request)
    names = [(services.settings.assistant, 0)]
    names += [
        (line.id, int(line.created_at.timestamp()))
        for line in await services.releases.recent()
        if line.serving
    ]
    return json_answer(
        {
            "object": "list",
            "data": [
                {"id": name, "object": "model", "created": created, "owned_by": "steward"}
                for name, created in names
            ],
        }
    )


class _Memory:
    """Notes the transcript that the client now holds, so that its next request finds the conversation."""

    def __init__(
        self, services: Services, conversation_id: UUID, scope: str, said: tuple[tuple[str, str], ...]
    ) -> None:
        self._services = services
        self._conversation_id = conversation_id
        self._scope = scope
        self._said = said

    async def note(self, answer: str) -> None:
        digest = transcript_digest(self._scope, (*self._said, ("assistant", answer)))
        await self._services.conversations.remember_transcript(self._conversation_id, digest)


async def _chunks(
    head: Head,
    memory: _Memory,
    first: list[Event],
    rest: AsyncGenerator[list[Event], None],
    *,
    with_usage: bool,
) -> AsyncGenerator[bytes, None]:
    name, said, done = f"chatcmpl-{uuid4()}", list[str](), None
    yield data_line(chunk(head, name, delta={"role": "assistant", "content": ""}))
    async with aclosing(rest):
        bunch: list[Event] | None = first
        while bunch is not None:
            text = "".join(event.text for event in bunch if isinstance(event, Delta))
            done = next((event for event in bunch if isinstance(event, Done)), done)
            if text:
                said.append(text)
                yield data_line(chunk(head, name, delta={"content": text}))
            bunch = await anext(rest, None)
    assert done is not None, "a turn ends with its done event"
    # Noted before the end is told: the client's next request may come at once.
    await memory.note("".join(said))
    yield data_line({**chunk(head, name, delta={}, finish="stop"), "steward": extra(head, done)})
    if with_usage:
        yield data_line({**chunk(head, name, delta={}), "choices": [], "usage": usage(done)})
    yield b"data: [DONE]\n\n"


async def _require_model(services: Services, model: str) -> None:
    if model == services.settings.assistant:
        return
    if not any(line.serving and line.id == model for line in await services.releases.recent()):
        raise ModelNotFound(model, services.settings.assistant)


async def _conversation(
    request: Request, services: Services, caller: Caller, body: ChatBody, own: StewardExtra
) -> UUID:
    if own.conversation is not None:
        named = conversation_id_of(own.conversation)
        await ownership_of(request).check(named, caller)
        return named
    if body.said_before:
        digest = transcript_digest(_scope(caller, body), body.said_before)
        found = await services.conversations.take_by_transcript(digest)
        if found is not None:
            # The digest is of the caller's own id as well: only who began this conversation finds it.
            return found
    customer = caller.customer or Customer(body.user, False, {})
    started = await services.conversations.start(
        assistant=services.settings.assistant, channel="api", customer=customer, locale=None
    )
    return started.conversation.id


def _scope(caller: Caller, body: ChatBody) -> str:
    return f"{caller.account.id}\n{body.user or ''}"
