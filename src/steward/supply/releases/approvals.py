"""Agreements to a release: which roles have agreed that it may reach customers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.governance import Governance
from steward.supply.releases import queries
from steward.supply.releases.contracts import Release
from steward.supply.releases.errors import CannotApprove, NoSuchApproval
from steward.supply.releases.reading import read_folder

ADMIN: Final = "admin"
"""The role that may agree in any role's place."""
_STANDING: Final = """
select id, role, actor, reason, at from release_approval
where release_id = %s and withdrawn_at is null order by at, role
"""
_HOLD: Final = "select created_by from release where id = %s for update"
_PUT: Final = """
insert into release_approval (id, release_id, role, actor, reason, at) values (%s, %s, %s, %s, %s, %s)
"""
_WITHDRAW: Final = """
update release_approval set withdrawn_at = %s, withdrawn_by = %s
where release_id = %s and role = %s and withdrawn_at is null
"""


@dataclass(frozen=True, slots=True)
class ReleaseApproval:
    """One role's agreement."""

    id: UUID
    role: str
    actor: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Served:
    """The release that serves now, and what its folder asks for."""

    release_id: str
    governance: Governance


async def served_beside(session: ReadSession, release: Release) -> Served | None:
    """Return the release that serves; None where it's this one, none does, or it asks nothing."""
    row = await session.one(queries.SERVING, {"assistant": release.assistant})
    if row is None or row[0] == release.id:
        return None
    governance = (await read_folder(session, row[0]))[1].governance
    return None if governance is None else Served(row[0], governance)


async def governance_of(session: ReadSession, release: Release, folder: Folder) -> Governance | None:
    """Return a release's governance, made as strict as that of the release being served."""
    return stricter(folder.governance, await served_beside(session, release))


def stricter(own: Governance | None, served: Served | None) -> Governance | None:
    """Return a folder's governance with the agreements and the bound of high risks that already hold.

    So a release can't let itself off: who takes a role out of `approve_release`, or four eyes away, or raises
    `high_risk`, needs what stood there until then once more.
    """
    if own is None or served is None:
        return own
    before = served.governance
    return own.model_copy(
        update={
            "approve_release": tuple(dict.fromkeys((*own.approve_release, *before.approve_release))),
            "four_eyes": own.four_eyes or before.four_eyes,
            "high_risk": min(own.high_risk, before.high_risk),
        }
    )


class Approvals:
    """Takes agreements and takes them back; built once by the composition root."""

    def __init__(self, database: Database, *, clock: Clock, ledger: Ledger) -> None:
        self._database = database
        self._clock = clock
        self._ledger = ledger

    async def of(self, release_id: str) -> tuple[ReleaseApproval, ...]:
        """Return the agreements that stand, the oldest first."""
        async with self._database.read() as session:
            return tuple(ReleaseApproval(*row) for row in await session.all(_STANDING, [release_id]))

    async def give(
        self, release: Release, *, role: str, own_role: str, actor: str, reason: str, four_eyes: bool
    ) -> ReleaseApproval:
        """Agree to a release in a role; a second time changes nothing.

        Args:
            release: the release.
            role: the role that agrees.
            own_role: the role of who agrees; an admin may do it for every role.
            actor: who agrees, as the ledger writes it.
            reason: why, in words.
            four_eyes: refuse its maker, and anybody who has agreed in another role.

        Raises:
            CannotApprove: the role isn't theirs, or four eyes are asked for.
        """
        if own_role not in (role, ADMIN):
            raise CannotApprove(f"only the role '{role}' or an admin can agree as '{role}'")
        async with self._database.write() as session:
            await self._refuse_same_eyes(session, release, role=role, actor=actor, four_eyes=four_eyes)
            standing = [ReleaseApproval(*row) for row in await session.all(_STANDING, [release.id])]
            for approval in standing:
                if approval.role == role:
                    return approval
            made = ReleaseApproval(new_id(self._clock), role, actor, reason, self._clock.now())
            await session.execute(_PUT, [made.id, release.id, role, actor, reason, made.at])
            details = {"assistant": release.assistant, "role": role, "as": own_role, "reason": reason}
            entry = Entry(actor, "release.approved", f"release:{release.id}", details)
            await self._ledger.append(session, entry)
        return made

    async def withdraw(self, release: Release, *, role: str, own_role: str, actor: str) -> None:
        """Take a role's agreement back; a rollout that needs it goes no further.

        Raises:
            NoSuchApproval: the role hasn't agreed.
            CannotApprove: the role isn't theirs.
        """
        if own_role not in (role, ADMIN):
            raise CannotApprove(f"only the role '{role}' or an admin can take that back")
        async with self._database.write() as session:
            if not await session.execute(_WITHDRAW, [self._clock.now(), actor, release.id, role]):
                raise NoSuchApproval(role, release.id)
            details = {"assistant": release.assistant, "role": role}
            entry = Entry(actor, "release.approval_withdrawn", f"release:{release.id}", details)
            await self._ledger.append(session, entry)

    async def _refuse_same_eyes(
        self, session: WriteSession, release: Release, *, role: str, actor: str, four_eyes: bool
    ) -> None:
        row = await session.one(_HOLD, [release.id])
        if not four_eyes:
            return
        if row is not None and row[0] == actor:
            raise CannotApprove("governance.yaml asks for four eyes, and this is who made the release")
        for _, other, by, *_rest in await session.all(_STANDING, [release.id]):
            if by == actor and other != role:
                raise CannotApprove(
                    f"governance.yaml asks for four eyes, and the same person agreed as '{other}'"
                )
