"""Rollouts in plain sentences: states, findings, events, and the one sentence that tells the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from steward.edge.console.measures import harm_in_words, with_titles
from steward.edge.templates import moment, money, words
from steward.improve.rollout.contracts import (
    ALL,
    Advance,
    Finding,
    PhaseApproval,
    PlannedPhase,
    Rollout,
    RolloutEvent,
    RolloutKind,
    RolloutPage,
    RolloutState,
    Stage,
    TriggerVerdict,
)
from steward.supply.releases.assignment import Arm, BaselineKind

STATES: Final[Mapping[RolloutState, str]] = {
    RolloutState.WAITING: "waits for an approval",
    RolloutState.RUNNING: "running",
    RolloutState.HELD: "on hold",
    RolloutState.PAUSED: "paused",
    RolloutState.PROMOTED: "promoted",
    RolloutState.ROLLED_BACK: "rolled back",
    RolloutState.ABORTED: "aborted",
    RolloutState.CONCLUDED: "concluded",
}
KINDS: Final[Mapping[RolloutKind, str]] = {
    RolloutKind.ROLLOUT: "rollout",
    RolloutKind.EXPERIMENT: "A/B comparison",
    RolloutKind.SHADOW: "shadow",
}
FINDINGS: Final[Mapping[Finding, str]] = {
    Finding.HARMFUL: "harmful",
    Finding.SAFE: "safe",
    Finding.UNKNOWN: "not enough evidence yet",
    Finding.NO_DATA: "no data arrives",
}
EVENTS: Final[Mapping[str, str]] = {
    "started": "Started",
    "approval_asked": "Agreement asked",
    "approved": "Agreed",
    "denied": "Denied",
    "phase_started": "Phase began",
    "gate_closed": "The gate is closed",
    "held": "Held itself",
    "resumed": "Resumed",
    "paused": "Paused",
    "category_rolled_back": "One category rolled back",
    "rolled_back": "Rolled back",
    "promoted": "Promoted",
    "aborted": "Aborted",
    "concluded": "Concluded",
}
_STAGES: Final[Mapping[Stage, str]] = {
    Stage.INTERNAL: "our own staff",
    Stage.PILOT: "a pilot",
    Stage.RAMP: "a ramp step",
    Stage.FULL: "everybody",
}
_BREAKER: Final = "breaker:"
_FOUND_HARMFUL: Final = " is worse by at least "
_FOUND_SAFE: Final = "every trigger's harm is within its margin"
"""What the controller's own reasons say, unlike a person's."""
_LEAVES: Final[Mapping[Advance, str]] = {
    Advance.SAFE: "every trigger is found safe",
    Advance.NO_HARM: "nothing is found harmful",
    Advance.APPROVAL: "somebody decides to go on",
}


def event_in_words(kind: str) -> str:
    """Return what happened, in a word or two."""
    return EVENTS.get(kind, words(kind).capitalize())


def phase_in_words(phase: PlannedPhase, *, simulated: bool) -> str:
    """Say whom a phase reaches."""
    if phase.stage is Stage.INTERNAL:
        return "our own staff only"
    if phase.stage is Stage.FULL:
        return everybody_in_words(simulated=simulated)
    return f"{phase.share_percent:g} % of the {'invented ' if simulated else ''}customers"


def everybody_in_words(*, simulated: bool) -> str:
    """Say who everybody is."""
    return "all invented customers" if simulated else "everybody"


def stage_in_words(phase: PlannedPhase) -> str:
    """Say what a phase is for."""
    return _STAGES[phase.stage]


def leaving_in_words(phase: PlannedPhase) -> str:
    """Say what it takes to leave a phase, as a sentence; the last one is the end."""
    if phase.stage is Stage.FULL:
        return "It is the end: the release is promoted."
    hours = f" and {phase.minimum_hours:g} hours" if phase.minimum_hours else ""
    customers = f"{phase.minimum_conversations:,} customers per arm"
    return f"It is left after {customers}{hours}, when {_LEAVES[phase.advance]}."


def baseline_in_words(kind: BaselineKind, number: int) -> str:
    """Say what the candidate is compared with."""
    return {
        BaselineKind.RELEASE: f"release {number}",
        BaselineKind.EXTERNAL: "the other bot",
        BaselineKind.HUMAN: "the desk",
    }[kind]


def verdict_in_a_word(rollout: Rollout, latest: Sequence[TriggerVerdict]) -> str:
    """Return the few words of the list: what the evidence says by now, or said when it ended by itself."""
    overall = [verdict.finding for verdict in latest if verdict.category == ALL]
    why = rollout.end_reason or ""
    if rollout.state is RolloutState.PROMOTED:
        return "safe" if _FOUND_SAFE in why else "no harm found"
    if rollout.state is RolloutState.ROLLED_BACK:
        return "harmful" if why.startswith(_BREAKER) or _FOUND_HARMFUL in why else "undecided"
    if Finding.HARMFUL in overall:
        return "harmful"
    if overall and set(overall) == {Finding.SAFE}:
        return "safe"
    if Finding.NO_DATA in overall:
        return "no data"
    return "undecided"


def harms_of(verdicts: Iterable[TriggerVerdict]) -> tuple[TriggerVerdict, ...]:
    """Return the harmful verdicts; those of single categories only where not all together is harmful."""
    harmful = [verdict for verdict in verdicts if verdict.finding is Finding.HARMFUL]
    overall = {verdict.kpi for verdict in harmful if verdict.category == ALL}
    return tuple(verdict for verdict in harmful if verdict.category == ALL or verdict.kpi not in overall)


def deciding_harms(page: RolloutPage) -> tuple[TriggerVerdict, ...]:
    """Return the harms that a roll-back stood on, as they were then; later conversations change nothing."""
    event = last_event(page, "rolled_back")
    kept = () if event is None else event.evidence.get("verdicts", ())
    return harms_of(map(read_verdict, kept)) if isinstance(kept, list) else ()


def read_verdict(kept: Mapping[str, Any]) -> TriggerVerdict:
    """Read a verdict out of an event's evidence, whose floats are texts."""

    def real(name: str) -> float | None:
        return None if kept[name] is None else float(kept[name])

    return TriggerVerdict(
        kpi=kept["kpi"],
        category=kept["category"],
        finding=Finding(kept["finding"]),
        margin=float(kept["margin"]),
        baseline=real("baseline"),
        candidate=real("candidate"),
        harm=real("harm"),
        low=real("low"),
        high=real("high"),
        n_baseline=kept["n_baseline"],
        n_candidate=kept["n_candidate"],
        needed=kept["needed"],
    )


