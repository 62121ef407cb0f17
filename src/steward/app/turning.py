"""Building what answers messages: the same for live turns and for those of an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.vault import Vault
from steward.serve.conversations.following import Followers
from steward.serve.conversations.service import Conversations
from steward.serve.turn.act import Acting
from steward.serve.turn.answering import Answerer
from steward.serve.turn.closing import Closing
from steward.serve.turn.elsewhere import Elsewhere
from steward.serve.turn.pipeline import Pipeline
from steward.serve.turn.placing import Placing
from steward.serve.turn.runtime import Runtimes
from steward.serve.turn.service import Turns
from steward.serve.turn.settling import Settling
from steward.serve.turn.silencing import Silencing
from steward.serve.turn.telemetry import TurnTelemetry
from steward.serve.workflows.actions import Actions
from steward.serve.workflows.approvals import Approvals
from steward.serve.workflows.contracts import Liveness
from steward.serve.workflows.engine import Engine
from steward.serve.workflows.runs import Runs
from steward.supply.releases.traffic import TrafficControl


@dataclass(frozen=True, slots=True)
class Ground:
    """What turns stand on: a store, whose keys, which ledger, and how releases come and effects leave."""

    database: Database
    vault: Vault
    clock: Clock
    ledger: Ledger
    liveness: Liveness
    runtimes: Runtimes
    traffic: TrafficControl
    telemetry: TurnTelemetry
    actions: Callable[..., Actions] = Actions


@dataclass(frozen=True, slots=True)
class Turning:
    """Everything between a message and its answer."""

    conversations: Conversations
    followers: Followers
    runs: Runs
    engine: Engine
    approvals: Approvals
    silencing: Silencing
    placing: Placing
    turns: Turns


def build_turning(ground: Ground, *, assistant: str) -> Turning:
    """Build the services of turns once."""
    database, vault, clock = ground.database, ground.vault, ground.clock
    followers = Followers()
    conversations = Conversations(
        database=database, vault=vault, clock=clock, openings=ground.runtimes, followers=followers
    )
    runs = Runs(vault=vault, clock=clock)
    actions = ground.actions(
        database=database, vault=vault, ledger=ground.ledger, clock=clock, liveness=ground.liveness
    )
    engine = Engine(actions=actions, clock=clock)
    approvals = Approvals(database=database, vault=vault, ledger=ground.ledger, clock=clock)
    silencing = Silencing(database=database, liveness=ground.liveness, clock=clock)
    placing = Placing(database=database, traffic=ground.traffic, clock=clock, assistant=assistant)
    turns = Turns(
        database=database,
        vault=vault,
        clock=clock,
        conversations=conversations,
        runtimes=ground.runtimes,
        runs=runs,
        pipeline=Pipeline(
            database=database,
            vault=vault,
            clock=clock,
            acting=Acting(engine=engine, database=database, vault=vault),
            answerer=Answerer(clock),
            closing=Closing(database=database, vault=vault, clock=clock, runs=runs, approvals=approvals),
            settling=Settling(placing=placing, runtimes=ground.runtimes),
            elsewhere=Elsewhere(ground.runtimes, database=database, vault=vault),
        ),
        liveness=ground.liveness,
        silencing=silencing,
        placing=placing,
        telemetry=ground.telemetry,
        assistant=assistant,
    )
    return Turning(conversations, followers, runs, engine, approvals, silencing, placing, turns)
