"""The certificate of an erasure: what it says, its signature, and how people read it."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final, Self
from uuid import UUID

from steward.base.digests import canonical_json, sha256_hex
from steward.govern.retention.contracts import ExportLine, TrainedModel
from steward.govern.retention.errors import NoCertificate

KEYS: Final = (
    "The customer's own key was deleted. What it sealed and still lies in free space of the database's files "
    "or in its write-ahead log is ciphertext; the wrapped key itself lies there until vacuum and the log's "
    "recycling overwrite it, and opens with the master key alone."
)
FORMAT: Final = "steward-erasure/1"
_RULE: Final = "|---|---|---|"
_PARTS: Final = ("content", "public_key", "signature")
_SIGNED: Final = b"steward erasure\x00"
"""Begins what is signed, so that a signature of one kind of thing is never one of another."""
WHY_KEPT: Final = {
    "action": "What was done for the customer, and when, stays for the accounts: no arguments, results, "
    "customer or conversation, and no key that could be guessed.",
    "export_made": "That a file was handed out, when, by whom, and its digest; no longer about whom.",
    "ledger": "The ledger is append-only. Its entries hold ids and digests; no row that they name is left.",
    "figures": "Sums by hour and sums of rollouts hold counts over many customers, and nobody's id.",
    "erasure": "The customer's ids stay in the list of erasures, so that none is erased twice: "
    "they lead nowhere.",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What an erasure did, as it is certified."""

    erasure_id: UUID
    customers: tuple[UUID, ...]
    ground: str
    asked_by: str
    begun_at: datetime
    finished_at: datetime
    removed: Mapping[str, Mapping[str, int]]
    kept: Mapping[str, int]
    exports: Sequence[ExportLine]
    models: Sequence[TrainedModel]
    backup_days: int | None

    @property
    def rows_gone(self) -> int:
        """All rows that were removed."""
        return sum(sum(tables.values()) for tables in self.removed.values())


