"""What changed in an installation's settings since they were last noted: their names, never values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from steward.app.settings import Settings
from steward.base.db.contracts import Database
from steward.base.digests import canonical_json, sha256_hex
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger

OF_A_PROCESS: Final = frozenset(
    {"data_dir", "host", "port", "log_format", "log_level", "database_connections"}
)
"""May differ between processes of one installation, which isn't a change."""
SUBJECT: Final = "installation:settings"
_DIGITS: Final = 16


async def note_settings(database: Database, ledger: Ledger, settings: Settings) -> tuple[str, ...]:
    """Write down which settings differ from those noted last, and return their names.

    The very first time every setting that isn't at its default counts as changed. Settings that hold secrets,
    addresses with passwords among them, aren't compared.
    """
    now = digests_of(settings)
    async with database.read() as session:
        rows = await ledger.recent(session, limit=1, subject=SUBJECT, deed="setting.changed")
    before = json.loads(str(rows[0].details["digests"])) if rows else digests_of(Settings.model_construct())
    changed = tuple(sorted(name for name in {*now, *before} if now.get(name) != before.get(name)))
    if changed:
        details = {"changed": ", ".join(changed), "digests": canonical_json(dict(now)).decode()}
        async with database.write() as session:
            await ledger.append(session, Entry("system", "setting.changed", SUBJECT, details))
    return changed


def digests_of(settings: Settings) -> Mapping[str, str]:
    """Return the beginning of each compared setting's SHA-256."""
    secret = {name for name, field in Settings.model_fields.items() if not field.repr or "url" in name}
    return {
        name: sha256_hex(_text(getattr(settings, name)).encode())[:_DIGITS]
        for name in Settings.model_fields
        if name not in OF_A_PROCESS and name not in secret
    }


def _text(value: object) -> str:
    """Return one text for a value, whether it was given or is a default that was never converted."""
    return repr(float(value)) if isinstance(value, (int, float)) else repr(value)
