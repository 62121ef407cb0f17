"""Conversations: the live list, one conversation with its turns, and what a human does in it."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput
from steward.edge.callers import staff_of
from steward.edge.console.entry import form_of, is_partial, page, see, show
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import conversation_id_of
from steward.govern.access.permissions import Permission
from steward.govern.ledger.contracts import Entry, Row
from steward.govern.privacy.contracts import RevealReason
from steward.govern.privacy.tokens import tokens_in
from steward.serve.conversations.contracts import Conversation, Speaker

router = APIRouter(prefix="/console", include_in_schema=False)


class Word(StrEnum):
    """Who has the word, as the member of staff who looks sees it."""

    ASSISTANT = "assistant"
    ME = "me"
    OTHER = "other"
    CLOSED = "closed"


NOTE_LENGTH = 200
SHOWN_REVEALS = 10


@router.get("/conversations")
@page(Permission.CONVERSATION_READ)
async def list_conversations(request: Request, state: str = "") -> Response:
    """Show the latest conversations; the list renews itself."""
    if state not in {"", "open", "closed", "waiting", "simulated"}:
        raise InvalidInput("state has to be open, closed, waiting or simulated.")
    lines = await services_of(request).overview.recent(
        limit=100,
        state=state if state in {"open", "closed"} else None,
        waiting=state == "waiting",
        simulated=state == "simulated",
        categories=caller_of(request).account.categories,
    )
    return await show(
        request,
        "_conversations.html" if is_partial(request) else "conversations.html",
        page="conversations",
        title="Conversations",
        lines=lines,
        state=state,
    )


@router.get("/conversations/{conversation_id}")
@page(Permission.CONVERSATION_READ)
async def show_conversation(request: Request, conversation_id: str) -> Response:
    """Show one conversation, masked, with its turns at the side."""
    values = await _state(request, conversation_id_of(conversation_id))
    return await show(
        request,
        "conversation.html",
        page="conversations",
        title="Conversation",
        reasons=list(RevealReason),
        revealed=None,
        reveals=await _reveals(request, conversation_id_of(conversation_id)),
        **values,
    )


@router.get("/conversations/{conversation_id}/live")
@page(Permission.CONVERSATION_READ)
async def live_conversation(request: Request, conversation_id: str, word: str = "") -> Response:
    """Return messages and turns anew; when the word has moved, the whole page is loaded again."""
    values = await _state(request, conversation_id_of(conversation_id))
    response = await show(request, "_conversation.html", page="", title="", **values)
    if word != values["word"]:
        response.headers["HX-Refresh"] = "true"
    return response


@router.post("/conversations/{conversation_id}/take")
@page(Permission.CONVERSATION_REPLY)
async def take_over(request: Request, conversation_id: str) -> Response:
    """Take the word from the assistant."""
    conversation = conversation_id_of(conversation_id)
    await services_of(request).desk.take_over(conversation, account_id=staff_of(caller_of(request)))
    return see(f"/console/conversations/{conversation}#reply")


@router.post("/conversations/{conversation_id}/reply")
@page(Permission.CONVERSATION_REPLY)
async def reply(request: Request, conversation_id: str) -> Response:
    """Say something to the customer."""
    conversation, text = conversation_id_of(conversation_id), form_of(request).get("text", "").strip()
    if not 0 < len(text) <= 10_000:
        raise InvalidInput("A reply has 1 to 10,000 characters.")
    await services_of(request).desk.reply(conversation, text, account_id=staff_of(caller_of(request)))
    if is_partial(request):
        return await show(
            request, "_conversation.html", page="", title="", **await _state(request, conversation)
        )
    return see(f"/console/conversations/{conversation}#reply")


@router.post("/conversations/{conversation_id}/give-back")
@page(Permission.CONVERSATION_REPLY)
async def give_back(request: Request, conversation_id: str) -> Response:
    """Give the word back to the assistant."""
    conversation = conversation_id_of(conversation_id)
    await services_of(request).desk.give_back(conversation, account_id=staff_of(caller_of(request)))
    return see(f"/console/conversations/{conversation}")


@router.post("/conversations/{conversation_id}/close")
@page(Permission.CONVERSATION_REPLY)
async def close(request: Request, conversation_id: str) -> Response:
    """End the conversation."""
    conversation = conversation_id_of(conversation_id)
    resolved = {"yes": True, "no": False}.get(form_of(request).get("resolved", ""))
    await services_of(request).conversations.close(conversation, resolved=resolved, by="staff")
    return see(f"/console/conversations/{conversation}")


@router.post("/conversations/{conversation_id}/reveal")
@page(Permission.PERSONAL_REVEAL)
async def reveal(request: Request, conversation_id: str) -> Response:
    """Show what one token stands for; who looked, and why, goes into the ledger first."""
    services, form, caller = services_of(request), form_of(request), caller_of(request)
    conversation, token = conversation_id_of(conversation_id), form.get("token", "").strip()
    reason, note = form.get("reason", ""), form.get("note", "").strip()
    if reason not in set(RevealReason) or len(tokens_in(token)) != 1 or len(note) > NOTE_LENGTH:
        raise InvalidInput(
            f"Name one token, such as [EMAIL_1], choose a reason, and write at most {NOTE_LENGTH} characters."
        )
    values = await _state(request, conversation)
    if token not in values["tokens"]:
        # Tokens are a customer's, not a conversation's: others of theirs may be out of the caller's reach.
        raise InvalidInput("This conversation doesn't hold that token, so it can't be shown here.")
    await services.access.limits.enforce(
        f"reveal:{caller.account.id}",
        limit=services.settings.reveals_per_hour,
        window=timedelta(hours=1),
    )
    owner, subject = values["conversation"].customer_id, f"conversation:{conversation}"
    actor = caller.account.actor
    async with services.database.write() as session:
        entry = Entry(actor, "personal.reveal_asked", subject, {"token": token, "reason": reason})
        await services.ledger.append(session, entry)
        shown = await services.vault.reveal(
            session, owner, token, actor=actor, subject=subject, reason=RevealReason(reason), note=note
        )
    reveals = await _reveals(request, conversation)
    return await show(
        request,
        "conversation.html",
        page="conversations",
        title="Conversation",
        reasons=list(RevealReason),
        revealed=(token, shown if shown != token else None),
        reveals=reveals,
        **values,
    )


async def _reveals(request: Request, conversation_id: UUID) -> tuple[Row, ...]:
    """Return who has looked at personal data of a conversation, the latest first; for those who may look."""
    services, caller = services_of(request), caller_of(request)
    if Permission.PERSONAL_REVEAL not in caller.account.permissions:
        return ()
    async with services.database.read() as session:
        return await services.ledger.recent(
            session,
            limit=SHOWN_REVEALS,
            subject=f"conversation:{conversation_id}",
            deed="personal.revealed",
        )


async def _state(request: Request, conversation_id: UUID) -> dict[str, Any]:
    services = services_of(request)
    conversation = await services.conversations.get(conversation_id)
    messages = await services.conversations.transcript(conversation_id)
    return {
        "conversation": conversation,
        "messages": messages,
        "turns": await services.anatomies.of_conversation(conversation_id),
        "tokens": sorted({str(token) for message in messages for token in tokens_in(message.text)}),
        "word": word_of(conversation, caller_of(request).account.id),
    }


def word_of(conversation: Conversation, account_id: str) -> Word:
    """Return who has the word, seen from an account."""
    if conversation.state == "closed":
        return Word.CLOSED
    if conversation.speaker is Speaker.ASSISTANT:
        return Word.ASSISTANT
    return Word.ME if str(conversation.speaker_account) == account_id else Word.OTHER
