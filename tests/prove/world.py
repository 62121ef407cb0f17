"""One installation for a campaign: a directory with a Steward, the company's system and a simulated model.

It can be opened again after an interruption: ports, folder and data are those of the first time.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from tests.prove.client import Client
from tests.prove.company import write_customers
from tests.prove.processes import Process, company_process, free_port, model_process, steward_process

from steward.base.db.embedded import DATABASE, OWNER_ROLE
from steward.base.db.files import prepare_files
from steward.supply.assistant.initialise import initialise

ASSISTANT = "northline"
MODEL_KEY = "sk-simulated"


class World:
    """The processes and how to reach them."""

    def __init__(self, directory: Path, ports: Mapping[str, int]) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.folder = directory / ASSISTANT
        self.company = company_process(directory, port=ports["company"])
        self.model = model_process(directory, port=ports["model"])
        self.environment = {
            "STEWARD_SYSTEM_BILLING_URL": self.company.url,
            "STEWARD_SYSTEM_SERVICE_URL": self.company.url,
            "OPENAI_API_KEY": MODEL_KEY,
        }
        self.steward = steward_process(["up", str(self.folder)], directory, self.environment)

    def second(self) -> Process:
        """Return another Steward on the same data."""
        return steward_process(["serve", ASSISTANT], self.directory, self.environment)

    def client(self, steward: Process | None = None) -> Client:
        """Return a client with the installation's key."""
        return Client((steward or self.steward).url, str(self.access()["key"]))

    def access(self) -> Mapping[str, str]:
        """Return the keys and the login that the first start made."""
        kept: Mapping[str, str] = json.loads((self.data / "local-access.json").read_text(encoding="utf-8"))
        return kept

    async def agent(self, client: Client, steward: Process | None = None) -> Client:
        """Return a signed-in member of staff whose stamps compare with a client's."""
        access = self.access()
        staff = Client((steward or self.steward).url, rounds=client.rounds)
        await staff.sign_in(access["login"], access["password"])
        return staff

    async def faults(self, *faults: Mapping[str, Any]) -> None:
        """Give the company's system these faults and no others."""
        system = Client(self.company.url)
        await system.call("DELETE", "/faults")
        if faults:
            await system.call("POST", "/faults", list(faults))

    async def pace(self, *, token_ms: float) -> None:
        """Let the simulated model take so long for each token, and answer well."""
        await Client(self.model.url).call("POST", "/simulate", {"token_ms": token_ms, "error_rate": 0})

    async def refunds(self) -> list[str]:
        """Return the payments refunded so far, one entry for each time money moved."""
        entries = (await Client(self.company.url).call("GET", "/journal")).json()["entries"]
        effects = [entry["effect"] for entry in entries if entry["effect"]]
        return [str(effect["payment"]) for effect in effects if effect["kind"] == "refund"]

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Run a query on the embedded database without keeping it alive."""
        with psycopg.connect(self.database_url()) as connection:
            return connection.execute(query.encode()).fetchall()

    def database_url(self, role: str = OWNER_ROLE) -> str:
        """Return the URL of the schema's owner, or of another role."""
        files = prepare_files(self.data)
        secret = json.loads((self.data / "postgres" / "passwords.json").read_text())[role]
        return f"postgresql://{role}:{secret}@/{DATABASE}?host={quote(str(files.run), safe='')}"


@asynccontextmanager
async def open_world(directory: Path, *, customers: int) -> AsyncIterator[World]:
    """Start everything that a campaign needs and stop it at the end; the directory stays."""
    world = World(directory, await asyncio.to_thread(_prepare, directory, customers))
    started: list[Process] = []
    try:
        for process in (world.company, world.model, world.steward):
            started.append(process)
            process.start()
        for process in started:
            await process.ready()
        yield world
    finally:
        _stop(reversed(started))


def _stop(processes: Iterable[Process]) -> None:
    for process in processes:
        process.stop()


def _prepare(directory: Path, customers: int) -> Mapping[str, int]:
    """Return the ports of this directory; the first time, make customers and the assistant folder too."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o755)
    kept = directory / "ports.json"
    if kept.exists():
        known: Mapping[str, int] = json.loads(kept.read_text())
        return known
    ports = {"company": free_port(), "model": free_port()}
    write_customers(directory, customers)
    initialise(directory / ASSISTANT, ASSISTANT)
    path = directory / ASSISTANT / "assistant.yaml"
    text = path.read_text(encoding="utf-8")
    named = "    model: gpt-4.1-mini\n"
    if named not in text:
        raise AssertionError("the sample's model isn't where this campaign looks for it")
    here = f"{named}    url: http://127.0.0.1:{ports['model']}/v1\n"
    path.write_text(text.replace(named, here), encoding="utf-8")
    kept.write_text(json.dumps(ports))
    return ports
