"""Building what learns from traffic and may change it: rollouts, evaluations, figures, reviews."""

from __future__ import annotations

from dataclasses import dataclass

from steward.app.evaluating import open_evals
from steward.app.foundation import Foundation
from steward.improve.evals.service import Evals
from steward.improve.insight.live import Live
from steward.improve.insight.rollups import RollUps
from steward.improve.review.service import Reviews
from steward.improve.rollout.controller import Controller
from steward.improve.rollout.forecast import Forecasts
from steward.improve.rollout.results import Results
from steward.improve.rollout.service import Rollouts
from steward.improve.rollout.shadow import Shadowing
from steward.improve.rollout.shadow_results import ShadowResults
from steward.serve.turn.replay import Replays
from steward.supply.releases.traffic import TrafficControl


@dataclass(frozen=True, slots=True)
class Improvement:
    """The improve plane of one assistant."""

    rollouts: Rollouts
    evaluations: Evals
    controller: Controller
    forecasts: Forecasts
    results: Results
    shadowing: Shadowing
    shadow_results: ShadowResults
    roll_ups: RollUps
    live: Live
    reviews: Reviews


def build_improvement(foundation: Foundation, *, assistant: str, replays: Replays) -> Improvement:
    """Build it all; nothing runs yet."""
    database, clock = foundation.store.database, foundation.clock
    evaluations = open_evals(foundation)
    traffic = TrafficControl(clock)
    roll_ups = RollUps(database=database, clock=clock)
    return Improvement(
        rollouts=Rollouts(
            database=database,
            releases=foundation.releases,
            gates=evaluations,
            ledger=foundation.ledger,
            traffic=traffic,
            clock=clock,
            conditions=foundation.governing,
        ),
        evaluations=evaluations,
        controller=Controller(
            database=database,
            ledger=foundation.ledger,
            traffic=traffic,
            clock=clock,
            assistant=assistant,
            url=foundation.store.app_url,
            conditions=foundation.governing,
        ),
        forecasts=Forecasts(database=database, releases=foundation.releases, clock=clock),
        results=Results(database=database, clock=clock),
        shadowing=Shadowing(database=database, clock=clock, replays=replays),
        shadow_results=ShadowResults(database=database),
        roll_ups=roll_ups,
        live=Live(database=database, clock=clock, roll_ups=roll_ups),
        reviews=Reviews(database=database, clock=clock),
    )
