"""The two tables that KPIs read, column by column: the contract with the database and with files."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from steward.improve.insight.contracts import Over


class Kind(StrEnum):
    """A column's type, by PostgreSQL's name."""

    UUID = "uuid"
    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "bigint"
    NUMBER = "double precision"
    TIME = "timestamp with time zone"


@dataclass(frozen=True, slots=True)
class Column:
    """A column, its type, and what stands in it."""

    name: str
    kind: Kind
    meaning: str


CONVERSATIONS = (
    Column("id", Kind.UUID, "The conversation."),
    Column("assistant", Kind.TEXT, "The assistant's name."),
    Column("release_id", Kind.TEXT, "Release that answers it now."),
    Column("arm", Kind.TEXT, "`baseline`, `candidate` or `holdout`; never changes once assigned."),
    Column("channel", Kind.TEXT, "Where the customer writes, for example `web`."),
    Column("simulated", Kind.BOOLEAN, "Whether a simulated customer talks; figures never mix the two."),
    Column("customer_id", Kind.UUID, "The customer, pseudonymous; the same for one verified customer."),
    Column("verified", Kind.BOOLEAN, "Whether the channel brought a signed token."),
    Column("category", Kind.TEXT, "Category of the first matter; null until there is one."),
    Column("intent", Kind.TEXT, "Intent of the first matter; null until there is one."),
    Column("state", Kind.TEXT, "`open` or `closed`."),
    Column("opened_at", Kind.TIME, "When it was opened."),
    Column("last_at", Kind.TIME, "When something was said last."),
    Column("closed_at", Kind.TIME, "When it was closed; null while it is open."),
    Column("closed_by", Kind.TEXT, "`customer`, `staff` or `idle`."),
    Column("resolved", Kind.BOOLEAN, "What the customer or staff said at the end; null if nobody did."),
    Column("ended_at", Kind.TIME, "`closed_at`, or `last_at` while it is open."),
    Column("rollout_id", Kind.UUID, "Rollout that assigned it."),
    Column("phase", Kind.INTEGER, "Phase of the rollout, from 0."),
    Column("counted", Kind.BOOLEAN, "Whether it is its customer's first in the phase: a unit of verdicts."),
    Column("assigned_at", Kind.TIME, "When its arm was decided."),
    Column("assigned_category", Kind.TEXT, "Category by which its arm was decided."),
    Column("handle_s", Kind.NUMBER, "Seconds from `opened_at` to `ended_at`."),
    Column("handed_over", Kind.BOOLEAN, "Whether it was handed over to a human."),
    Column("csat", Kind.INTEGER, "The survey's answer, 1 to 5."),
    Column("complained", Kind.BOOLEAN, "Whether the survey's answer is 1 or 2 or a turn got a thumb down."),
    Column("last_outcome", Kind.TEXT, "Outcome of the last turn that the assistant took part in."),
    Column("looped", Kind.BOOLEAN, "Whether the customer went round in circles."),
    Column("turns", Kind.INTEGER, "Number of turns."),
    Column("cost", Kind.NUMBER, "Price of all its turns' tokens; null where no price is known."),
    Column("human_s", Kind.NUMBER, "Seconds that a human held the word; null where none did."),
    Column("asked_human_at", Kind.TIME, "When a human was asked for first."),
    Column(
        "first_useful_at", Kind.TIME,
        "When the first useful answer was there: a human's words if one was asked for, otherwise the first "
        "turn that answered or acted.",
    ),
    Column(
        "wait_s", Kind.NUMBER,
        "Seconds to `first_useful_at` from `asked_human_at`, otherwise from the first turn's start.",
    ),
    Column(
        "recontact_at", Kind.TIME,
        "When the same customer next opened a conversation on the same intent, on any channel.",
    ),
    Column("recontact_after_s", Kind.NUMBER, "Seconds from `ended_at` to `recontact_at`."),
    Column("follows_after_s", Kind.NUMBER, "Seconds since the customer's last conversation on this intent."),
)  # fmt: skip
TURNS = (
    Column("id", Kind.UUID, "The turn."),
    Column("conversation_id", Kind.UUID, "Its conversation."),
    Column("message_id", Kind.UUID, "The customer's message."),
    Column("release_id", Kind.TEXT, "Release that answered."),
    Column("assistant", Kind.TEXT, "The assistant's name."),
    Column("arm", Kind.TEXT, "Arm of the conversation."),
    Column("channel", Kind.TEXT, "Channel of the conversation."),
    Column("simulated", Kind.BOOLEAN, "Whether a simulated customer talks."),
    Column(
        "outcome", Kind.TEXT,
        "`answered`, `asked`, `acted`, `handed_over`, `refused`, `fell_back`, `failed` or `silent` "
        "(a human held the word).",
    ),
    Column("reason", Kind.TEXT, "Why it ended so, for example `weak_evidence`."),
    Column("intent", Kind.TEXT, "What the customer wants."),
    Column("confidence", Kind.NUMBER, "Calibrated probability of the intent, 0 to 1."),
    Column("in_scope", Kind.NUMBER, "Probability that the assistant covers it, 0 to 1."),
    Column("out_of_scope", Kind.BOOLEAN, "Whether it was taken to be outside the assistant's matters."),
    Column("category", Kind.TEXT, "Category of the intent."),
    Column("risk", Kind.TEXT, "Risk level of the category."),
    Column("override", Kind.BOOLEAN, "Whether words asked for a human."),
    Column("guard_rule", Kind.TEXT, "Guard rule that applied."),
    Column("guard_score", Kind.NUMBER, "How sure it was, 0 to 1."),
    Column("masked_count", Kind.INTEGER, "Personal values masked in the message."),
    Column("evidence", Kind.NUMBER, "Strength of the best passage, 0 to 1."),
    Column("model", Kind.TEXT, "Model that wrote the answer; `extractive` is none."),
    Column("route", Kind.TEXT, "Why that model."),
    Column("workflow", Kind.TEXT, "Workflow that took part."),
    Column("sentences_sent", Kind.INTEGER, "Sentences that reached the customer."),
    Column("sentences_dropped", Kind.INTEGER, "Sentences that verification held back."),
    Column("resumed", Kind.BOOLEAN, "Whether it was finished after a crash."),
    Column("prompt_tokens", Kind.INTEGER, "Tokens sent to models."),
    Column("completion_tokens", Kind.INTEGER, "Tokens got from models."),
    Column("cost", Kind.NUMBER, "Price of the tokens; null where it isn't known."),
    Column("currency", Kind.TEXT, "Currency of `cost`."),
    *(
        Column(f"{stage}_ms", Kind.NUMBER, f"Milliseconds in the stage {stage}.")
        for stage in "receive mask understand guard retrieve generate verify act record".split()
    ),
    Column("first_token_ms", Kind.NUMBER, "Milliseconds to the first words; null where nothing was said."),
    Column("total_ms", Kind.NUMBER, "Milliseconds to the end of the answer."),
    Column("started_at", Kind.TIME, "When it started."),
    Column("finished_at", Kind.TIME, "When it was complete."),
    Column("rollout_id", Kind.UUID, "Rollout that assigned the conversation."),
    Column("thumb", Kind.TEXT, "`up` or `down`, if the customer gave one."),
    Column("review_intent_right", Kind.BOOLEAN, "Whether the intent was right, says the latest review."),
    Column("review_misrouted", Kind.BOOLEAN, "Whether it went to the wrong place, says the latest review."),
    Column("review_grounded", Kind.BOOLEAN, "Whether all of it had ground, says the latest review."),
    Column("review_weight", Kind.NUMBER, "Number of turns that the reviewed one stands for."),
)  # fmt: skip
TABLES = {Over.CONVERSATIONS: CONVERSATIONS, Over.TURNS: TURNS}
