"""`steward retention`, `erase` and `subject-export`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]
Customer = Annotated[
    str | None,
    Parameter(help="The reference as your systems know it, or a customer's id; standard input unless given."),
]
Ground = Literal["request", "not_needed", "consent_withdrawn", "objection", "unlawful", "legal_obligation"]

retention = App(name="retention", help="How long things are kept, and what must stay.")


@retention.command
def show(*, json: Json = False, data_dir: DataDir = None) -> int:
    """Show the rules, what each would take now, the holds, the last rounds, and who was erased.

    Args:
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.retention import run_show

    return run_show(as_json=json, data_dir=data_dir)


@retention.command
def run(
    *,
    dry_run: Annotated[bool, Parameter(negative="", help="Count only.")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Remove what is older than its rule allows. A server does this once a day by itself.

    Args:
        dry_run: count what would go, and remove nothing.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.retention import run_round

    return run_round(dry_run=dry_run, as_json=json, data_dir=data_dir)


@retention.command
def hold(customer: Customer = None, *, reason: str, json: Json = False, data_dir: DataDir = None) -> int:
    """Keep everything of a customer, whatever the rules say, until it is lifted.

    Args:
        customer: whom.
        reason: why; a case's number, not a name.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.retention import run_hold

    return run_hold(customer, reason=reason, as_json=json, data_dir=data_dir)


@retention.command
def lift(customer: Customer = None, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Let the rules hold again for a customer.

    Args:
        customer: whom.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.retention import run_hold

    return run_hold(customer, reason=None, as_json=json, data_dir=data_dir)


@retention.command
def certificate(erasure: str, file: Path, *, json: Json = False, data_dir: DataDir = None) -> int:
    """Write the certificate of an erasure again.

    Args:
        erasure: the erasure's id; `steward retention show` lists them.
        file: where to write it: .json, .html or .md.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.retention import run_certificate

    return run_certificate(erasure, file, as_json=json, data_dir=data_dir)


@retention.command
def verify(
    file: Path,
    *,
    key: Annotated[
        str | None,
        Parameter(help="The public key that has to have signed it, as `steward release key` prints it."),
    ] = None,
    json: Json = False,
) -> int:
    """Check the certificate of an erasure anywhere, without a database. Exits 1 when it isn't genuine.

    Args:
        file: the certificate in JSON.
        key: whose signature is asked for.
        json: print JSON.
    """
    from steward.app.commands.retention import run_verify

    return run_verify(file, key=key, as_json=json)


def erase(
    customer: Customer = None,
    *,
    reason: Annotated[Ground, Parameter(help="The law's ground.")] = "request",
    certificate: Annotated[
        Path | None, Parameter(help="Write the certificate into this file: .json, .html or .md.")
    ] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Erase a customer everywhere and issue a signed certificate. There is no way back.

    Args:
        customer: whom.
        reason: the ground, by Article 17 of the GDPR.
        certificate: where to write the certificate.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.erase import run_erase

    return run_erase(customer, ground=reason, certificate=certificate, as_json=json, data_dir=data_dir)


def subject_export(
    customer: Customer = None, *, out: Path, json: Json = False, data_dir: DataDir = None
) -> int:
    """Write everything kept about a customer into a zip, in clear, for that customer.

    Args:
        customer: whom.
        out: where to write the zip; only you can read it.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.subject import run_subject_export

    return run_subject_export(customer, out=out, as_json=json, data_dir=data_dir)
