"""Rollouts that stand still and note what they are asked to do, for tests of pages and calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from steward.improve.evals.contracts import GateResult
from steward.improve.rollout.contracts import Rollout, RolloutPage
from steward.improve.rollout.errors import NoSuchRollout
from steward.supply.releases.contracts import ReleaseLine


class StandingRollouts:
    """Shows given pages; `asked` holds what was called, with what."""

    def __init__(self, *pages: RolloutPage) -> None:
        self.pages = {page.rollout.id: page for page in pages}
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def start(self, **values: Any) -> Rollout:
        """Note it and return the first."""
        self.asked.append(("start", values))
        return next(iter(self.pages.values())).rollout

    async def get(self, rollout_id: UUID, /) -> Rollout:
        """Return one."""
        return (await self.page(rollout_id)).rollout

    async def recent(self, *, simulated: bool | None = None, **_: Any) -> tuple[Rollout, ...]:
        """Return those of a lane."""
        found = tuple(page.rollout for page in self.pages.values())
        return tuple(rollout for rollout in found if simulated in (None, rollout.simulated))

    async def page(self, rollout_id: UUID, /) -> RolloutPage:
        """Return everything about one."""
        for known, page in self.pages.items():
            if known == rollout_id:
                return page
        raise NoSuchRollout(rollout_id)

    async def advance(self, rollout_id: UUID, /, **values: Any) -> None:
        """Note it."""
        self.asked.append(("advance", values))

    async def pause(self, rollout_id: UUID, /, **values: Any) -> None:
        """Note it."""
        self.asked.append(("pause", values))

    async def resume(self, rollout_id: UUID, /, **values: Any) -> None:
        """Note it."""
        self.asked.append(("resume", values))

    async def abort(self, rollout_id: UUID, /, **values: Any) -> None:
        """Note it."""
        self.asked.append(("abort", values))

    async def roll_back(self, rollout_id: UUID, /, **values: Any) -> None:
        """Note it."""
        self.asked.append(("roll_back", values))

    async def approve(self, rollout_id: UUID, /, **values: Any) -> None:
        """Note it."""
        self.asked.append(("approve", values))


class StandingEvaluations:
    """Shows given answers of the gate."""

    def __init__(self, *results: GateResult) -> None:
        self.results = results

    async def gate(self, candidate: str, baseline: str, /) -> GateResult | None:
        """Return the answer about two releases."""
        return next(
            (item for item in self.results if (item.candidate, item.baseline) == (candidate, baseline)), None
        )

    async def recent(self, **_: Any) -> Sequence[GateResult]:
        """Return all answers."""
        return self.results


class StandingReleases:
    """Lists given releases."""

    def __init__(self, *lines: ReleaseLine) -> None:
        self.lines = lines

    async def recent(self, **_: Any) -> tuple[ReleaseLine, ...]:
        """Return all."""
        return self.lines
