"""Proofs that stand without the database: of one entry, and of a stretch of the chain in a file.

A proof leads from an entry over its link and a Merkle path to a signed head. Whoever has the installation's
public key can check it with `steward ledger verify FILE`, or with SHA-256 and Ed25519 by hand.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession
from steward.base.errors import InvalidInput, NotFound
from steward.govern.ledger import queries
from steward.govern.ledger.chain import Walk
from steward.govern.ledger.contracts import (
    GENESIS,
    Checkpoint,
    Closing,
    Head,
    Link,
    Signature,
    Signer,
    Verdict,
    Written,
)
from steward.govern.ledger.merkle import path_to, root_from
from steward.govern.ledger.signatures import closing_message, is_signed, is_trusted
from steward.govern.ledger.witness import checkpoint_from, checkpoint_json

PROOF: Final = "steward-ledger-proof/1"
EXPORT: Final = "steward-ledger-export/2"
EXPORT_UNCLOSED: Final = "steward-ledger-export/1"
"""How exports began before they had a closing line."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One entry's way to a signed head."""

    entry: Written
    link: Link
    path: tuple[bytes, ...]
    checkpoint: Checkpoint


class NotProvableYet(NotFound):
    """The entry is there, and no signed head covers it yet."""

    def __init__(self) -> None:
        super().__init__("This entry isn't under a signed head yet; that takes up to a minute.")


async def proof_of(session: ReadSession, entry: UUID) -> Proof:
    """Return the proof of an entry.

    Raises:
        NotFound: there is no such entry.
        NotProvableYet: it isn't linked, or no head above it is signed.
    """
    row = await session.one(queries.ONE, [entry])
    if row is None:
        raise NotFound("There is no such entry in the ledger.")
    written = queries.entry_of(row[5:])
    if row[0] is None or written is None:
        raise NotProvableYet
    link = queries.link_of(row[:5])
    checkpoint = queries.checkpoint_of(await session.one(queries.CHECKPOINT_OVER, [link.position]))
    if checkpoint is None:
        raise NotProvableYet
    digests = await session.all(queries.DIGESTS, [checkpoint.first, checkpoint.position])
    path = path_to(link.position - checkpoint.first, [bytes(row[0]) for row in digests])
    return Proof(written, link, path, checkpoint)


def fault_of_proof(proof: Proof, *, public_key: bytes | None = None) -> str | None:
    """Return in a sentence why a proof doesn't hold; None where it does."""
    link, checkpoint = proof.link, proof.checkpoint
    walk = Walk(start=Head(link.position - 1, link.previous))
    walk.take(link, proof.entry)
    verdict = walk.verdict()
    if not verdict.ok:
        return verdict.reason
    size = checkpoint.position - checkpoint.first + 1
    root = root_from(link.digest, place=link.position - checkpoint.first, size=size, path=proof.path)
    if root != checkpoint.root:
        return (
            f"the path doesn't lead from row {link.position} to the signed head of row {checkpoint.position}"
        )
    if not is_trusted(checkpoint, public_key):
        return f"the head of row {checkpoint.position} isn't signed with the installation's key"
    return None


def proof_json(proof: Proof) -> dict[str, Any]:
    """Return a proof as a file holds it."""
    return {
        "format": PROOF,
        "entry": entry_json(proof.entry),
        "link": link_json(proof.link),
        "path": [step.hex() for step in proof.path],
        "checkpoint": checkpoint_json(proof.checkpoint),
    }


