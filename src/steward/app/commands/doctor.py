"""`steward doctor`: everything that has to be there, each with one sentence."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import asdict, dataclass
from pathlib import Path

from steward.app.commands.console import prepared, print_json, run_async
from steward.app.foundation import open_embedder
from steward.app.settings import PREFIX, Settings
from steward.base.db.doctor import examine
from steward.base.errors import StewardError


@dataclass(frozen=True, slots=True)
class Finding:
    """One check and what it found."""

    name: str
    ok: bool
    sentence: str


def run_doctor(*, as_json: bool, data_dir: Path | None) -> int:
    """Run every check; 1 when one failed."""
    settings = prepared(data_dir)
    findings = run_async(lambda: examine_all(settings))
    ok = all(finding.ok for finding in findings)
    if as_json:
        print_json({"ok": ok, "checks": [asdict(finding) for finding in findings]})
    else:
        for finding in findings:
            print(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.name}: {finding.sentence}")
        print(f"\nsettings (environment variables, or names in {settings.data_dir}/steward.toml):")
        for name, field in Settings.model_fields.items():
            print(f"  {PREFIX}{name.upper()}: {field.description}")
    return 0 if ok else 1


async def examine_all(settings: Settings) -> list[Finding]:
    """Check store, embedding model and port."""
    findings = [
        Finding(check.name, check.ok, check.sentence)
        for check in await examine(
            settings.data_dir,
            url=settings.database_url,
            owner_url=settings.migration_database_url,
        )
    ]
    findings.append(await asyncio.to_thread(_embedding, settings))
    findings.append(_port(settings))
    return findings


def _embedding(settings: Settings) -> Finding:
    try:
        embedder = open_embedder(settings)
        dimensions = embedder.embed_now(["hello"]).shape[1]
        embedder.close()
    except (StewardError, OSError) as error:
        return Finding("embedding model", False, str(error))
    return Finding("embedding model", True, f"loaded, {dimensions} dimensions")


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            taken = f"port {settings.port} is taken; choose another with --port or STEWARD_PORT"
            return Finding("port", False, taken)
    return Finding("port", True, f"port {settings.port} on {settings.host} is free")
