"""Answers of the old way: another bot, or the desk, where a conversation isn't the assistant's to answer.

The other bot gets the masked conversation and its words are told as they are: what it says is not
verified, because it is what customers get today and what a candidate is measured against.
"""

from __future__ import annotations

from typing import Final

import structlog

from steward.base.db.contracts import Database
from steward.govern.privacy.contracts import Purpose
from steward.govern.privacy.tokens import tokens_in
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.contracts import MessageRole, Outcome
from steward.serve.turn.course import Course
from steward.serve.turn.endings import Ending, hand_over
from steward.serve.turn.placing import answerer_of
from steward.serve.turn.runtime import Runtimes
from steward.supply.models.contracts import ChatMessage, ChatRequest, Role, TextPiece
from steward.supply.models.errors import ModelError
from steward.supply.releases.assignment import Baseline, BaselineKind

TO_A_PERSON: Final = "baseline_human"
BY_ANOTHER_BOT: Final = "baseline_external"
OTHER_BOT_FAILED: Final = "baseline_external_failed"
_ROLES: Final = {MessageRole.CUSTOMER: Role.USER, MessageRole.ASSISTANT: Role.ASSISTANT}
log = structlog.get_logger(__name__)


class Elsewhere:
    """Ends turns that the old way answers; built once by the composition root."""

    def __init__(self, runtimes: Runtimes, *, database: Database, vault: Vault) -> None:
        self._runtimes = runtimes
        self._database = database
        self._vault = vault

    async def ending(self, course: Course, *, is_matter: bool) -> Ending | None:
        """Return the old way's answer, or None where the assistant answers.

        Before the first matter nobody has been assigned, and the assistant greets for everyone.
        """
        conversation = course.received.conversation
        baseline = answerer_of(conversation, course.received.traffic)
        if baseline.kind is BaselineKind.RELEASE:
            return None
        if not (is_matter or conversation.assigned or conversation.category is not None):
            return None
        if baseline.kind is BaselineKind.HUMAN:
            return hand_over(course, TO_A_PERSON)
        return await self._ask(course, baseline)

    async def _ask(self, course: Course, baseline: Baseline) -> Ending:
        course.findings.model = course.findings.route = BY_ANOTHER_BOT
        try:
            model = self._runtimes.other_bot(baseline)
            pieces = [piece async for piece in model.stream(request_of(course))]
        except ModelError as error:
            log.warning("other_bot_failed", sentence=str(error))
            return hand_over(course, OTHER_BOT_FAILED)
        text = "".join(piece.text for piece in pieces if isinstance(piece, TextPiece)).strip()
        if not text:
            return hand_over(course, OTHER_BOT_FAILED)
        return Ending(Outcome.ANSWERED, BY_ANOTHER_BOT, await self._in_real_values(course, text))

    async def _in_real_values(self, course: Course, text: str) -> str:
        """Return the other bot's words with values in place of the tokens that it was given."""
        if not tokens_in(text):
            return text
        customer_id = course.received.conversation.customer_id
        async with self._database.read() as session:
            return await self._vault.unmask(
                session, customer_id, text, purpose=Purpose.OWN_WORDS, actor="customer"
            )


def request_of(course: Course) -> ChatRequest:
    """Return the masked conversation as a chat request."""
    said = [
        ChatMessage(_ROLES[item.role], item.text) for item in course.received.history if item.role in _ROLES
    ]
    return ChatRequest((*said, ChatMessage(Role.USER, course.received.text)))
