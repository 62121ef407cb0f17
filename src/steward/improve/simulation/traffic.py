"""Simulated traffic: customers come at their pace, talk, rate and leave, until there were enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx2 as httpx

from steward.improve.simulation.customers import Visit
from steward.improve.simulation.pace import Arrival, Pace, arrivals
from steward.improve.simulation.personas import Population
from steward.improve.simulation.surveys import SurveyModel
from steward.improve.simulation.talking import ServerFailed, Talk, TurnedAway
from steward.improve.simulation.tally import Tally

PROGRESS_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Load:
    """How much traffic. It ends after `conversations` or `duration_s`, whichever comes first.

    `at_once` bounds the conversations under way: beyond it customers wait at the door, so a slow server
    sees fewer. `think_s` is how long a customer takes to write a message, at least and at most.
    """

    pace: Pace
    conversations: int | None = None
    duration_s: float | None = None
    customers: int | None = None
    at_once: int = 200
    think_s: tuple[float, float] = (0.0, 0.0)
    first_customer: int = 0


class Traffic:
    """One run of simulated customers against a server."""

    def __init__(
        self, client: httpx.AsyncClient, population: Population, *, survey: SurveyModel | None = None
    ) -> None:
        """Take a client (`talking.new_client`) whose key may simulate traffic."""
        self.tally = Tally()
        self._client = client
        self._population = population
        self._survey = survey or SurveyModel()

    async def run(
        self,
        load: Load,
        *,
        stop: asyncio.Event | None = None,
        progress: Callable[[Tally], None] | None = None,
    ) -> Tally:
        """Drive traffic until it's enough or `stop` is set; conversations under way are finished."""
        stop = stop or asyncio.Event()
        doors = asyncio.Semaphore(load.at_once)
        reporting = asyncio.create_task(self._report(progress)) if progress else None
        try:
            async with asyncio.TaskGroup() as group:
                begun = time.perf_counter()
                coming = arrivals(
                    self._population,
                    load.pace,
                    most_customers=load.customers,
                    first_customer=load.first_customer,
                )
                for arrival in coming:
                    if load.conversations is not None and self.tally.started >= load.conversations:
                        break
                    if load.duration_s is not None and arrival.at_s >= load.duration_s:
                        break
                    if await _stopped(stop, begun + arrival.at_s - time.perf_counter()):
                        break
                    await doors.acquire()
                    if load.duration_s is not None and time.perf_counter() - begun >= load.duration_s:
                        break
                    self.tally.started += 1
                    self.tally.customers.add(arrival.customer)
                    group.create_task(self._visit(arrival, load, stop)).add_done_callback(
                        lambda _: doors.release()
                    )
        finally:
            if reporting is not None:
                reporting.cancel()
        return self.tally

    async def _visit(self, arrival: Arrival, load: Load, stop: asyncio.Event) -> None:
        persona = self._population.customer(arrival.customer)
        visit = Visit(self._population, persona, arrival.visit, glad_wait_s=self._survey.glad_wait_s)
        try:
            talk = await Talk.start(self._client, self.tally, reference=persona.reference)
            await self._talk(talk, visit, load)
            await self._leave(talk, visit, stop)
            self.tally.finished += 1
        except TurnedAway:
            self.tally.turned_away += 1
        except ServerFailed:
            self.tally.endings["failed"] += 1

    async def _talk(self, talk: Talk, visit: Visit, load: Load) -> None:
        words: str | None = visit.opening()
        while words is not None:
            await asyncio.sleep(visit.chance.uniform(*load.think_s))
            answer = await talk.say(words)
            self.tally.outcomes[answer.heard.outcome] += 1
            self.tally.arms[answer.arm] += 1
            self.tally.total_ms.append(answer.total_ms)
            if answer.first_words_ms is not None:
                self.tally.first_words_ms.append(answer.first_words_ms)
            words = visit.hear(answer.heard)
            if (thumb := visit.thumb()) is not None:
                await talk.thumb(answer.turn_id, thumb)
                self.tally.thumbs[thumb] += 1

    async def _leave(self, talk: Talk, visit: Visit, stop: asyncio.Event) -> None:
        farewell = visit.farewell()
        self.tally.endings[farewell.experience.ended.value] += 1
        if farewell.closes:
            await talk.close(resolved=farewell.resolved)
        latent = self._survey.latent(farewell.experience, mood=visit.persona.mood, chance=visit.chance)
        if not self._survey.answers(latent, visit.chance):
            return
        if not await _stopped(stop, self._survey.delay_s(visit.chance)):
            score = self._survey.score(latent)
            await talk.rate(score)
            self.tally.scores.append(score)

    async def _report(self, progress: Callable[[Tally], None]) -> None:
        while True:
            await asyncio.sleep(PROGRESS_EVERY_S)
            progress(self.tally)


async def _stopped(stop: asyncio.Event, wait_s: float) -> bool:
    """Wait so long, or until told to stop; tell whether that was so."""
    if stop.is_set() or wait_s <= 0:
        return stop.is_set()
    try:
        await asyncio.wait_for(stop.wait(), wait_s)
    except TimeoutError:
        return False
    return True