async def export(
    session: ReadSession,
    *,
    signer: Signer,
    clock: Clock,
    since: datetime | None = None,
    until: datetime | None = None,
) -> AsyncIterator[dict[str, Any]]:
    """Yield the lines of a file that proves a stretch of the chain.

    The first line says what it is; then come links with their entries in order, each signed head behind its
    last link; the last line says, signed, which rows there are, so that a cut-off end shows.
    The stretch is widened to signed heads on both sides; what no signed head covers isn't in it.
    """
    span = await session.one(queries.SPAN, {"since": since, "until": until})
    first, last = (span[0], span[1]) if span and span[0] is not None else (1, 0)
    below = queries.checkpoint_of(await session.one(queries.CHECKPOINT_BELOW, [first]))
    above = queries.checkpoint_of(await session.one(queries.CHECKPOINT_OVER, [last]))
    above = above or queries.checkpoint_of(await session.one(queries.NEWEST_CHECKPOINT))
    begins = below.position if below else 0
    ends = above.position if above and last else begins
    yield {
        "format": EXPORT,
        "since": _moment(since),
        "until": _moment(until),
        "after": {"position": begins, "digest": (below.head if below else GENESIS).hex()},
        "signed": checkpoint_json(below) if below else None,
    }
    heads = [queries.checkpoint_of(row) for row in await session.all(queries.CHECKPOINTS, [begins + 1, ends])]
    ending = {head.position: head for head in heads if head}
    count, last_digest = 0, below.head if below else GENESIS
    async for row in session.stream(queries.SEGMENT, [begins + 1, ends]):
        link, entry = queries.link_of(row[:5]), queries.entry_of(row[5:])
        if entry is not None:
            yield {"link": link_json(link), "entry": entry_json(entry)}
            count, last_digest = count + 1, link.digest
        if head := ending.get(link.position):
            yield {"checkpoint": checkpoint_json(head)}
    closing = Closing(
        since=_moment(since),
        until=_moment(until),
        first=begins + 1,
        last=ends,
        count=count,
        at=clock.now(),
        head=last_digest,
        signature=Signature(b"", b""),
    )
    signed = await signer.sign(closing_message(closing))
    signature = Signature(signed.public_key, signed.signature)
    yield {"closing": closing_json(replace(closing, signature=signature))}


def verify_lines(lines: Iterable[str], *, public_key: bytes | None = None, open_end: bool = False) -> Verdict:
    """Check an exported file, or the proof of one entry, by itself.

    Args:
        lines: the file's lines.
        public_key: the installation's key; None takes the one that the file was signed with.
        open_end: take an export from before closing lines as whole, though rows may be cut off its end.

    Raises:
        InvalidInput: it's neither of the two.
    """
    rest = iter(lines)
    try:
        head = json.loads(next(rest, "null"))
        match head:
            case {"format": format} if format == PROOF:
                return _verify_proof(head, public_key)
            case {"format": format} if format in (EXPORT, EXPORT_UNCLOSED):
                return _verify_export(head, rest, public_key, open_end=open_end)
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"The file can't be read as an export of a ledger: {error}.") from error
    raise InvalidInput("The file is neither an export of a ledger nor the proof of an entry.")


def _verify_proof(kept: Mapping[str, Any], public_key: bytes | None) -> Verdict:
    proof = Proof(
        entry_from(kept["entry"]),
        link_from(kept["link"]),
        tuple(bytes.fromhex(step) for step in kept["path"]),
        checkpoint_from(kept["checkpoint"]),
    )
    fault = fault_of_proof(proof, public_key=public_key)
    position = proof.link.position
    return Verdict(
        ok=fault is None,
        rows=1 if fault is None else 0,
        first_bad_position=None if fault is None else position,
        reason=fault,
        head_digest=proof.checkpoint.head,
        entry=proof.entry.id,
        checkpoints=1 if fault is None else 0,
        signed_to=proof.checkpoint.position if fault is None else 0,
    )


def _verify_export(
    head: Mapping[str, Any], rest: Iterable[str], public_key: bytes | None, *, open_end: bool
) -> Verdict:
    after, signed = head["after"], head["signed"]
    begins = Head(int(after["position"]), bytes.fromhex(after["digest"]))
    if begins != Head(0, GENESIS):
        before = checkpoint_from(signed) if signed else None
        if before is None or (before.position, before.head) != (begins.position, begins.digest):
            raise InvalidInput("The file doesn't say with a signed head where it begins.")
        if not is_trusted(before, public_key):
            raise InvalidInput("The head at which the file begins isn't signed with the installation's key.")
        public_key = before.signature.public_key
    walk = Walk(public_key=public_key, start=begins)
    last = begins.position
    closing: Closing | None = None
    pending: tuple[Link, Written] | None = None
    for number, line in enumerate(rest, start=2):
        try:
            value = json.loads(line)
        except ValueError:
            said = f"line {number} can't be read: the file was cut off in it, or damaged"
            verdict = walk.verdict()
            return replace(verdict, ok=False, reason=said) if verdict.ok else verdict
        if closing is not None:
            raise ValueError("something stands behind the closing line")
        if "closing" in value:
            closing = closing_from(value["closing"])
            continue
        if "checkpoint" in value:
            if pending is None:
                raise ValueError("a signed head stands behind no link")
            walk.take(*pending, checkpoint_from(value["checkpoint"]))
            pending = None
            continue
        if pending is not None:
            walk.take(*pending)
        pending = link_from(value["link"]), entry_from(value["entry"])
        last = pending[0].position
    if pending is not None:
        walk.take(*pending)
        if not walk.has_fault:
            walk.unsigned(last)
    verdict = walk.verdict()
    if not verdict.ok:
        return verdict
    if closing is None:
        fault = None if open_end and head["format"] == EXPORT_UNCLOSED else _without_closing(head["format"])
    else:
        fault = _fault_of_closing(closing, head, begins, verdict, walk.public_key)
    return verdict if fault is None else replace(verdict, ok=False, reason=fault)


