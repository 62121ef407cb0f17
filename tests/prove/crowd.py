"""Simulated customers, and a few real ones, who talk to two Stewards on the same data at once."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2 as httpx

from steward.app.sample_customers import facts_of
from steward.improve.simulation.pace import Pace
from steward.improve.simulation.personas import Habits, Population
from steward.improve.simulation.surveys import SurveyModel
from steward.improve.simulation.tally import Tally
from steward.improve.simulation.traffic import Load, Traffic
from steward.supply.assistant.folder import Folder

PATIENCE_S: Final = 90.0
"""How long a client goes on trying where no server answers, or the database is away."""
AGAIN_S: Final = 0.2
ANSWER_WITHIN_S: Final = 120.0
AT_ONCE: Final = 60
REAL_EVERY_S: Final = 2.0
REAL_QUESTION: Final = "What does my bill include?"


class FailOver(httpx.AsyncBaseTransport):
    """Sends requests to several servers in turn, as a load balancer does; one that is down is passed over."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = [httpx.URL(url) for url in urls]
        self._turns = itertools.count()
        limits = httpx.Limits(max_connections=4 * AT_ONCE, max_keepalive_connections=4 * AT_ONCE)
        self._inner = httpx.AsyncHTTPTransport(limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send it to the next server; wait and try again where none can answer now."""
        until = time.monotonic() + PATIENCE_S
        while True:
            url = self._urls[next(self._turns) % len(self._urls)]
            request.url = request.url.copy_with(host=url.host, port=url.port)
            request.headers["host"] = url.netloc.decode()
            try:
                response = await self._inner.handle_async_request(request)
            except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.WriteError):
                if time.monotonic() > until:
                    raise
            else:
                if response.status_code != 503 or time.monotonic() > until:
                    return response
                await response.aclose()
            await asyncio.sleep(AGAIN_S)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()


@dataclass(slots=True)
class Crowd:
    """Traffic that goes on until it's stopped."""

    urls: Sequence[str]
    key: str
    folder: Folder
    seed: int
    per_second: float
    first_customer: int = 0
    answer_share: float = 0.6
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    tally: Tally = field(default_factory=Tally)
    real: list[dict[str, Any]] = field(default_factory=list)

    def client(self) -> httpx.AsyncClient:
        """Return a client of all servers."""
        return httpx.AsyncClient(
            base_url=self.urls[0],
            headers={"Authorization": f"Bearer {self.key}"},
            timeout=httpx.Timeout(ANSWER_WITHIN_S),
            transport=FailOver(self.urls),
        )

    async def run(self, *, limit_s: float) -> None:
        """Let invented customers come, and a real one now and then."""
        population = Population(
            self.folder, seed=self.seed, habits=Habits(conversations=1.25), facts=facts_of(self.folder)
        )
        load = Load(
            Pace(self.per_second),
            duration_s=limit_s,
            at_once=AT_ONCE,
            think_s=(0.05, 0.3),
            first_customer=self.first_customer,
        )
        async with self.client() as client:
            survey = SurveyModel(answer_share=self.answer_share)
            traffic = Traffic(client, population, survey=survey)
            self.tally = traffic.tally
            asking = asyncio.create_task(self._ask_for_real(client))
            try:
                await traffic.run(load, stop=self.stop)
            finally:
                self.stop.set()
                await asking

    async def _ask_for_real(self, client: httpx.AsyncClient) -> None:
        while not self.stop.is_set():
            started = await client.post("/v1/conversations", json={"channel": "web"})
            path = f"/v1/conversations/{started.json()['id']}/messages"
            for attempt in range(3):
                try:
                    answer = await client.post(path, json={"text": REAL_QUESTION, "key": "question"})
                except httpx.TransportError:
                    if attempt == 2:
                        raise
                    continue
                self.real.append({"status": answer.status_code, **answer.json()})
                break
            await asyncio.sleep(REAL_EVERY_S)
