"""Looking on from outside while a rollout is decided: its row, the database, and who leads."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import psycopg
from tests.prove.processes import Process
from tests.prove.world import World

LEADS: Final = " leads "
"""What a replica writes to its log when it becomes the one that decides."""


class Watch(threading.Thread):
    """Looks at the rollout's row again and again, on a connection of its own, and notes when it ended."""

    EVERY_S = 0.01

    def __init__(self, url: str, rollout_id: UUID) -> None:
        super().__init__(daemon=True)
        self._url = url
        self._rollout_id = rollout_id
        self._stopping = threading.Event()
        self.ended_at: float | None = None

    def run(self) -> None:
        """Look until it has ended; a database that is away is waited for."""
        while not self._stopping.is_set() and self.ended_at is None:
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    self._follow(connection)
            except psycopg.OperationalError:
                time.sleep(0.1)

    def stop(self) -> None:
        """Look no longer."""
        self._stopping.set()
        self.join()

    def _follow(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        while not self._stopping.is_set():
            row = connection.execute(
                "select ended_at from rollout where id = %s", (self._rollout_id,)
            ).fetchone()
            if row is not None and row[0] is not None:
                self.ended_at = time.time()
                return
            time.sleep(self.EVERY_S)


async def until(true: Callable[[], bool], *, within_s: float, every_s: float = 0.05) -> bool:
    """Wait until something holds; tells whether it did in time."""
    limit = time.monotonic() + within_s
    while time.monotonic() < limit:
        if await asyncio.to_thread(true):
            return True
        await asyncio.sleep(every_s)
    return False


def answers(world: World) -> bool:
    """Tell whether the database can be asked."""
    try:
        return bool(world.rows("select 1"))
    except psycopg.OperationalError:
        return False


def leads(process: Process) -> int:
    """Return how often a replica has become the one that decides."""
    return sum(LEADS in line for line in process.log.read_text(errors="replace").splitlines())


def leader_of(replicas: Sequence[Process]) -> Process:
    """Return the replica that became the deciding one last."""

    def latest(process: Process) -> str:
        lines = process.log.read_text(errors="replace").splitlines()
        return max((line[:40] for line in lines if LEADS in line), default="")

    return max(replicas, key=latest)
