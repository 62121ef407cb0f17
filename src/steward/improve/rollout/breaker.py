"""The breaker: stops a candidate whose turns fail, at once and apart from statistics."""

from __future__ import annotations

from collections.abc import Sequence

from steward.improve.rollout.contracts import BreakerPlan


def tripped(outcomes: Sequence[bool], plan: BreakerPlan) -> str | None:
    """Return why a candidate must stop, in words, or None.

    Args:
        outcomes: the candidate's latest turns, oldest first; true where a turn failed. Passing the turns
            since the last check and `window_turns` before them misses nothing.
        plan: how much is too much.
    """
    run = _longest_run(outcomes)
    if run >= plan.consecutive_failures:
        return f"{run} turns in a row failed; {plan.consecutive_failures} are too many"
    failures = _most_failures(outcomes, plan.window_turns)
    if failures and failures >= plan.failure_share * plan.window_turns:
        return (
            f"{failures} of {min(len(outcomes), plan.window_turns)} turns failed; "
            f"{plan.failure_share:.0%} of {plan.window_turns} are too many"
        )
    return None


def _longest_run(outcomes: Sequence[bool]) -> int:
    longest = current = 0
    for failed in outcomes:
        current = current + 1 if failed else 0
        longest = max(longest, current)
    return longest


def _most_failures(outcomes: Sequence[bool], window: int) -> int:
    most = current = 0
    for place, failed in enumerate(outcomes):
        current += failed - (outcomes[place - window] if place >= window else 0)
        most = max(most, current)
    return most
