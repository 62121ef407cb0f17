"""`steward ledger`: proving that the record is whole, and handing parts of it out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.keeping import open_keeping
from steward.base.clock import SystemClock
from steward.base.errors import InvalidInput
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry, Head, Verdict
from steward.govern.ledger.proofs import export, proof_json, proof_of, verify_lines
from steward.govern.ledger.signatures import is_trusted
from steward.govern.ledger.witness import heads_in
from steward.govern.retention.contracts import ExportLine
from steward.govern.retention.exporting import note_export
from steward.supply.releases.signing import key_text, read_key


def run_verify(
    file: Path | None,
    *,
    start: int,
    witness: Path | None,
    key: str | None,
    open_end: bool,
    as_json: bool,
    data_dir: Path | None,
) -> int:
    """Check the chain of this installation, or an exported file by itself; 1 when it breaks."""
    if file is not None:
        if key is None:
            say("no --key is given, so this shows only that the file agrees with itself, not who signed it")
        return _told(verify_file(file, key, open_end=open_end), as_json=as_json, what=str(file))
    settings = prepared(data_dir)

    async def work() -> int:
        async with open_keeping(settings, progress=say) as keeping:
            public_key = read_key(key) if key else await keeping.signing.public_key()
            heads = () if witness is None else witnessed(witness, public_key)
            async with keeping.store.database.read() as session:
                require_row(start, last=(await keeping.ledger.head(session)).position)
                verdict = await keeping.ledger.verify(
                    session,
                    remembered=heads,
                    public_key=public_key,
                    start=start,
                    progress=None if as_json else _progress,
                )
        return _told(verdict, as_json=as_json, what="the ledger")

    return run_async(work)


def require_row(start: int, *, last: int) -> None:
    """Refuse a beginning outside the chain: nothing would be checked and all be found whole.

    Raises:
        InvalidInput: there is no such row.
    """
    if not 1 <= start <= max(last, 1):
        raise InvalidInput(f"--from has to be a row of the chain, which goes from 1 to {last}.")


def run_export(
    out: Path,
    *,
    since: str | None,
    until: str | None,
    entry: str | None,
    as_json: bool,
    data_dir: Path | None,
) -> int:
    """Write a stretch of the chain, or the proof of one entry, into a file that proves itself."""
    settings = prepared(data_dir)
    begins, ends = _moment(since, "--since"), _moment(until, "--until")

    async def work() -> int:
        async with open_keeping(settings, progress=say) as keeping:
            await keeping.chainer.finish()
            public_key, clock = key_text(await keeping.signing.public_key()), SystemClock()
            async with keeping.store.database.read() as session:
                if entry is not None:
                    lines = 1
                    proof = proof_json(await proof_of(session, _entry_id(entry)))
                    _write(out, json.dumps(proof, ensure_ascii=False) + "\n")
                else:
                    written = export(session, signer=keeping.signing, clock=clock, since=begins, until=ends)
                    lines = await _write_lines(out, written)
            details = {"since": since, "until": until, "entry": entry, "lines": lines}
            digest = await asyncio.to_thread(_digest_of, out)
            async with keeping.store.database.write() as session:
                made = ExportLine(new_id(clock), "ledger", None, clock.now(), OPERATOR, lines, digest)
                await note_export(session, made)
                await keeping.ledger.append(
                    session, Entry(OPERATOR, "ledger.exported", "ledger:all", details)
                )
        if as_json:
            print_json({"file": str(out), "lines": lines, "public_key": public_key})
        else:
            print(
                f"{out}: {lines} lines; `steward ledger verify {out} --key {public_key}` checks it anywhere"
            )
        return 0

    return run_async(work)


def _digest_of(file: Path) -> bytes:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()


def verify_file(file: Path, key: str | None, *, open_end: bool) -> Verdict:
    """Check an exported file by itself.

    Raises:
        InvalidInput: it can't be read.
    """
    try:
        with file.open(encoding="utf-8") as lines:
            return verify_lines(lines, public_key=read_key(key) if key else None, open_end=open_end)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} can't be read: {error}.") from error


def witnessed(path: Path, public_key: bytes) -> tuple[Head, ...]:
    """Return the heads that a witness kept.

    Raises:
        InvalidInput: the file isn't one, or holds a head that isn't signed with the installation's key.
    """
    heads = []
    for checkpoint in heads_in(path):
        if not is_trusted(checkpoint, public_key):
            raise InvalidInput(
                f"{path}: the head of row {checkpoint.position} isn't signed with this installation's key."
            )
        heads.append(Head(checkpoint.position, checkpoint.head))
    return tuple(heads)


async def _write_lines(out: Path, lines: AsyncIterator[dict[str, Any]]) -> int:
    count = 0
    with _opened(out) as file:
        async for line in lines:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count


def _write(out: Path, text: str) -> None:
    with _opened(out) as file:
        file.write(text)


def _opened(out: Path) -> Any:
    try:
        return out.open("w", encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{out} can't be written: {error}.") from error


def _told(verdict: Verdict, *, as_json: bool, what: str) -> int:
    if as_json:
        print_json({**asdict(verdict), "head_digest": verdict.head_digest.hex()})
    elif verdict.ok:
        tail = f", {verdict.tail} waiting to be linked" if verdict.tail else ""
        print(
            f"{what} is whole: {verdict.rows} rows{tail}; {verdict.checkpoints} signed heads, "
            f"the last of row {verdict.signed_to}"
        )
    elif verdict.first_bad_position is None:
        print(f"{what} breaks: {verdict.reason}")
    else:
        print(f"{what} breaks at row {verdict.first_bad_position}: {verdict.reason}")
    return 0 if verdict.ok else 1


def _progress(checked: int, last: int) -> None:
    print(f"\r  {checked} of {last} rows", end="", file=sys.stderr, flush=True)
    if checked >= last:
        print(file=sys.stderr)


def _moment(text: str | None, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(f"{option} has to be a day or a moment in ISO 8601, such as 2026-03-01.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _entry_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput("--entry has to be an entry's id; the console's ledger page shows it.") from None