@dataclass(frozen=True, slots=True)
class Certificate:
    """A signed certificate; `content` is the very bytes that were signed."""

    content: bytes
    public_key: bytes
    signature: bytes

    @classmethod
    def from_json(cls, told: object) -> Self:
        """Read what `as_json` gave.

        Raises:
            NoCertificate: it is something else, or says other things than what was signed.
        """
        if not isinstance(told, dict) or told.get("format") != FORMAT:
            raise NoCertificate("it isn't one")
        try:
            signed = {name: _octets(told["signature"][name]) for name in _PARTS}
            said = json.loads(signed["content"])
        except (KeyError, TypeError, ValueError) as error:
            raise NoCertificate("its signature can't be read") from error
        if said != {name: value for name, value in told.items() if name != "signature"}:
            raise NoCertificate("it says other things than what was signed")
        return cls(**signed)

    @property
    def facts(self) -> Mapping[str, Any]:
        """What it says."""
        said: Mapping[str, Any] = json.loads(self.content)
        return said

    @property
    def digest(self) -> str:
        """The SHA-256 of its content, as the ledger names it."""
        return sha256_hex(self.content)

    def is_genuine(self) -> bool:
        """Tell whether the signature is of this content by the key that it names."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            key = Ed25519PublicKey.from_public_bytes(self.public_key)
            key.verify(self.signature, signed_bytes(self.content))
        except (InvalidSignature, ValueError):
            return False
        return True

    def as_json(self) -> dict[str, Any]:
        """Return it for a file: what it says, and its signature over `content` in base64."""
        return {
            **self.facts,
            "signature": {
                "algorithm": "Ed25519 over 'steward erasure', a zero byte and `content`",
                "content": base64.b64encode(self.content).decode(),
                "public_key": base64.b64encode(self.public_key).decode(),
                "signature": base64.b64encode(self.signature).decode(),
            },
        }


def _octets(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def signed_bytes(content: bytes) -> bytes:
    """Return what the signature is over."""
    return _SIGNED + content


def content_of(facts: Facts) -> bytes:
    """Return what a certificate says, in its one form."""
    gone_by = None if facts.backup_days is None else facts.finished_at + timedelta(days=facts.backup_days)
    return canonical_json(
        {
            "format": FORMAT,
            "erasure": str(facts.erasure_id),
            "customers": [str(customer) for customer in facts.customers],
            "ground": facts.ground,
            "asked_by": facts.asked_by,
            "begun_at": facts.begun_at.isoformat(),
            "finished_at": facts.finished_at.isoformat(),
            "removed": {name: dict(tables) for name, tables in facts.removed.items()},
            "rows_gone": facts.rows_gone,
            "keys": KEYS,
            "kept": [
                {"what": what, "rows": facts.kept.get(what), "why": why} for what, why in WHY_KEPT.items()
            ],
            "exports": [
                {
                    "export": str(line.id),
                    "kind": line.kind,
                    "made_at": line.made_at.isoformat(),
                    "digest": line.digest.hex(),
                }
                for line in facts.exports
            ],
            "models": [
                {
                    "name": model.name,
                    "trained_on": model.trained_on,
                    "data_digest": model.data_digest,
                    "customers_data": model.customers,
                }
                for model in facts.models
            ],
            "backups": {
                "days": facts.backup_days,
                "gone_by": None if gone_by is None else gone_by.isoformat(),
            },
        }
    )


def as_markdown(certificate: Certificate) -> str:
    """Return the certificate for people, as Markdown."""
    said = certificate.facts
    lines = [
        "# Certificate of erasure",
        "",
        f"Erasure {said['erasure']}, begun {said['begun_at']}, finished {said['finished_at']}.",
        f"Ground: {said['ground'].replace('_', ' ')}. Asked for by {said['asked_by']}.",
        f"Customer ids: {', '.join(said['customers'])}.",
        "",
        "## Removed",
        "",
        "| data | table | rows |",
        _RULE,
    ]
    lines += [
        f"| {name} | {table} | {rows} |"
        for name, tables in said["removed"].items()
        for table, rows in tables.items()
    ]
    lines += ["", f"{said['rows_gone']} rows in all. {said['keys']}", "", "## What stays, and why", ""]
    lines += [f"- {kept['what']}{_rows(kept['rows'])}: {kept['why']}" for kept in said["kept"]]
    lines += ["", "## Copies that left the house", ""]
    lines += [
        f"- {copy['kind']} export {copy['export']}, made {copy['made_at']}, SHA-256 {copy['digest']}: "
        "delete the file"
        for copy in said["exports"]
    ] or ["- none"]
    lines += ["", "## Models", ""]
    lines += [
        f"- {model['name']}: trained on {model['trained_on']} ({model['data_digest']}); "
        f"{'customers’ data was among it' if model['customers_data'] else 'no customer’s data was among it'}"
        for model in said["models"]
    ]
    lines += ["", "## Backups", "", _backups(said["backups"]), "", "## Signature", ""]
    lines += [
        f"Ed25519, public key {base64.b64encode(certificate.public_key).decode()}",
        f"Signature {base64.b64encode(certificate.signature).decode()}",
        f"SHA-256 of the content {certificate.digest}, which is in the ledger as well.",
    ]
    return "\n".join(lines) + "\n"


def as_html(certificate: Certificate) -> str:
    """Return the certificate for people, as a page that stands alone."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Certificate of erasure</title>'
        "<style>body{font:16px/1.5 system-ui;max-width:50rem;margin:2rem auto;padding:0 1rem;"
        "overflow-wrap:anywhere}td,th{text-align:left;padding:.2rem 1rem .2rem 0}</style></head><body>"
        + "".join(_elements(as_markdown(certificate).splitlines()))
        + "</body></html>\n"
    )


def _elements(lines: Sequence[str]) -> Iterator[str]:
    """Yield the page's elements for lines of the Markdown above; rows and items that follow make one."""
    shown = (line for line in lines if line != _RULE)
    for kind, group in groupby(shown, key=lambda line: line.split(" ")[0]):
        texts = [html.escape(line.removeprefix(kind).strip(" |")) for line in group]
        match kind:
            case "#" | "##":
                yield from (f"<h{len(kind)}>{text}</h{len(kind)}>" for text in texts)
            case "-":
                yield "<ul>" + "".join(f"<li>{text}</li>" for text in texts) + "</ul>"
            case "|":
                head, *rows = (text.split(" | ") for text in texts)
                yield "<table>" + _row("th", head) + "".join(_row("td", row) for row in rows) + "</table>"
            case "":
                continue
            case word:
                yield from (f"<p>{html.escape(word)} {text}</p>" for text in texts)


def _row(cell: str, texts: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{cell}>{text}</{cell}>" for text in texts) + "</tr>"


def _rows(rows: int | None) -> str:
    return "" if rows is None else f" ({rows} rows)"


def _backups(backups: Mapping[str, Any]) -> str:
    if backups["days"] is None:
        return "How long backups are kept isn't set (STEWARD_BACKUP_DAYS): nothing is certified about them."
    return (
        f"Backups are kept for {backups['days']} days: by {backups['gone_by']} none holds this customer's "
        "data. A backup that is restored before has to be followed by erasing again."
    )
