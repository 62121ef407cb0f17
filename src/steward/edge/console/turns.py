"""One turn taken apart, and what people found in it."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput
from steward.edge.callers import staff_of
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import record_id_of
from steward.govern.access.permissions import Permission
from steward.improve.review.service import Judgement

router = APIRouter(prefix="/console/turns", include_in_schema=False)

QUESTIONS = (
    ("intent_right", "Was the intent right?"),
    ("misrouted", "Did it go to the wrong place?"),
    ("grounded", "Does everything said have ground in the knowledge?"),
    ("guard_right", "Did the guard do right, in stopping it or letting it pass?"),
)
MARKS_OVER = timedelta(days=30)
"""The time over which a rule's stops and marks are counted beside a turn."""
_ANSWERS = {"yes": True, "no": False, "": None}


@router.get("/{turn_id}")
@page(Permission.TURN_READ)
async def show_turn(request: Request, turn_id: str) -> Response:
    """Show one turn taken apart: stages, decisions, passages, sentences, reviews."""
    services, turn = services_of(request), record_id_of(turn_id, "turn")
    anatomy = await services.anatomies.show(turn)
    now = services.clock.now()
    marks = (
        await services.reviews.guard_marks(since=now - MARKS_OVER, until=now) if anatomy.guard_rule else ()
    )
    return await show(
        request,
        "turn.html",
        page="conversations",
        title="Turn",
        turn=anatomy,
        marks=next((mark for mark in marks if mark.rule == anatomy.guard_rule), None),
        reviews=await services.reviews.of(turn),
        questions=QUESTIONS,
    )


@router.post("/{turn_id}/reviews")
@page(Permission.TURN_REVIEW)
async def review(request: Request, turn_id: str) -> Response:
    """Judge a turn; what isn't answered isn't judged."""
    form, turn = form_of(request), record_id_of(turn_id, "turn")
    said = {name: form.get(name, "") for name, _ in QUESTIONS}
    if not set(said.values()) <= set(_ANSWERS):
        raise InvalidInput("Answer yes or no, or leave a question open.")
    judgement = Judgement(
        intent_right=_ANSWERS[said["intent_right"]],
        misrouted=_ANSWERS[said["misrouted"]],
        grounded=_ANSWERS[said["grounded"]],
        guard_right=_ANSWERS[said["guard_right"]],
    )
    await services_of(request).reviews.record(turn, judgement, reviewer=staff_of(caller_of(request)))
    return see(f"/console/turns/{turn}#reviews")
