"""`steward rollout`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]
Id = Annotated[
    str | None,
    Parameter(help="The rollout's id or its beginning; the one that is open where only one is."),
]
Reason = Annotated[str, Parameter(help="Why, for the timeline and the ledger.")]
Flag = Parameter(negative="")

rollout = App(name="rollout", help="Move traffic to a release by evidence, and back.")


@rollout.command
def start(
    release: str,
    *,
    reason: Reason,
    against: str | None = None,
    experiment: Annotated[bool, Flag] = False,
    shadow: Annotated[bool, Flag] = False,
    simulated: Annotated[bool, Flag] = False,
    without_gate: Annotated[bool, Parameter(name="--without-gate", negative="")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Begin to move traffic to a release. Runs the evaluation first where it hasn't been run.

    Exits 1 when the evaluation isn't passed.

    Args:
        release: the candidate: its id, the beginning of it, its number or a label.
        reason: why.
        against: the release to compare with; by default the one that is served.
        experiment: compare half with half, and promote nothing (A/B).
        shadow: let it answer live questions without being heard.
        simulated: on the lane of simulated customers; nobody real takes part.
        without_gate: go on without a passed evaluation; the ledger says so.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.rollout import Wanted, run_start

    wanted = Wanted(release, against, experiment, shadow, simulated, without_gate, reason)
    return run_start(wanted, as_json=json, data_dir=data_dir)


@rollout.command
def status(id: Id = None, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Show where a rollout stands, what each measure says, and what happened when and why.

    Args:
        id: the rollout.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.rollout import run_status

    return run_status(id, as_json=json, data_dir=data_dir)


@rollout.command(name="list")
def list_rollouts(*, limit: int = 20, json: Json = False, data_dir: DataDir = None) -> int:
    """List rollouts, the newest first.

    Args:
        limit: how many at most.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_list

    return run_list(limit=limit, as_json=json, data_dir=data_dir)


@rollout.command
def advance(id: Id = None, *, reason: Reason, json: Json = False, data_dir: DataDir = None) -> int:
    """Go on to the next phase without waiting for its minimums; conclude an experiment or a shadow.

    Harm, a hold and a missing agreement stop it all the same, and only what is known to be safe is promoted.

    Args:
        id: the rollout.
        reason: why.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_advance

    return run_advance(id, reason=reason, as_json=json, data_dir=data_dir)


@rollout.command
def pause(id: Id = None, *, reason: Reason, json: Json = False, data_dir: DataDir = None) -> int:
    """Assign nobody new; conversations that are on the candidate go on there.

    Args:
        id: the rollout.
        reason: why.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_pause

    return run_pause(id, reason=reason, as_json=json, data_dir=data_dir)


@rollout.command
def resume(id: Id = None, *, reason: Reason, json: Json = False, data_dir: DataDir = None) -> int:
    """Go on after a pause or a hold.

    Args:
        id: the rollout.
        reason: why.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_resume

    return run_resume(id, reason=reason, as_json=json, data_dir=data_dir)


@rollout.command
def rollback(
    id: Id = None,
    *,
    reason: Reason,
    category: str | None = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Take the candidate away from everybody at once, or in one category.

    Args:
        id: the rollout.
        reason: why.
        category: only there.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_rollback

    return run_rollback(id, reason=reason, category=category, as_json=json, data_dir=data_dir)


@rollout.command
def abort(id: Id = None, *, reason: Reason, json: Json = False, data_dir: DataDir = None) -> int:
    """End it without a judgement; the baseline answers everybody.

    Args:
        id: the rollout.
        reason: why.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_abort

    return run_abort(id, reason=reason, as_json=json, data_dir=data_dir)


@rollout.command
def approve(
    id: Id = None,
    *,
    reason: Reason,
    deny: Annotated[bool, Flag] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Agree to the phase that waits for it, as whoever runs this machine.

    Args:
        id: the rollout.
        reason: why.
        deny: don't agree: the rollout pauses, or ends where it hasn't begun.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_approve

    return run_approve(id, reason=reason, deny=deny, as_json=json, data_dir=data_dir)


@rollout.command
def drill(
    *,
    url: str | None = None,
    key: str | None = None,
    per_second: float = 5.0,
    limit: float = 600.0,
    seed: int = 1,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Rehearse a roll-back: a bad candidate, simulated customers, and what became of it, with times.

    The assistant has to be running. Nobody real takes part. Exits 1 when it wasn't rolled back.

    Args:
        url: where the assistant is; this machine's unless given.
        key: a key that may simulate traffic; the local one unless given.
        per_second: conversations begun a second.
        limit: seconds after which it is given up.
        seed: of the customers.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.drill import Drill, run_drill

    return run_drill(Drill(url, key, per_second, limit, seed), as_json=json, data_dir=data_dir)


@rollout.command
def verify(id: Id = None, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Compute every decision again from what the ledger kept. Exits 1 when one doesn't follow.

    Args:
        id: the rollout; the newest unless given.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.steering import run_verify

    return run_verify(id, as_json=json, data_dir=data_dir)
