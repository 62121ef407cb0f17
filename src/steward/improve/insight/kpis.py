"""Every KPI, defined once.

The expressions are PostgreSQL's over the columns of the views `conversations` and `turns`, and use only
what every engine has: comparisons, `case`, `coalesce` and `cast`. Times are subtracted in the views, so
no expression does. A share of conversations has 1 as its denominator where the conversation counts and
null where it doesn't.
"""

from __future__ import annotations

from steward.improve.insight.contracts import Better, Kpi, Matures, Over, Quantile, Ratio
from steward.improve.insight.errors import KpiNotFound, NotATrigger

CIO, CDO, CX, CFO, CEO = "CIO", "CDO", "CX lead", "CFO", "CEO"
SHARE = "share"
SECONDS = "s"
MONEY = "money"

SPOKEN = "case when outcome <> 'silent' then 1 end"
"""Counts the turns that the assistant took part in; in a silent one a human held the word."""
RESOLVED = (
    "case when resolved then 1 when not resolved then 0 when complained then 0 "
    "when handed_over then case when human_s is not null then 1 else 0 end "
    "when last_outcome in ('answered', 'acted') then 1 else 0 end"
)
"""1 for a resolution, confirmed or assumed: the customer said so; or nobody complained, and the last word
was an answer, or a human took the conversation over."""
CAME_BACK = "coalesce(recontact_after_s, 1e12) <= :recontact_hours * 3600"
DURABLE = f"case when {CAME_BACK} then 0 else {RESOLVED} end"
TURN_COST = "cast(cost as double precision)"


def rate(condition: str) -> str:
    """Return the expression that is 1 where a condition holds and 0 where it doesn't."""
    return f"case when {condition} then 1 else 0 end"


