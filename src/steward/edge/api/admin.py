"""/v1/admin: what staff do, for programs and for the console's own scripts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field, StringConstraints
from starlette.responses import Response

from steward.base.errors import InvalidInput
from steward.edge.api.answers import api, json_answer, no_content
from steward.edge.api.conversations import message_object
from steward.edge.api.documents import described, takes
from steward.edge.api.objects import fields_of
from steward.edge.bodies import Body, read_body
from steward.edge.callers import staff_of
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import conversation_id_of, limit_of, record_id_of
from steward.govern.access.permissions import Permission

router = APIRouter(prefix="/v1/admin", tags=["staff"])


class ReplyBody(Body):
    """What a human says."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000, strip_whitespace=True)]


class DecisionBody(Body):
    """A decision on an approval."""

    approve: Annotated[bool, Field(strict=True)]
    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000, strip_whitespace=True)]


@router.get("/conversations", responses=described(200))
@api(Permission.CONVERSATION_READ)
async def list_conversations(request: Request, limit: str = "50", state: str | None = None) -> Response:
    """List the latest conversations, without a word of the customer."""
    if state not in {None, "open", "closed"}:
        raise InvalidInput("state has to be open or closed.")
    lines = await services_of(request).overview.recent(
        limit=limit_of(limit), state=state, categories=caller_of(request).account.categories
    )
    return json_answer({"conversations": [fields_of(line) for line in lines]})


@router.get("/conversations/{conversation_id}", responses=described(200, 404))
@api(Permission.CONVERSATION_READ)
async def read_conversation(request: Request, conversation_id: str) -> Response:
    """Return a conversation's state, its masked transcript and its turns."""
    services, conversation = services_of(request), conversation_id_of(conversation_id)
    state = await services.conversations.get(conversation)
    messages = await services.conversations.transcript(conversation)
    turns = await services.anatomies.of_conversation(conversation)
    return json_answer(
        {
            "conversation": fields_of(state),
            "messages": [message_object(message) for message in messages],
            "turns": [fields_of(turn) for turn in turns],
        }
    )


@router.get("/turns/{turn_id}", responses=described(200, 404))
@api(Permission.TURN_READ)
async def read_turn(request: Request, turn_id: str) -> Response:
    """Return one turn's anatomy: stages, decisions, passages, sentences."""
    anatomy = await services_of(request).anatomies.show(record_id_of(turn_id, "turn"))
    return json_answer(fields_of(anatomy))


@router.get("/handovers", responses=described(200))
@api(Permission.CONVERSATION_REPLY)
async def list_handovers(request: Request) -> Response:
    """List who waits for a human, the most pressing first."""
    waiting = await services_of(request).desk.waiting(categories=caller_of(request).account.categories)
    return json_answer({"handovers": [fields_of(line) for line in waiting]})


@router.post("/handovers/{conversation_id}/take", status_code=204, responses=described(204, 404, 409))
@api(Permission.CONVERSATION_REPLY)
async def take_over(request: Request, conversation_id: str) -> Response:
    """Take the word. When this returns, the assistant has said its last sentence."""
    account = staff_of(caller_of(request))
    await services_of(request).desk.take_over(conversation_id_of(conversation_id), account_id=account)
    return no_content()


@router.post(
    "/handovers/{conversation_id}/reply",
    status_code=201,
    openapi_extra=takes(ReplyBody),
    responses=described(201, 404, 409, 422),
)
@api(Permission.CONVERSATION_REPLY)
async def reply(request: Request, conversation_id: str) -> Response:
    """Say something to the customer as the human who holds the word."""
    account, body = staff_of(caller_of(request)), await read_body(request, ReplyBody)
    message = await services_of(request).desk.reply(
        conversation_id_of(conversation_id), body.text, account_id=account
    )
    return json_answer(message_object(message), status=201)


@router.post("/handovers/{conversation_id}/give-back", status_code=204, responses=described(204, 404, 409))
@api(Permission.CONVERSATION_REPLY)
async def give_back(request: Request, conversation_id: str) -> Response:
    """Give the word back to the assistant."""
    account = staff_of(caller_of(request))
    await services_of(request).desk.give_back(conversation_id_of(conversation_id), account_id=account)
    return no_content()


@router.get("/approvals", responses=described(200))
@api(Permission.WORKFLOW_APPROVE)
async def list_approvals(request: Request) -> Response:
    """List what waits for somebody to agree, oldest first."""
    lines = await services_of(request).approvals.waiting(categories=caller_of(request).account.categories)
    return json_answer({"approvals": [fields_of(line) for line in lines]})


@router.post(
    "/approvals/{approval_id}",
    status_code=204,
    openapi_extra=takes(DecisionBody),
    responses=described(204, 404, 409, 422),
)
@api(Permission.WORKFLOW_APPROVE)
async def decide(request: Request, approval_id: str) -> Response:
    """Approve or deny, with a reason that goes on record."""
    caller, body = caller_of(request), await read_body(request, DecisionBody)
    staff_of(caller)
    await services_of(request).approvals.decide(
        record_id_of(approval_id, "approval"),
        approve=body.approve,
        principal=caller.account,
        reason=body.reason,
    )
    return no_content()


@router.get("/ledger", responses=described(200))
@api(Permission.LEDGER_READ)
async def read_ledger(request: Request, limit: str = "100") -> Response:
    """Return the latest entries of the ledger."""
    services = services_of(request)
    async with services.database.read() as session:
        rows = await services.ledger.recent(session, limit=limit_of(limit))
    return json_answer({"entries": [fields_of(row) for row in rows]})


@router.get("/ledger/verify", responses=described(200))
@api(Permission.LEDGER_READ)
async def verify_ledger(request: Request) -> Response:
    """Check the ledger's whole chain."""
    services = services_of(request)
    key = await services.ledger_signer.public_key()
    async with services.database.read() as session:
        return json_answer(fields_of(await services.ledger.verify(session, public_key=key)))


@router.get("/kpis", responses=described(200))
@api(Permission.KPI_READ)
async def read_figures(request: Request, days: str = "7") -> Response:
    """Return the first page's figures for the last days."""
    figures = await services_of(request).first_page.figures(days=limit_of(days, most=90))
    return json_answer(fields_of(figures))


@router.get("/releases", responses=described(200))
@api(Permission.RELEASE_READ)
async def list_releases(request: Request, limit: str = "50") -> Response:
    """List releases, the latest first; one of them is being served."""
    lines = await services_of(request).releases.recent(limit=limit_of(limit))
    return json_answer({"releases": [fields_of(line) for line in lines]})