def last_event(page: RolloutPage, *kinds: str) -> RolloutEvent | None:
    """Return the latest event of some kinds."""
    return max(
        (event for event in page.events if event.kind in kinds), key=lambda event: event.at, default=None
    )


def waiting_approval(page: RolloutPage) -> PhaseApproval | None:
    """Return the agreement that a rollout waits for."""
    return next((item for item in page.approvals if item.state == "waiting"), None)


def customers_met(page: RolloutPage) -> int:
    """Return how many customers the candidate was given to."""
    if page.customers_met is not None:
        return page.customers_met
    return sum(arm.customers for arm in page.arms if arm.arm is Arm.CANDIDATE)


def summary(page: RolloutPage) -> Markup:
    """Tell the whole in a few sentences: what happened, when, why, whom it met and what it cost."""
    rollout = page.rollout
    if rollout.kind is RolloutKind.SHADOW:
        return _shadow(page)
    match rollout.state:
        case RolloutState.WAITING:
            return _waiting(page)
        case RolloutState.RUNNING | RolloutState.HELD | RolloutState.PAUSED:
            return _open(page)
        case _:
            return _ended(page)


def _waiting(page: RolloutPage) -> Markup:
    rollout, asked = page.rollout, waiting_approval(page)
    phase = rollout.plan.phases[asked.phase] if asked is not None else rollout.current
    waits = Markup("Release {} waits to reach {}{}.").format(
        page.candidate_number,
        phase_in_words(phase, simulated=rollout.simulated),
        ""
        if asked is None
        else Markup(": since {} somebody with the role {} has to agree").format(
            moment(asked.asked_at), words(asked.role)
        ),
    )
    if rollout.phase_started_at is None:
        return Markup("{} {}").format(waits, _so_far(page))
    return Markup("{} Until then it answers {}. {} {}").format(
        waits, _reach(rollout, rollout.current), _evidence_so_far(page), _so_far(page)
    )


def _open(page: RolloutPage) -> Markup:
    rollout, phase = page.rollout, page.rollout.current
    since = moment(rollout.phase_started_at or rollout.created_at)
    if rollout.state is RolloutState.RUNNING:
        first = Markup("Release {} answers {} since {}; {} answers the rest. {}").format(
            page.candidate_number, _reach(rollout, phase), since, _rest(page), _evidence_so_far(page)
        )
    else:
        event = last_event(page, *(("held",) if rollout.state is RolloutState.HELD else ("paused", "denied")))
        why = rollout.hold_reason or (event.reason if event else "")
        held = rollout.state is RolloutState.HELD
        first = Markup("Release {} {} at {} since {}: {} {} until it is resumed.").format(
            page.candidate_number,
            "holds itself" if held else "is paused",
            phase_in_words(phase, simulated=rollout.simulated),
            moment(event.at) if event else since,
            as_sentence(why),
            "Its share doesn't grow" if held else "Nobody new is given to it",
        )
    return Markup("{} {}").format(first, _so_far(page))


