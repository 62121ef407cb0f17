"""What was done, by whom: the ledger, with the proof of each entry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from steward.base.errors import InvalidInput, NotFound
from steward.base.ids import new_id
from steward.edge.console.entry import page, show
from steward.edge.console.people import People
from steward.edge.contracts import Services
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import record_id_of
from steward.govern.access.permissions import Permission
from steward.govern.ledger.contracts import Entry, Row
from steward.govern.ledger.deeds import sentence_of
from steward.govern.ledger.proofs import (
    NotProvableYet,
    Proof,
    export,
    fault_of_proof,
    proof_json,
    proof_of,
)
from steward.govern.retention.contracts import ExportLine
from steward.govern.retention.exporting import note_export

router = APIRouter(prefix="/console", include_in_schema=False)
ON_A_PAGE: Final = 50
_MOST_TEXT: Final = 200


@dataclass(frozen=True, slots=True)
class Filter:
    """What of the ledger somebody wants to see; empty texts leave things open."""

    actor: str = ""
    deed: str = ""
    subject: str = ""
    since: str = ""
    until: str = ""

    @classmethod
    def of(cls, request: Request) -> Filter:
        """Read it from a page's address."""
        given = request.query_params
        return cls(
            *(
                given.get(name, "").strip()[:_MOST_TEXT]
                for name in ("actor", "deed", "subject", "since", "until")
            )
        )

    @property
    def query(self) -> str:
        """The same as part of an address."""
        values = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name)}
        return urlencode(values)

    def parameters(self) -> dict[str, Any]:
        """Return what the ledger is asked with; the last day counts whole."""
        until = _day(self.until)
        return {
            "actor": self.actor or None,
            "deed": self.deed or None,
            "subject": self.subject or None,
            "since": _day(self.since),
            "until": until + timedelta(days=1) if until else None,
        }


@router.get("/ledger")
@page(Permission.LEDGER_READ)
async def ledger(request: Request, before: str = "") -> Response:
    """Show entries, newest first, by who, deed, subject and period."""
    services, chosen = services_of(request), Filter.of(request)
    place = record_id_of(before, "entry") if before else None
    key = await services.ledger_signer.public_key()
    async with services.database.read() as session:
        fault = await services.ledger.fault_of_unsigned(session, public_key=key)
        rows = await services.ledger.recent(session, limit=ON_A_PAGE + 1, before=place, **chosen.parameters())
        state = await services.ledger.state(session)
        deeds = await services.ledger.deeds(session)
    people = await People.of(services)
    return await show(
        request,
        "ledger.html",
        page="ledger",
        title="Ledger",
        rows=rows[:ON_A_PAGE],
        more=len(rows) > ON_A_PAGE,
        state=state,
        fault=fault,
        tail_age=_age(state.tail.oldest_at, services.clock.now()),
        chosen=chosen,
        deeds=_with_nouns(deeds),
        actors=_actors(people, rows, chosen),
        person=people.name,
        sentence_of=sentence_of,
    )


@router.get("/ledger/verify")
@page(Permission.LEDGER_READ)
async def verify(request: Request) -> Response:
    """Walk the whole chain and say whether it's intact."""
    services = services_of(request)
    key = await services.ledger_signer.public_key()
    async with services.database.read() as session:
        verdict = await services.ledger.verify(session, public_key=key)
    return await show(request, "_verdict.html", page="ledger", title="Ledger", verdict=verdict)


@router.get("/ledger/export")
@page(Permission.LEDGER_READ)
async def take_out(request: Request) -> Response:
    """Hand out a period of the chain as a file that proves itself; that somebody did is an entry itself."""
    services, chosen = services_of(request), Filter.of(request)
    span = chosen.parameters()
    actor = caller_of(request).account.actor
    details = {"since": chosen.since or None, "until": chosen.until or None}
    async with services.database.write() as session:
        await services.ledger.append(session, Entry(actor, "ledger.exported", "ledger:all", details))
    return _download(
        StreamingResponse(
            _lines(services, span["since"], span["until"], actor=actor), media_type="application/x-ndjson"
        ),
        f"ledger-{services.clock.now():%Y-%m-%d}.jsonl",
    )


