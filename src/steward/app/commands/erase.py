"""`steward erase`: a customer goes, a certificate comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from pathlib import Path

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.commands.private_files import BadFile, private_file
from steward.app.foundation import open_foundation
from steward.app.retaining import Retention, build_retention
from steward.base.errors import InvalidInput
from steward.govern.retention.certificate import Certificate, as_html, as_markdown

FORMS = (".json", ".html", ".md")


class NobodyNamed(InvalidInput):
    """No customer was given."""


def run_erase(
    customer: str | None, *, ground: str, certificate: Path | None, as_json: bool, data_dir: Path | None
) -> int:
    """Erase and tell what went."""
    if certificate is not None:
        require_form(certificate)
    whom = named(customer)

    async def work(retention: Retention) -> int:
        # A place that takes no certificate is found before anybody is erased.
        with nullcontext() if certificate is None else private_file(certificate) as write:
            made = await retention.erasing.erase(whom, ground=ground, actor=OPERATOR)
            if as_json:
                print_json(made.as_json())
            else:
                _tell(made)
            if write is not None and certificate is not None:
                write(written(made, certificate))
        if not as_json:
            where = (
                "`steward retention certificate` writes it" if certificate is None else f"in {certificate}"
            )
            print(f"certificate of erasure {made.facts['erasure']}: {where}")
        return 0

    return with_retention(data_dir, work)


def _tell(made: Certificate) -> None:
    facts = made.facts
    ids = len(facts["customers"])
    print(f"erased: {facts['rows_gone']} rows of {ids} customer {'id' if ids == 1 else 'ids'} are gone")
    for copy in facts["exports"]:
        print(f"a {copy['kind']} export of {copy['made_at']} left the house: delete {copy['digest'][:16]}…")


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
        NobodyNamed: nothing was given, or no text.
    """
    if customer is None:
        try:
            customer = input("customer: ") if sys.stdin.isatty() else sys.stdin.readline()
        except EOFError:
            customer = ""
        except UnicodeDecodeError:
            # Without its cause, which quotes what was given.
            raise NobodyNamed("Nobody was named: what standard input gave isn't text.") from None
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


def written(certificate: Certificate, file: Path) -> bytes:
    """Return a certificate as JSON, Markdown or a page, by the file's ending."""
    match file.suffix:
        case ".html":
            text = as_html(certificate)
        case ".md":
            text = as_markdown(certificate)
        case _:
            text = json.dumps(certificate.as_json(), indent=2) + "\n"
    return text.encode()