ALL: tuple[Kpi, ...] = (
    # ------------------------------------------------------------- how customers find it
    Ratio(
        "csat", "Satisfaction", "Mean of the customers' survey answers from 1 to 5.", "of 5", Better.HIGHER,
        (CX, CEO), Over.CONVERSATIONS, "csat", "case when csat is not null then 1 end",
        matures=Matures.SURVEY, trigger=True,
    ),
    Ratio(
        "survey_response_rate", "Survey response rate",
        "Share of ended conversations whose customer answered the survey; it guards the satisfaction.", SHARE,
        Better.HIGHER, (CX,), Over.CONVERSATIONS, rate("csat is not null"), "1",
        matures=Matures.SURVEY, trigger=True,
    ),
    Ratio(
        "thumbs_down_rate", "Thumbs down", "Share of turns that the customer gave a thumb down.", SHARE,
        Better.LOWER, (CX,), Over.TURNS, rate("thumb = 'down'"), SPOKEN, trigger=True,
    ),
    # ------------------------------------------------------------- what becomes of a conversation
    Ratio(
        "escalation_rate", "Escalation", "Share of conversations that were handed over to a human.", SHARE,
        Better.LOWER, (CX, CFO), Over.CONVERSATIONS, rate("handed_over"), "1", trigger=True,
    ),
    Ratio(
        "containment_rate", "Containment",
        "Share of ended conversations without a hand-over; this isn't resolution.", SHARE, Better.HIGHER,
        (CX, CFO), Over.CONVERSATIONS, rate("not handed_over"), "1", trigger=True,
    ),
    Ratio(
        "resolution_rate", "Resolution",
        "Share of ended conversations that resolved the matter: the customer said so, or nobody complained "
        "and it ended with an answer or with a human.", SHARE, Better.HIGHER, (CX, CEO), Over.CONVERSATIONS,
        RESOLVED, "1", matures=Matures.SURVEY, trigger=True,
    ),
    Ratio(
        "durable_resolution_rate", "Durable resolution",
        "Share of conversations that resolved the matter and whose customer didn't come back with the same "
        "intent, on any channel, within the window.", SHARE, Better.HIGHER, (CEO, CX), Over.CONVERSATIONS,
        DURABLE, "1", matures=Matures.RECONTACT, trigger=True,
    ),
    Ratio(
        "first_contact_resolution", "First-contact resolution",
        "Share of first contacts on a matter that resolved it for good, in one conversation.", SHARE,
        Better.HIGHER, (CX,), Over.CONVERSATIONS, DURABLE,
        "case when coalesce(follows_after_s, 1e12) > :recontact_hours * 3600 then 1 end",
        matures=Matures.RECONTACT, trigger=True,
    ),
    Ratio(
        "repeat_rate", "Repeat contacts",
        "Share of conversations whose customer came back with the same intent within the window.", SHARE,
        Better.LOWER, (CX, CFO), Over.CONVERSATIONS, rate(CAME_BACK), "1",
        matures=Matures.RECONTACT, trigger=True,
    ),
    Ratio(
        "loop_rate", "Loops", "Share of conversations in which the customer went round in circles.", SHARE,
        Better.LOWER, (CX,), Over.CONVERSATIONS, rate("looped"), "1", trigger=True,
    ),
    # ------------------------------------------------------------- how long it takes
    Ratio(
        "handle_time_s", "Handle time", "Mean time from a conversation's opening to its end.", SECONDS,
        Better.LOWER, (CFO, CX), Over.CONVERSATIONS, "handle_s", "case when handle_s is not null then 1 end",
        trigger=True,
    ),
    Ratio(
        "assistant_handle_time_s", "Handle time of the assistant",
        "Mean time from opening to end of conversations that were never handed over.", SECONDS, Better.LOWER,
        (CFO,), Over.CONVERSATIONS, "handle_s",
        "case when handle_s is not null and not handed_over then 1 end", trigger=True,
    ),
    Ratio(
        "human_handle_time_s", "Handle time of humans",
        "Mean time that a human held the word, of conversations that a human took over.", SECONDS,
        Better.LOWER, (CFO,), Over.CONVERSATIONS, "human_s", "case when human_s is not null then 1 end",
        trigger=True,
    ),
    Ratio(
        "human_minutes", "Human minutes", "Minutes of human work per conversation.", "min", Better.LOWER,
        (CFO, CEO), Over.CONVERSATIONS, "coalesce(human_s, 0) / 60", "1", trigger=True,
    ),
    Ratio(
        "wait_time_s", "Waiting",
        "Mean time to the first useful answer: from asking for a human to the human's first words, otherwise "
        "from the first message to the first answer that told or did something.", SECONDS, Better.LOWER,
        (CX,), Over.CONVERSATIONS, "wait_s", "case when wait_s is not null then 1 end", trigger=True,
    ),
    Ratio(
        "response_time_s", "Response time", "Mean time from a message to the end of its answer.", SECONDS,
        Better.LOWER, (CIO, CX), Over.TURNS, "cast(total_ms as double precision) / 1000", SPOKEN,
        trigger=True,
    ),
    Ratio(
        "slow_turn_rate", "Slow turns", "Share of turns that took longer than the service level allows.",
        SHARE, Better.LOWER, (CIO, CX), Over.TURNS, rate("total_ms > :slow_ms"), SPOKEN, trigger=True,
    ),
    Quantile(
        "first_token_ms_p50", "First words, middle", "Time to the first words of an answer, median.", "ms",
        Better.LOWER, (CIO,), "case when outcome <> 'silent' then first_token_ms end", 0.5,
    ),
    Quantile(
        "first_token_ms_p95", "First words, slow end",
        "Time within which 95 of 100 answers have begun.", "ms", Better.LOWER, (CIO, CX),
        "case when outcome <> 'silent' then first_token_ms end", 0.95,
    ),
    Quantile(
        "turn_ms_p50", "Whole answer, middle", "Time to the end of an answer, median.", "ms", Better.LOWER,
        (CIO,), "case when outcome <> 'silent' then total_ms end", 0.5,
    ),
    Quantile(
        "turn_ms_p95", "Whole answer, slow end", "Time within which 95 of 100 answers are complete.", "ms",
        Better.LOWER, (CIO, CX), "case when outcome <> 'silent' then total_ms end", 0.95,
    ),
    # ------------------------------------------------------------- how well it answers
    Ratio(
        "error_rate", "Errors", "Share of turns that failed.", SHARE, Better.LOWER, (CIO,), Over.TURNS,
        rate("outcome = 'failed'"), SPOKEN, trigger=True, rare=True,
    ),
    Ratio(
        "uptime", "Uptime",
        "Share of turns that didn't fail; messages that never reached the server aren't seen here.", SHARE,
        Better.HIGHER, (CIO,), Over.TURNS, rate("outcome <> 'failed'"), SPOKEN,
    ),
    Ratio(
        "fallback_rate", "Fallbacks",
        "Share of turns that fell back to a plainer answer or gave none for want of evidence.", SHARE,
        Better.LOWER, (CX, CDO), Over.TURNS,
        rate("outcome = 'fell_back' or reason in ('weak_evidence', 'nothing_verified')"), SPOKEN,
        trigger=True,
    ),
    Ratio(
        "unverified_rate", "Unverified sentences",
        "Share of turns in which verification held a sentence back.", SHARE, Better.LOWER, (CDO, CX),
        Over.TURNS, rate("sentences_dropped > 0"), SPOKEN, trigger=True,
    ),
    Ratio(
        "refusal_rate", "Refusals", "Share of turns that were refused.", SHARE, Better.NEITHER, (CDO, CX),
        Over.TURNS, rate("outcome = 'refused'"), SPOKEN,
    ),
    Ratio(
        "out_of_scope_rate", "Out of scope", "Share of understood turns outside the assistant's matters.",
        SHARE, Better.NEITHER, (CX,), Over.TURNS, rate("out_of_scope"),
        "case when out_of_scope is not null and outcome <> 'silent' then 1 end",
    ),
    Ratio(
        "confidence_mean", "Confidence", "Mean calibrated confidence of the intent.", SHARE, Better.NEITHER,
        (CDO,), Over.TURNS, "cast(confidence as double precision)",
        "case when confidence is not null then 1 end",
    ),
    Ratio(
        "intent_accuracy", "Right intents",
        "Share of turns whose intent was right, from people's reviews weighted back to all traffic.", SHARE,
        Better.HIGHER, (CDO,), Over.TURNS,
        "case when review_intent_right is not null then case when review_intent_right then review_weight "
        "else 0 end end", "case when review_intent_right is not null then review_weight end",
        matures=Matures.RECONTACT, trigger=True,
    ),
    Ratio(
        "misrouting_rate", "Misrouting",
        "Share of turns that went to the wrong place, from people's reviews weighted back to all traffic.",
        SHARE, Better.LOWER, (CDO, CX), Over.TURNS,
        "case when review_misrouted is not null then case when review_misrouted then review_weight "
        "else 0 end end", "case when review_misrouted is not null then review_weight end",
        matures=Matures.RECONTACT, trigger=True,
    ),
    Ratio(
        "hallucination_rate", "Hallucinations",
        "Share of turns that said something without ground, from people's reviews weighted back to all "
        "traffic.", SHARE, Better.LOWER, (CDO, CEO), Over.TURNS,
        "case when review_grounded is not null then case when review_grounded then 0 "
        "else review_weight end end", "case when review_grounded is not null then review_weight end",
        matures=Matures.RECONTACT, trigger=True,
    ),
    # ------------------------------------------------------------- what it costs
    Ratio(
        "cost_per_turn", "Cost per turn", "Mean price of a turn's tokens, of turns whose price is known.",
        MONEY, Better.LOWER, (CFO,), Over.TURNS, TURN_COST,
        "case when cost is not null and outcome <> 'silent' then 1 end", trigger=True,
    ),
    Ratio(
        "cost_per_conversation", "Cost per conversation", "Mean price of a conversation's tokens.", MONEY,
        Better.LOWER, (CFO,), Over.CONVERSATIONS, TURN_COST, "case when cost is not null then 1 end",
        trigger=True,
    ),
    Ratio(
        "cost_per_resolution", "Cost per resolution",
        "Price of all conversations' tokens over the number of resolutions.", MONEY, Better.LOWER, (CFO, CEO),
        Over.CONVERSATIONS, TURN_COST, f"case when cost is not null then {RESOLVED} end",
        matures=Matures.SURVEY, trigger=True,
    ),
    Ratio(
        "tokens_per_turn", "Tokens per turn", "Mean tokens that a turn sent to and got from models.",
        "tokens", Better.LOWER, (CFO, CIO), Over.TURNS,
        "coalesce(prompt_tokens, 0) + coalesce(completion_tokens, 0)", SPOKEN, trigger=True,
    ),
    Ratio(
        "extractive_share", "Extractive answers",
        "Share of answers given in the knowledge base's own sentences, without a model.", SHARE,
        Better.NEITHER, (CFO, CDO), Over.TURNS, rate("model = 'extractive'"),
        "case when model is not null and outcome <> 'silent' then 1 end",
    ),
    # ------------------------------------------------------------- what is protected
    Ratio(
        "masked_share", "Masked", "Share of turns whose message was masked before anything else read it.",
        SHARE, Better.HIGHER, (CDO, CIO), Over.TURNS, rate("mask_ms is not null"), SPOKEN,
    ),
    Ratio(
        "personal_data_share", "Personal data", "Share of turns whose message held personal data.", SHARE,
        Better.NEITHER, (CDO,), Over.TURNS, rate("masked_count > 0"), SPOKEN,
    ),
    Ratio(
        "guarded_rate", "Guarded", "Share of turns that a guard rule ended.", SHARE, Better.NEITHER,
        (CDO, CX), Over.TURNS, rate("guard_rule is not null"), SPOKEN,
    ),
)  # fmt: skip
_BY_NAME = {item.name: item for item in ALL}


def names() -> tuple[str, ...]:
    """Return the names of all KPIs, in the order in which pages show them."""
    return tuple(_BY_NAME)


def kpi(name: str) -> Kpi:
    """Return the definition of a KPI.

    Raises:
        KpiNotFound: there is none of this name; the sentence names the nearest.
    """
    found = _BY_NAME.get(name)
    if found is None:
        raise KpiNotFound(name, _BY_NAME)
    return found


def trigger_of(name: str) -> Ratio:
    """Return the KPI that a rollout's trigger watches.

    Raises:
        KpiNotFound: there is none of this name.
        NotATrigger: it is a quantile, or has no direction to be worse in.
    """
    found = kpi(name)
    if isinstance(found, Quantile):
        raise NotATrigger(name, "a quantile has no variance per conversation; watch 'slow_turn_rate'")
    if not found.trigger:
        raise NotATrigger(name, "see docs/reference/kpis.md for those that can")
    return found
