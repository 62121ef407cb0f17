"""`steward erase`: a customer goes, a certificate comes."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.foundation import open_foundation
from steward.app.retaining import Retention, build_retention
from steward.base.errors import InvalidInput
from steward.govern.retention.certificate import Certificate, as_html, as_markdown

FORMS = (".json", ".html", ".md")


class NobodyNamed(InvalidInput):
    """No customer was given."""


class BadFile(InvalidInput):
    """The file can't be written, or its name doesn't say in which form."""


def run_erase(
    customer: str | None, *, ground: str, certificate: Path | None, as_json: bool, data_dir: Path | None
) -> int:
    """Erase and tell what went."""
    if certificate is not None:
        require_form(certificate)

    async def work(retention: Retention) -> int:
        made = await retention.erasing.erase(named(customer), ground=ground, actor=OPERATOR)
        if certificate is not None:
            write_certificate(made, certificate)
        facts = made.facts
        if as_json:
            print_json(made.as_json())
            return 0
        ids = len(facts["customers"])
        print(f"erased: {facts['rows_gone']} rows of {ids} customer {'id' if ids == 1 else 'ids'} are gone")
        for copy in facts["exports"]:
            print(
                f"a {copy['kind']} export of {copy['made_at']} left the house: delete {copy['digest'][:16]}…"
            )
        where = "`steward retention certificate` writes it" if certificate is None else f"in {certificate}"
        print(f"certificate of erasure {facts['erasure']}: {where}")
        return 0

    return with_retention(data_dir, work)


def with_retention(data_dir: Path | None, work: Callable[[Retention], Awaitable[int]]) -> int:
    """Open what retention stands on and do some work with it."""
    settings = prepared(data_dir)

    async def opened() -> int:
        async with open_foundation(settings, say=say) as foundation:
            return await work(build_retention(foundation))

    return run_async(opened)


def named(customer: str | None) -> str:
    """Return who was named, or read it from standard input, which no list of processes shows.

    Raises:
        NobodyNamed: nothing was given.
    """
    if customer is None:
        customer = input("customer: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not customer.strip():
        raise NobodyNamed("Nobody was named: give a customer's reference or id.")
    return customer.strip()


def require_form(file: Path) -> None:
    """Refuse a file whose ending doesn't say how to write a certificate.

    Raises:
        BadFile: it ends otherwise.
    """
    if file.suffix not in FORMS:
        raise BadFile(f"{file} has to end with {', '.join(FORMS)}: that says how the certificate is written.")


def write_certificate(certificate: Certificate, file: Path) -> None:
    """Write a certificate as JSON, Markdown or a page, by the file's ending.

    Raises:
        BadFile: it can't be written.
    """
    import json

    match file.suffix:
        case ".html":
            text = as_html(certificate)
        case ".md":
            text = as_markdown(certificate)
        case _:
            text = json.dumps(certificate.as_json(), indent=2) + "\n"
    write_private(file, text.encode())


def write_private(file: Path, content: bytes) -> None:
    """Write a file that only this user reads.

    Raises:
        BadFile: it can't be written.
    """
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(handle, 0o600)
            stream.write(content)
    except OSError as error:
        raise BadFile(f"{file} can't be written: {error.strerror or 'unknown problem'}.") from error
