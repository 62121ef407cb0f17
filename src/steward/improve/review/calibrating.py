"""What reviewed turns say of the thresholds that a release works with.

A release never changes, so nothing is set here: the next one takes the suggested values from its folder.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

import numpy as np

from steward.base.db.contracts import Database
from steward.base.language.conformal import Bounded, bounded_threshold

FEWEST_QUESTIONS: Final = 30
"""Questions back from which the share that helped says something."""

# Of several reviews of a turn the latest counts, as in every figure.
_JUDGED: Final = """
select t.intent, t.confidence, t.out_of_scope, r.intent_right, r.weight
from turn t
join lateral (
    select intent_right, weight from review
    where turn_id = t.id and intent_right is not null order by at desc, id desc limit 1
) r on true
where t.assistant = %(assistant)s and t.release_id = %(release)s and not t.simulated
  and t.confidence is not null
"""
_QUESTIONS: Final = """
select count(*), count(*) filter (where next.outcome in ('answered', 'acted'))
from turn t
join lateral (
    select outcome from turn
    where conversation_id = t.conversation_id and id > t.id order by id limit 1
) next on true
where t.assistant = %(assistant)s and not t.simulated
  and t.outcome = 'asked' and t.reason = 'weak_evidence'
"""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What reviews suggest.

    `bounded` stands on the reviewed turns of one release; `wrong_now` is the share of them that were acted on
    wrongly at today's threshold. `even` tells whether all turns were picked with the same chance: if not, the
    bound holds for turns picked like these. `question_helps` is the share of questions back after which
    the next message was answered or acted on, None where there were too few.
    """

    bounded: Bounded
    now: float
    wrong_now: float
    even: bool
    questions: int
    question_helps: float | None

    @property
    def suggestions(self) -> dict[str, float]:
        """Values for `guardrails.yaml` under `confidence`; empty where too little was judged."""
        found: dict[str, float] = {}
        if self.bounded.possible:
            found["offer_workflow"] = np.ceil(self.bounded.threshold * 100).item() / 100
        if self.question_helps is not None:
            found["question_helps"] = round(self.question_helps, 2)
        return found


class Calibrations:
    """Reads judged turns; built once by whoever asks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(
        self,
        assistant: str,
        release_id: str,
        *,
        with_workflow: Collection[str],
        offer_from: float,
        most_wrong: float,
    ) -> Calibrated:
        """Return what an assistant's reviews suggest for the release after this one.

        Args:
            assistant: whose turns.
            release_id: whose turns: confidences of another release mean something else.
            with_workflow: the intents that lead to a workflow.
            offer_from: the confidence from which that release offers.
            most_wrong: the bound on wrong offers, a share of all messages.
        """
        asked = {"assistant": assistant, "release": release_id}
        async with self._database.read() as session:
            rows = await session.all(_JUDGED, asked)
            questions = await session.one(_QUESTIONS, asked)
        confidences = np.array(
            [-1.0 if outside or intent not in with_workflow else sure for intent, sure, outside, *_ in rows],
            np.float64,
        )
        right = np.array([row[3] for row in rows], np.bool_)
        count, helped = (0, 0) if questions is None else questions
        return Calibrated(
            bounded=bounded_threshold(confidences, right, most_wrong=most_wrong),
            now=offer_from,
            wrong_now=float(((confidences >= offer_from) & ~right).mean()) if rows else 0.0,
            even=len({row[4] for row in rows}) <= 1,
            questions=count,
            question_helps=helped / count if count >= FEWEST_QUESTIONS else None,
        )
