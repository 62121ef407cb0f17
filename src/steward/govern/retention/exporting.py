"""Everything kept about a person, in clear, for that person: a zip of JSON and a page to read."""

from __future__ import annotations

import hashlib
import html
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Detail, Entry
from steward.govern.ledger.service import Ledger
from steward.govern.retention import queries
from steward.govern.retention.contracts import Customers, ExportLine, Purger, Record
from steward.govern.retention.errors import BeingErased
from steward.govern.retention.finding import find

DATA, PAGE = "data.json", "index.html"
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""The moment that zip files give members of no known age: the same data give the same bytes."""


@dataclass(frozen=True, slots=True)
class SubjectExport:
    """What was handed out: a zip file, and how many records it holds."""

    id: UUID
    content: bytes
    records: int

    @property
    def digest(self) -> bytes:
        """The SHA-256 of the file."""
        return hashlib.sha256(self.content).digest()


class Exporting:
    """The service; built once by the composition root."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ledger: Ledger,
        customers: Customers,
        purgers: Sequence[Purger],
    ) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger
        self._customers = customers
        self._purgers = tuple(purgers)

    async def export(self, customer: str, *, actor: str) -> SubjectExport:
        """Collect everything of a customer; the ledger's entry is in the same transaction as the reading.

        Args:
            customer: the reference as the company knows it, or a customer's id.
            actor: who asks, as the ledger names callers.

        Raises:
            NoSuchCustomer: nothing is known by this reference.
            BeingErased: an erasure has begun.
        """
        async with self._database.write() as session:
            customers = await find(session, customer, self._customers)
            # An erasure waits for these rows: it counts this export, and takes nothing away half-way.
            await session.all(queries.HOLD_CUSTOMERS, (list(customers),))
            erased = await session.one(queries.IS_ERASED, (list(customers),))
            if erased is not None and erased[0]:
                raise BeingErased
            at = self._clock.now()
            kept = [await self._kept(session, customer_id) for customer_id in customers]
            records = sum(len(part) for customer in kept for part in customer["kept"].values())
            identifier = new_id(self._clock)
            content = packed({"made_at": at.isoformat(), "export": str(identifier), "customers": kept})
            made = SubjectExport(identifier, content, records)
            for customer_id in customers:
                await note_export(
                    session,
                    ExportLine(new_id(self._clock), "subject", customer_id, at, actor, records, made.digest),
                )
            details: dict[str, Detail] = {
                "customers": " ".join(str(customer_id) for customer_id in customers),
                "purpose": "subject_access",
                "records": records,
                "file": made.digest.hex(),
            }
            entry = Entry(actor, "personal.exported", f"export:{identifier}", details)
            await self._ledger.append(session, entry)
        return made

    async def counts(self, customer: str) -> dict[UUID, dict[str, int]]:
        """Count what is kept of a customer by purger, without handing anything out.

        Raises:
            NoSuchCustomer: nothing is known by this reference.
        """
        async with self._database.read() as session:
            customers = await find(session, customer, self._customers)
            return {
                customer_id: {
                    purger.name: len(await purger.export(session, customer_id)) for purger in self._purgers
                }
                for customer_id in customers
            }

    async def listed(self, *, limit: int = 100) -> tuple[ExportLine, ...]:
        """List exports, the latest first."""
        async with self._database.read() as session:
            return await select_exports(session, limit=limit)

    async def _kept(self, session: ReadSession, customer_id: UUID) -> dict[str, Any]:
        return {
            "customer": str(customer_id),
            "kept": {
                purger.name: list(await purger.export(session, customer_id)) for purger in self._purgers
            },
            "what": {purger.name: purger.holds for purger in self._purgers},
        }


async def note_export(session: WriteSession, line: ExportLine) -> None:
    """Note that a file with kept data left the house."""
    await session.execute(
        queries.NOTE_EXPORT,
        {
            "id": line.id,
            "kind": line.kind,
            "customer": line.customer_id,
            "at": line.made_at,
            "by": line.made_by,
            "records": line.records,
            "digest": line.digest,
        },
    )


async def select_exports(
    session: ReadSession, *, customers: Sequence[UUID] | None = None, limit: int = 1000
) -> tuple[ExportLine, ...]:
    """Return exports, of some customers or all, the latest first."""
    asked = {"customers": None if customers is None else list(customers), "limit": limit}
    rows = await session.all(queries.EXPORTS, asked)
    return tuple(ExportLine(row[0], row[1], row[2], row[3], row[4], row[5], bytes(row[6])) for row in rows)


def packed(data: Mapping[str, Any]) -> bytes:
    """Return a zip of the data, for programs and for people."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        text = json.dumps(data, ensure_ascii=False, indent=2, default=_plain)
        for name, content in ((DATA, text), (PAGE, page_of(json.loads(text)))):
            # Half a surrogate pair is kept as it was typed; JSON's escape is its one form in UTF-8.
            plain = content.encode(errors="backslashreplace")
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), plain, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def page_of(data: Mapping[str, Any]) -> str:
    """Return the data as a page that stands alone."""
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>What is kept about you</title>',
        "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;width:100%;margin:.5rem 0 1.5rem}"
        "th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top;"
        "overflow-wrap:anywhere}</style></head><body>",
        f"<h1>What is kept about you</h1><p>As of {html.escape(data['made_at'])}.</p>",
    ]
    for customer in data["customers"]:
        parts.append(f"<h2>Customer {html.escape(customer['customer'])}</h2>")
        for name, records in customer["kept"].items():
            parts.append(f"<h3>{html.escape(name.capitalize())}</h3>")
            parts.append(f"<p>{html.escape(customer['what'][name])}</p>")
            parts.append(_table(records) if records else "<p>Nothing is kept.</p>")
    return "".join([*parts, "</body></html>"])


def _table(records: Sequence[Record]) -> str:
    names = list(dict.fromkeys(name for record in records for name in record))
    head = "".join(f'<th scope="col">{html.escape(name.replace("_", " "))}</th>' for name in names)
    rows = "".join(
        "<tr>" + "".join(f"<td>{html.escape(_shown(record.get(name)))}</td>" for name in names) + "</tr>"
        for record in records
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _shown(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
