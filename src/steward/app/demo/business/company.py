"""The company at work: reads, writes that happen once per idempotency key, and what became of a key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from steward.app.demo.business.books import Books
from steward.app.demo.business.journal import Journal
from steward.app.demo.business.records import SEED, read_seed
from steward.app.demo.business.routes import Route, Write
from steward.app.demo.business.writes import RefusedByCompany
from steward.base.clock import Clock
from steward.base.digests import sha256_hex


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status and a body."""

    status: int
    body: Mapping[str, Any]


class Company:
    """Books and journal together.

    A write runs from looking its key up to the disk without giving way, so two requests with one key
    can't overlap; the few milliseconds of waiting for the disk are the price.
    """

    def __init__(self, directory: Path, clock: Clock, *, seed: Path = SEED) -> None:
        """Open the journal and bring the books to where it ends.

        Raises:
            OSError: the directory can't be written.
            ValueError: the journal is damaged.
        """
        self._clock = clock
        self._journal = Journal(directory / "journal.jsonl")
        if not self._journal.entries:
            self._journal.append({"opened": self.today.isoformat()})
        opened = date.fromisoformat(self._journal.entries[0]["opened"])
        self.books = Books(read_seed(opened, seed))
        self._by_key: dict[str, Mapping[str, Any]] = {}
        self._working: set[str] = set()
        for entry in self.entries:
            self._remember(entry)

    @property
    def today(self) -> date:
        """The company's date."""
        return self._clock.now().date()

    @property
    def entries(self) -> list[Mapping[str, Any]]:
        """What happened or was refused, oldest first."""
        return self._journal.entries[1:]

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def read(self, route: Route, given: Mapping[str, Any]) -> Outcome:
        """Answer a read operation."""
        assert route.read is not None
        return Outcome(200, route.read(self.books, given, self.today))

    def arrived(self, key: str | None) -> None:
        """Note that a request with this key is being worked on."""
        if key is not None:
            self._working.add(key)

    def left(self, key: str | None) -> None:
        """Note that no request with this key is being worked on any more."""
        if key is not None:
            self._working.discard(key)

    def write(self, route: Route, given: Mapping[str, Any], *, key: str | None) -> Outcome:
        """Do a write once: the same key with the same request gets the same answer and no second effect."""
        assert route.write is not None
        digest = sha256_hex(json.dumps([route.operation, given], sort_keys=True).encode())
        if key is not None and (known := self._by_key.get(key)) is not None:
            if known["digest"] != digest:
                return _problem(422, "key_reused", "This idempotency key belongs to another request.")
            return Outcome(known["status"], known["answer"])
        entry = {
            "n": len(self.entries) + 1,
            "at": self._clock.now().isoformat(),
            "key": key,
            "digest": digest,
            "operation": route.operation,
            **self._decide(route.write, given),
        }
        if key is not None or entry["effect"] is not None:
            self._journal.append(entry)
            self._remember(entry)
        return Outcome(entry["status"], entry["answer"])

    def outcome_of(self, key: str) -> Outcome:
        """Tell what became of an idempotency key."""
        known = self._by_key.get(key)
        if known is None:
            status = "in_progress" if key in self._working else "none"
            return Outcome(200, {"found": False, "status": status})
        told = {"found": True, "operation": known["operation"], "at": known["at"]}
        if known["effect"] is not None:
            return Outcome(200, {**told, "status": "done", "result": known["answer"]})
        refusal = known["answer"]
        return Outcome(
            200,
            {
                **told,
                "status": "refused",
                "refused_status": known["status"],
                "code": refusal["code"],
                "detail": refusal["detail"],
            },
        )

    def _decide(self, write: Write, given: Mapping[str, Any]) -> dict[str, Any]:
        try:
            decision = write(self.books, given, self.today)
        except RefusedByCompany as refusal:
            problem = _problem(refusal.status, refusal.code, refusal.detail)
            return {"effect": None, "status": problem.status, "answer": problem.body}
        return {"effect": decision.effect, "status": 201, "answer": decision.answer}

    def _remember(self, entry: Mapping[str, Any]) -> None:
        if entry["effect"] is not None:
            self.books.apply(entry["effect"])
        if entry["key"] is not None:
            self._by_key[entry["key"]] = entry


def _problem(status: int, code: str, detail: str) -> Outcome:
    return Outcome(status, {"type": "about:blank", "status": status, "code": code, "detail": detail})