@router.get("/ledger/{entry_id}")
@page(Permission.LEDGER_READ)
async def entry(request: Request, entry_id: str) -> Response:
    """Show one entry in words with its place in the chain and its proof."""
    services, wanted = services_of(request), record_id_of(entry_id, "entry")
    async with services.database.read() as session:
        row = await services.ledger.find(session, wanted)
    if row is None:
        raise NotFound("There is no such entry in the ledger.")
    proof = await _proof(services, wanted)
    fault = fault_of_proof(proof, public_key=await services.ledger_signer.public_key()) if proof else None
    return await show(
        request,
        "ledger_entry.html",
        page="ledger",
        title="Ledger entry",
        row=row,
        details=_in_words(row.details),
        proof=proof,
        fault=fault,
        person=(await People.of(services)).name,
        sentence=sentence_of(row.deed),
    )


@router.get("/ledger/{entry_id}/proof")
@page(Permission.LEDGER_READ)
async def proof(request: Request, entry_id: str) -> Response:
    """Hand out an entry's proof as a file that anybody can check."""
    services, wanted = services_of(request), record_id_of(entry_id, "entry")
    async with services.database.read() as session:
        found = await proof_of(session, wanted)
    text = json.dumps(proof_json(found), ensure_ascii=False) + "\n"
    return _download(
        Response(text, media_type="application/json"), f"ledger-proof-{found.link.position}.json"
    )


async def _proof(services: Services, entry: UUID) -> Proof | None:
    try:
        async with services.database.read() as session:
            return await proof_of(session, entry)
    except NotProvableYet:
        return None


async def _lines(
    services: Services, since: datetime | None, until: datetime | None, *, actor: str
) -> AsyncIterator[bytes]:
    """Yield an export's lines; once the last is out, the file is listed among what left the house."""
    digest, count = hashlib.sha256(), 0
    async with services.database.read() as session:
        async for line in export(
            session, signer=services.ledger_signer, clock=services.clock, since=since, until=until
        ):
            content = json.dumps(line, ensure_ascii=False).encode() + b"\n"
            digest.update(content)
            count += 1
            yield content
    clock = services.clock
    made = ExportLine(new_id(clock), "ledger", None, clock.now(), actor, count, digest.digest())
    async with services.database.write() as session:
        await note_export(session, made)


def _download(response: Response, name: str) -> Response:
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise InvalidInput("A day has to be written as 2026-03-01.") from None
    if day.year == MAXYEAR:
        raise InvalidInput(f"A day has to lie before the year {MAXYEAR}.")
    return day


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())


def _with_nouns(deeds: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Group deeds by their noun."""
    nouns = sorted({deed.partition(".")[0] for deed in deeds})
    return tuple((noun, tuple(deed for deed in deeds if deed.partition(".")[0] == noun)) for noun in nouns)


def _actors(people: People, rows: tuple[Row, ...], chosen: Filter) -> tuple[tuple[str, str], ...]:
    """Return those who can be chosen: all accounts, Steward itself, and who else is on this page."""
    known = dict.fromkeys(["system", "operator", *people.actors(), *(row.actor for row in rows)])
    if chosen.actor:
        known.setdefault(chosen.actor)
    return tuple(sorted(((actor, people.name(actor)) for actor in known), key=lambda pair: pair[1].lower()))


def _in_words(details: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple((name.replace("_", " "), _value(value)) for name, value in sorted(details.items()))


def _value(value: object) -> str:
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case str() if value.startswith(("{", "[")):
            try:
                return json.dumps(json.loads(value), ensure_ascii=False, indent=2)
            except ValueError:
                return value
        case _:
            return str(value)
