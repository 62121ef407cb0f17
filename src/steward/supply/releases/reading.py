"""A release's folder read from the store, without its models."""

from __future__ import annotations

import asyncio
from zipfile import BadZipFile

from steward.base.db.contracts import ReadSession, Row
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.knowledge.contracts import SnapshotId
from steward.supply.releases import queries
from steward.supply.releases.bundle import unpack
from steward.supply.releases.contracts import Release, ReleaseId, short_id
from steward.supply.releases.errors import DamagedRelease, NoSuchRelease
from steward.supply.releases.identity import id_of, makers_of, manifest_of


def release_of(row: Row) -> Release:
    """Return the release in a row of the list."""
    release_id, assistant, number, manifest, snapshot_id, created_at, created_by = row
    return Release(
        id=ReleaseId(release_id),
        assistant=assistant,
        number=number,
        manifest=manifest,
        snapshot_id=SnapshotId(snapshot_id),
        created_at=created_at,
        created_by=created_by,
    )


async def read_folder(session: ReadSession, release_id: str) -> tuple[Release, Folder]:
    """Return a release with its folder, whose files are checked against the id.

    Raises:
        NoSuchRelease: there is no release of this id.
        DamagedRelease: the stored files aren't what the id says.
    """
    row = await session.one(queries.BY_ID, {"id": release_id})
    bundle = await session.one(queries.BUNDLE, {"id": release_id})
    if row is None or bundle is None:
        raise NoSuchRelease(short_id(release_id))
    release = release_of(row)
    try:
        files = await asyncio.to_thread(unpack, bytes(bundle[0]))
    except BadZipFile as error:
        raise DamagedRelease(release.id) from error
    manifest = manifest_of(release.assistant, files, makers_of(release.manifest))
    if id_of(manifest) != release.id:
        raise DamagedRelease(release.id)
    return release, await asyncio.to_thread(read_files, files, f"release {short_id(release.id)}")
