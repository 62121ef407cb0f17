"""Names that people give to releases: `stable`, `spring-prices`. A name means one release at a time."""

from __future__ import annotations

import re
from typing import Final

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.supply.releases import trust_queries as queries
from steward.supply.releases.contracts import Release
from steward.supply.releases.errors import BadLabel, NoSuchLabel, NoSuchRelease

MOST_LETTERS: Final = 60
_FORM = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_LIKE_AN_ID = re.compile(r"[0-9a-f]+")


def is_label(name: str) -> bool:
    """Tell whether a text can be a label: it has the form, and is no number or beginning of an id."""
    return (
        len(name) <= MOST_LETTERS
        and _FORM.fullmatch(name) is not None
        and _LIKE_AN_ID.fullmatch(name) is None
    )


class Labels:
    """Gives and takes labels; built once by the composition root."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    async def put(self, release: Release, name: str, *, actor: str) -> str | None:
        """Label a release, and return the id of the one of this assistant that had the label before.

        Raises:
            BadLabel: the name doesn't have its form.
            NoSuchRelease: the release has been pruned meanwhile.
        """
        if not is_label(name):
            raise BadLabel(name)
        values = {
            "assistant": release.assistant,
            "name": name,
            "release_id": release.id,
            "at": self._clock.now(),
            "by": actor,
        }
        async with self._database.write() as session:
            if await session.one(queries.LOCK_RELEASE, values) is None:
                raise NoSuchRelease(release.id)
            row = await session.one(queries.LABELLED, values)
            before = None if row is None else str(row[0])
            if before == release.id:
                return before
            await session.execute(queries.PUT_LABEL, values)
            details = {"assistant": release.assistant, "label": name, "before": before}
            entry = Entry(actor, "release.labelled", f"release:{release.id}", details)
            await self._ledger.append(session, entry)
        return before

    async def remove(self, release: Release, name: str, *, actor: str) -> None:
        """Take a label off a release.

        Raises:
            NoSuchLabel: the release doesn't have it.
        """
        values = {"assistant": release.assistant, "name": name, "release_id": release.id}
        async with self._database.write() as session:
            if not await session.execute(queries.REMOVE_LABEL, values):
                raise NoSuchLabel(name, release.id)
            details = {"assistant": release.assistant, "label": name}
            entry = Entry(actor, "release.unlabelled", f"release:{release.id}", details)
            await self._ledger.append(session, entry)
