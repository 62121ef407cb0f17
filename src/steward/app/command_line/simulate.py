"""`steward simulate`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[Path | None, Parameter(name="--data-dir", help="Where the local key and folder are.")]


def simulate(
    folder: Path | None = None,
    *,
    url: str | None = None,
    key: str | None = None,
    customers: int | None = None,
    conversations: int | None = None,
    per_second: float = 2.0,
    duration: float | None = None,
    seed: int = 1,
    day: float | None = None,
    returns: float = 2.5,
    survey_share: float = 0.2,
    survey_delay: float = 0.0,
    think: float = 0.0,
    at_once: int = 200,
    may_act: bool = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Let simulated customers talk to a running assistant. Exits 1 when the server failed.

    Their conversations are marked as simulated and never count in real figures.

    Args:
        folder: the assistant folder that their matters come from; the demo's, or the sample's, unless given.
        url: where the assistant is; this machine's unless given.
        key: a key that may simulate traffic; the local one unless given.
        customers: how many customers there are at most.
        conversations: stop after so many; 100 unless this or --duration is given.
        per_second: how many conversations begin in a second.
        duration: stop after so many seconds.
        seed: the same seed gives the same customers and words.
        day: let a day pass in so many seconds, with its quiet and its busy hours.
        returns: how many conversations a customer has in the mean.
        survey_share: share of customers who answer the survey.
        survey_delay: longest time in seconds from a conversation's end to the survey's answer.
        think: longest time in seconds that a customer takes to write a message.
        at_once: how many conversations are under way at most.
        may_act: let them confirm actions; only where the systems behind the assistant are for tests.
        json: print JSON.
        data_dir: where the local key and folder are.
    """
    from steward.app.commands.simulate import Asked, run_simulate

    asked = Asked(
        folder=folder,
        url=url,
        key=key,
        customers=customers,
        conversations=conversations,
        per_second=per_second,
        duration_s=duration,
        seed=seed,
        day_s=day,
        returns=returns,
        survey_share=survey_share,
        survey_delay_s=survey_delay,
        think_s=think,
        at_once=at_once,
        may_act=may_act,
    )
    return run_simulate(asked, as_json=json, data_dir=data_dir)