def _ended(page: RolloutPage) -> Markup:
    rollout, at = page.rollout, moment(page.rollout.ended_at)
    reach = phase_in_words(rollout.current, simulated=rollout.simulated)
    match rollout.state:
        case RolloutState.PROMOTED:
            first = Markup("Release {} was promoted on {}: {} got it from then on. {}").format(
                page.candidate_number, at, _everybody(rollout), _why_promoted(page)
            )
        case RolloutState.ROLLED_BACK:
            first = Markup("Release {} was rolled back on {} at {}: {}").format(
                page.candidate_number, at, reach, _why_rolled_back(page)
            )
        case RolloutState.ABORTED:
            first = Markup("The {} of release {} was aborted on {} at {}: {}").format(
                KINDS[rollout.kind], page.candidate_number, at, reach, as_sentence(rollout.end_reason or "")
            )
        case _:
            first = Markup("The comparison of release {} with {} ended on {}. {}").format(
                page.candidate_number, _rest(page), at, as_sentence(rollout.end_reason or "")
            )
    return Markup("{} {}").format(first, _so_far(page))


def _shadow(page: RolloutPage) -> Markup:
    rollout = page.rollout
    since = moment(rollout.phase_started_at or rollout.created_at)
    until = Markup(" until {}").format(moment(rollout.ended_at)) if rollout.ended_at else ""
    tense = "answers" if rollout.state.is_open else "answered"
    return Markup(
        "Release {} {} live questions in the shadow of {} since {}{}. No customer hears it. {}"
    ).format(page.candidate_number, tense, _rest(page), since, until, _cost(page))


def _reach(rollout: Rollout, phase: PlannedPhase) -> str:
    categories, whom = len(phase.categories), phase_in_words(phase, simulated=rollout.simulated)
    if phase.stage is Stage.FULL or not categories:
        return whom
    open_ones = categories - len(set(rollout.harmed_categories) & set(phase.categories))
    if open_ones == len(rollout.plan.categories):
        return whom
    return f"{whom} in {open_ones} of {len(rollout.plan.categories)} categories"


def _rest(page: RolloutPage) -> str:
    return baseline_in_words(page.rollout.baseline_kind, page.baseline_number)


def _evidence_so_far(page: RolloutPage) -> str:
    overall = [verdict for verdict in page.latest if verdict.category == ALL]
    if not any(verdict.n_baseline and verdict.n_candidate for verdict in overall):
        return "Nothing can be judged yet."
    safe = sum(verdict.finding is Finding.SAFE for verdict in overall)
    silent = sum(verdict.finding is Finding.NO_DATA for verdict in overall)
    harms = harms_of(page.latest)
    if harms:
        return as_sentence("; ".join(harm_in_words(harm, page.currency) for harm in harms))
    waiting = len(overall) - safe - silent
    parts = [f"{safe} of {len(overall)} triggers are found safe"]
    parts += [f"{waiting} need more evidence"] * bool(waiting)
    parts += [f"{silent} get no data"] * bool(silent)
    return as_sentence(f"No harm is found: {', '.join(parts)}")


def _why_rolled_back(page: RolloutPage) -> str:
    event = last_event(page, "rolled_back")
    by_itself = event is None or not event.actor.startswith(("account", "key"))
    harms = deciding_harms(page) or harms_of(page.latest)
    broke = event is not None and event.reason.startswith(_BREAKER)
    if harms and by_itself and not broke:
        return as_sentence("; ".join(harm_in_words(harm, page.currency) for harm in harms))
    return as_sentence((event.reason if event else None) or page.rollout.end_reason or "no reason was noted")


def _why_promoted(page: RolloutPage) -> str:
    judged = {point.verdict.kpi for point in page.points if point.verdict.category == ALL}
    if not judged:
        return ""
    return f"No harm beyond a margin was found in {len(judged)} triggers."


def _everybody(rollout: Rollout) -> str:
    whom = everybody_in_words(simulated=rollout.simulated)
    share = rollout.plan.holdout_share
    return f"{whom} but the {share * 100:g} % that are held out" if share else whom


def _so_far(page: RolloutPage) -> str:
    met = customers_met(page)
    if not met:
        return "No customer has met it."
    people = "1 customer" if met == 1 else f"{met:,} customers"
    if page.rollout.simulated:
        people = f"{met:,} invented customer{'' if met == 1 else 's'}"
    return f"{people} met it. {_cost(page)}"


def _cost(page: RolloutPage) -> str:
    if not page.cost_candidate:
        return "Its answers cost nothing."
    return f"Its answers cost {money(f'{page.cost_candidate:.6f}', page.currency)}."


def reason_in_words(event: RolloutEvent, currency: str) -> str:
    """Return why an event happened; harm that rolled something back by itself in its own units."""
    kept = event.evidence.get("verdicts", ())
    if _FOUND_HARMFUL in event.reason and isinstance(kept, list):
        harms = harms_of(map(read_verdict, kept))
        if harms:
            return as_sentence("; ".join(harm_in_words(harm, currency) for harm in harms))
    return as_sentence(event.reason)


def as_sentence(text: str) -> str:
    """Return a reason as a sentence that names KPIs by their titles."""
    text = with_titles(text.strip().removeprefix("breaker: "))
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}{'' if text[-1] in '.!?' else '.'}"