def _without_closing(format: str) -> str:
    if format == EXPORT_UNCLOSED:
        return (
            "it has no closing line, as exports of earlier versions have none, so nothing proves that no "
            "rows were cut off its end; export the period anew, or accept that with --open-end"
        )
    return "its closing line is missing: the file was cut off, or never written to its end"


def _fault_of_closing(
    closing: Closing, head: Mapping[str, Any], begins: Head, verdict: Verdict, public_key: bytes | None
) -> str | None:
    """Return in a sentence why the signed end of a file doesn't fit what stands before it."""
    if public_key not in (None, closing.signature.public_key):
        return "its closing line is signed with a key that isn't this installation's"
    if not is_signed(closing.signature, closing_message(closing)):
        return "the signature of its closing line is wrong"
    first, last = begins.position + 1, begins.position + verdict.rows
    if (closing.first, closing.last, closing.count) != (first, last, verdict.rows):
        return (
            f"its closing line is of {closing.count} rows, {closing.first} to {closing.last}, "
            f"but the file has {verdict.rows}, {first} to {last}"
        )
    if closing.head != verdict.head_digest:
        return "its closing line is of other rows than those that are here"
    if (closing.since, closing.until) != (head["since"], head["until"]):
        return "its closing line is of another period than the first line says"
    return None


def closing_json(closing: Closing) -> dict[str, Any]:
    """Return the end of an export as a file holds it."""
    return {
        "since": closing.since,
        "until": closing.until,
        "first": closing.first,
        "last": closing.last,
        "count": closing.count,
        "at": _moment(closing.at),
        "head": closing.head.hex(),
        "public_key": base64.b64encode(closing.signature.public_key).decode(),
        "signature": base64.b64encode(closing.signature.signature).decode(),
    }


def closing_from(kept: Mapping[str, Any]) -> Closing:
    """Read what `closing_json` wrote; raises ValueError, KeyError or TypeError where it isn't that."""
    return Closing(
        since=kept["since"],
        until=kept["until"],
        first=int(kept["first"]),
        last=int(kept["last"]),
        count=int(kept["count"]),
        at=datetime.fromisoformat(kept["at"]),
        head=bytes.fromhex(kept["head"]),
        signature=Signature(
            base64.b64decode(kept["public_key"], validate=True),
            base64.b64decode(kept["signature"], validate=True),
        ),
    )


def entry_json(entry: Written) -> dict[str, Any]:
    """Return an entry as a file holds it."""
    return {
        "id": str(entry.id),
        "at": _moment(entry.at),
        "actor": entry.actor,
        "deed": entry.deed,
        "subject": entry.subject,
        "details": dict(entry.details),
        "digest": entry.digest.hex(),
    }


def entry_from(kept: Mapping[str, Any]) -> Written:
    """Read what `entry_json` wrote; raises ValueError, KeyError or TypeError where it isn't that."""
    return Written(
        UUID(kept["id"]),
        datetime.fromisoformat(kept["at"]),
        kept["actor"],
        kept["deed"],
        kept["subject"],
        kept["details"],
        bytes.fromhex(kept["digest"]),
    )


def link_json(link: Link) -> dict[str, Any]:
    """Return a link as a file holds it."""
    return {
        "position": link.position,
        "entry": str(link.entry),
        "form": link.form,
        "previous": link.previous.hex(),
        "digest": link.digest.hex(),
    }


def link_from(kept: Mapping[str, Any]) -> Link:
    """Read what `link_json` wrote; raises ValueError, KeyError or TypeError where it isn't that."""
    return Link(
        int(kept["position"]),
        UUID(kept["entry"]),
        int(kept["form"]),
        bytes.fromhex(kept["previous"]),
        bytes.fromhex(kept["digest"]),
    )


def _moment(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")
