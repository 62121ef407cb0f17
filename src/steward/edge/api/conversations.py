"""/v1/conversations: starting one, sending messages, following, reading, rating, closing."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints, model_validator
from starlette.responses import Response

from steward.edge.api.answers import api, json_answer, moment, no_content
from steward.edge.api.documents import described, takes
from steward.edge.api.ownership import Ownership
from steward.edge.api.sse import (
    HEARTBEAT,
    HEARTBEAT_SECONDS,
    frame,
    in_bunches,
    stream_response,
    turn_chunks,
)
from steward.edge.bodies import Body, check_text, read_body
from steward.edge.contracts import Services
from steward.edge.entrance import Caller, caller_of, services_of
from steward.edge.parameters import conversation_id_of, place_of, record_id_of
from steward.govern.access.permissions import Permission
from steward.govern.access.principal import require
from steward.serve.conversations.contracts import (
    ActionChanged,
    Customer,
    Delta,
    Done,
    Event,
    HandedOver,
    Message,
)
from steward.serve.conversations.events import event_data, event_name

router = APIRouter(tags=["conversations"])

Locale = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?$")
]
"""Language, script and region (RFC 5646): stored as it is, so it holds nothing that a customer could type."""
ShortText = Annotated[str, StringConstraints(max_length=200)]
Comment = Annotated[str, StringConstraints(max_length=4000)]


class StartBody(Body):
    """How a conversation begins."""

    channel: Literal["web", "api", "terminal"] = "web"
    customer: ShortText | None = None
    """A reference chosen by the caller; nothing proves it."""
    customer_token: Annotated[str, StringConstraints(max_length=8192)] | None = None
    """A token signed by the company; proves who the customer is."""
    locale: Locale | None = None
    simulated: Annotated[bool, Field(strict=True)] = False
    """Whether an invented customer speaks: counted apart from real traffic."""


class MessageBody(Body):
    """One message of the customer."""

    text: str
    key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    """Chosen by the client: the same key is the same turn."""


class FeedbackBody(Body):
    """A survey answer for the conversation, or a thumb for one turn."""

    csat: Annotated[int, Field(ge=1, le=5, strict=True)] | None = None
    turn_id: UUID | None = None
    thumb: Literal["up", "down"] | None = None
    comment: Comment | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> FeedbackBody:
        if (self.csat is None) == (self.thumb is None):
            raise ValueError("send either csat, or turn_id with thumb")
        if (self.turn_id is None) != (self.thumb is None):
            raise ValueError("turn_id and thumb belong together")
        return self


class CloseBody(Body):
    """How a conversation ends."""

    resolved: Annotated[bool, Field(strict=True)] | None = None


@router.post(
    "/v1/conversations", status_code=201, openapi_extra=takes(StartBody), responses=described(201, 422)
)
@api(Permission.CONVERSATION_USE)
async def start_conversation(request: Request) -> Response:
    """Start a conversation; the answer has its id and the assistant's greeting.

    For a customer's token that may be used once it has another, `customer_token`, to go on with.
    """
    services, body = services_of(request), await read_body(request, StartBody)
    if body.simulated:
        require(caller_of(request).principal, Permission.TRAFFIC_SIMULATE)
    customer, token = await customer_of(services, caller_of(request), body)
    started = await services.conversations.start(
        assistant=services.settings.assistant,
        channel=body.channel,
        customer=customer,
        locale=body.locale,
        simulated=body.simulated,
    )
    return json_answer(
        {
            "id": str(started.conversation.id),
            "greeting": started.greeting,
            "assistant": started.assistant_title,
            **({} if token is None else {"customer_token": token}),
        },
        status=201,
    )


@router.post(
    "/v1/conversations/{conversation_id}/messages",
    openapi_extra=takes(MessageBody),
    responses=described(200, 404, 409, 413, 422, stream=True),
)
@api(Permission.CONVERSATION_USE)
async def send_message(request: Request, conversation_id: str) -> Response:
    """Send a message; the turn answers as a stream of events, or as one JSON object."""
    services, body = services_of(request), await read_body(request, MessageBody)
    conversation = conversation_id_of(conversation_id)
    text = check_text(body.text)
    await ownership_of(request).check(conversation, caller_of(request))
    events = services.turns.message(conversation, text, key=body.key or uuid4().hex)
    if "text/event-stream" in request.headers.get("accept", ""):
        bunches = in_bunches(events)
        return stream_response(turn_chunks(await anext(bunches, []), bunches))
    said, done = [], None
    async for event in events:
        if isinstance(event, Delta):
            said.append(event.text)
        elif isinstance(event, Done):
            done = event
    return json_answer(done_object(done, "".join(said)))


@router.get("/v1/conversations/{conversation_id}/events", responses=described(200, 404, stream=True))
@api(Permission.CONVERSATION_USE)
async def follow_conversation(request: Request, conversation_id: str, after: str = "0") -> Response:
    """Follow a conversation: what people write, notices, changes of actions and of the queue."""
    services, conversation = services_of(request), conversation_id_of(conversation_id)
    await ownership_of(request).check(conversation, caller_of(request))
    place = place_of(request.headers.get("last-event-id") or after)
    await services.conversations.get(conversation)
    return stream_response(follow_chunks(services, conversation, place))


@router.get("/v1/conversations/{conversation_id}/messages", responses=described(200, 404))
@api(Permission.CONVERSATION_USE)
async def read_messages(request: Request, conversation_id: str, after: str = "0") -> Response:
    """Return what was said after a place, oldest first."""
    services, conversation = services_of(request), conversation_id_of(conversation_id)
    await ownership_of(request).check(conversation, caller_of(request))
    messages = await services.conversations.messages(conversation, after=place_of(after))
    return json_answer({"messages": [message_object(message) for message in messages]})


@router.get("/v1/conversations/{conversation_id}/turns/{turn_id}/why", responses=described(200, 404))
@api(Permission.CONVERSATION_USE)
async def explain_turn(request: Request, conversation_id: str, turn_id: str) -> Response:
    """Say in plain words why a turn ended as it did, and which pages its answer stands on."""
    services, conversation = services_of(request), conversation_id_of(conversation_id)
    await ownership_of(request).check(conversation, caller_of(request))
    why = await services.anatomies.why(conversation, record_id_of(turn_id, "turn"))
    return json_answer({"turn_id": why.turn_id, "sentences": why.sentences, "pages": why.pages})


@router.post(
    "/v1/conversations/{conversation_id}/feedback",
    status_code=204,
    openapi_extra=takes(FeedbackBody),
    responses=described(204, 404, 422),
)
@api(Permission.FEEDBACK_GIVE)
async def give_feedback(request: Request, conversation_id: str) -> Response:
    """Rate the conversation from 1 to 5, or one answer with a thumb."""
    services, body = services_of(request), await read_body(request, FeedbackBody)
    conversation = conversation_id_of(conversation_id)
    await ownership_of(request).check(conversation, caller_of(request))
    await services.conversations.feedback(
        conversation, csat=body.csat, turn_id=body.turn_id, thumb=body.thumb, comment=body.comment
    )
    return no_content()


@router.post(
    "/v1/conversations/{conversation_id}/close",
    status_code=204,
    openapi_extra=takes(CloseBody),
    responses=described(204, 404, 422),
)
@api(Permission.CONVERSATION_USE)
async def close_conversation(request: Request, conversation_id: str) -> Response:
    """End the conversation, perhaps saying whether the matter is resolved."""
    services, body = services_of(request), await read_body(request, CloseBody)
    conversation = conversation_id_of(conversation_id)
    await ownership_of(request).check(conversation, caller_of(request))
    await services.conversations.close(conversation, resolved=body.resolved, by="customer")
    return no_content()


async def customer_of(services: Services, caller: Caller, body: StartBody) -> tuple[Customer, str | None]:
    """Return whose conversation it becomes, and the token to go on with where the one given is used up.

    It is a token's customer, or an unverified reference.
    """
    if caller.customer is not None:
        return caller.customer, None
    if body.customer_token is not None:
        tokens = services.access.customer_tokens
        claims = await tokens.verify(body.customer_token)
        return Customer(claims.reference, True, claims.values), await tokens.redeem(claims)
    return Customer(body.customer or None, False, {}), None


def ownership_of(request: Request) -> Ownership:
    """Return the check of who may use a conversation."""
    ownership: Ownership = request.app.state.ownership
    return ownership


def message_object(message: Message) -> dict[str, Any]:
    """Return a message as JSON; `seq` is what `after` takes."""
    value: dict[str, Any] = {
        "id": str(message.id),
        "seq": message.seq,
        "role": message.role.value,
        "text": message.text,
        "at": moment(message.at),
    }
    if message.turn_id is not None:
        value["turn_id"] = str(message.turn_id)
    kept = [{"event": event_name(event), **event_data(event)} for event in message.events if _is_kept(event)]
    if kept:
        value["events"] = kept
    return value


def done_object(done: Done | None, text: str) -> dict[str, Any]:
    """Return the `done` object with the whole text."""
    if done is None:
        raise RuntimeError("a turn ended without its done event")
    return {**event_data(done), "text": text}


async def follow_chunks(services: Services, conversation_id: UUID, after: int) -> AsyncGenerator[bytes, None]:
    """Yield what happens in a conversation as bytes until the client leaves or the server stops."""
    news = services.conversations.follow(conversation_id, after=after)
    yield HEARTBEAT
    async with aclosing(in_bunches(news, quiet_s=HEARTBEAT_SECONDS, stop=services.stopping)) as bunches:
        async for bunch in bunches:
            yield b"".join(_news_frame(item) for item in bunch) or HEARTBEAT


def _news_frame(item: Message | HandedOver | ActionChanged) -> bytes:
    if isinstance(item, Message):
        return frame("message", message_object(item), mark=item.seq)
    return frame(event_name(item), event_data(item))


def _is_kept(event: Event) -> bool:
    return not isinstance(event, Delta)
