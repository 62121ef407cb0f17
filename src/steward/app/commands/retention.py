"""`steward retention`: rules, rounds, holds and certificates."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

from steward.app.commands.console import OPERATOR, print_json
from steward.app.commands.erase import named, require_form, with_retention, written
from steward.app.commands.private_files import private_file
from steward.app.retaining import Retention
from steward.base.errors import Conflict, InvalidInput
from steward.govern.retention.certificate import Certificate
from steward.govern.retention.contracts import DataKind
from steward.govern.retention.expiring import Due
from steward.supply.releases.signing import key_text, read_key


class RoundUnderWay(Conflict):
    """Another process holds the round's lock."""

    def __init__(self) -> None:
        super().__init__("Another process is making a round right now; nothing more is needed.")


def run_show(*, as_json: bool, data_dir: Path | None) -> int:
    """Show everything about keeping and forgetting."""

    async def work(retention: Retention) -> int:
        due, rounds = await retention.expiring.due(), await retention.expiring.rounds(limit=5)
        holds, erasures = await retention.holds.listed(), await retention.erasing.listed(limit=20)
        if as_json:
            print_json(
                {
                    "rules": [asdict(line) for line in due],
                    "rounds": [asdict(each) for each in rounds],
                    "holds": [asdict(hold) for hold in holds],
                    "erasures": [asdict(line) for line in erasures],
                }
            )
            return 0
        for line in due:
            print(in_words(line))
        for each in rounds:
            ended = (
                "still running, or cut off" if each.finished_at is None else f"{each.finished_at:%F %H:%M}"
            )
            print(f"round of {each.started_at:%F %H:%M} UTC, ended {ended}: {sum(each.counts.values())} rows")
        for hold in holds:
            print(f"hold on customer {hold.customer_id} since {hold.placed_at:%F}: {hold.reason}")
        for erased in erasures:
            print(
                f"erasure {erased.id} ({erased.state}) of {erased.begun_at:%F %H:%M}: {erased.rows_gone} rows"
            )
        return 0

    return with_retention(data_dir, work)


def run_round(*, dry_run: bool, as_json: bool, data_dir: Path | None) -> int:
    """Make a round, or count what it would take."""

    async def work(retention: Retention) -> int:
        if dry_run:
            due = await retention.expiring.due()
            print_json([asdict(line) for line in due]) if as_json else print(
                "\n".join(in_words(line) for line in due)
            )
            return 0
        counts = await retention.expiring.run()
        if counts is None:
            raise RoundUnderWay
        if as_json:
            print_json(counts)
        else:
            print(", ".join(f"{rows} {name}" for name, rows in counts.items()) or "nothing was old enough")
        return 0

    return with_retention(data_dir, work)


def run_hold(customer: str | None, *, reason: str | None, as_json: bool, data_dir: Path | None) -> int:
    """Place a hold, or lift it where no reason is given."""
    whom = named(customer)

    async def work(retention: Retention) -> int:
        if reason is None:
            customers = await retention.holds.lift(whom, actor=OPERATOR)
        else:
            customers = await retention.holds.place(whom, reason=reason, actor=OPERATOR)
        held = reason is not None
        if as_json:
            print_json({"customers": customers, "held": held})
        else:
            print(f"{'held' if held else 'no longer held'}: {', '.join(map(str, customers))}")
        return 0

    return with_retention(data_dir, work)


def run_certificate(erasure: str, file: Path, *, as_json: bool, data_dir: Path | None) -> int:
    """Write a certificate once more."""
    require_form(file)
    try:
        identifier = UUID(erasure)
    except ValueError:
        raise InvalidInput(
            f"'{erasure[:40]}' isn't an erasure's id; `steward retention show` lists them."
        ) from None

    async def work(retention: Retention) -> int:
        made = await retention.erasing.certificate(identifier)
        with private_file(file) as write:
            write(written(made, file))
        print_json(made.as_json()) if as_json else print(f"certificate of erasure {identifier}: in {file}")
        return 0

    return with_retention(data_dir, work)


def run_verify(file: Path, *, key: str | None, as_json: bool) -> int:
    """Check a certificate's signature, and that a file says what was signed."""
    try:
        certificate = Certificate.from_json(json.loads(file.read_bytes()))
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} can't be read as JSON: {error}.") from error
    genuine, said = certificate.is_genuine(), certificate.facts
    expected = genuine and (key is None or read_key(key) == certificate.public_key)
    signer = key_text(certificate.public_key)
    if as_json:
        print_json({"genuine": expected, "public_key": signer, "digest": certificate.digest, **said})
    elif expected:
        print(
            f"genuine: erasure {said['erasure']}, finished {said['finished_at']}, {said['rows_gone']} rows; "
            f"signed by {signer}"
        )
    else:
        why = f"it's signed by {signer}" if genuine else "its signature doesn't fit what it says"
        print(f"not genuine: {why}", file=sys.stderr)
    return int(not expected)


def in_words(line: Due) -> str:
    """Return a rule and what it would take now, in words."""
    if line.kind is DataKind.LEDGER:
        least = "" if line.days is None else f", at least {line.days} days by the folder"
        return f"{line.purger:<14} kept: append-only{least}"
    if line.days is None:
        return f"{line.purger:<14} kept until erased: no rule"
    return f"{line.purger:<14} {line.days:>5} days, {line.rows} rows are older"
