"""Carries releases from one installation to another as signed files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from steward.base.clock import Clock
from steward.base.db.contracts import Database
from steward.base.digests import sha256_hex
from steward.base.language.errors import UnreadableHead
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.releases import queries
from steward.supply.releases.contracts import Progress, Release, short_id
from steward.supply.releases.deriving import ARTEFACTS, Derived, read_artefacts
from steward.supply.releases.errors import BadParcel, DamagedRelease, UntrustedParcel
from steward.supply.releases.parcel import Parcel, parcel_message, read_parcel, statement_of, write_parcel
from steward.supply.releases.service import Releases
from steward.supply.releases.signing import Signing


@dataclass(frozen=True, slots=True)
class Exported:
    """A release as a file, and the key that signed it."""

    release: Release
    content: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class Imported:
    """A release that has come in; `new` is false where it was here already."""

    release: Release
    signed_by: str
    new: bool


class Exchange:
    """Exports and imports releases; built once by the composition root."""

    def __init__(
        self, database: Database, *, releases: Releases, signing: Signing, clock: Clock, ledger: Ledger
    ) -> None:
        self._database = database
        self._releases = releases
        self._signing = signing
        self._clock = clock
        self._ledger = ledger

    async def export(self, reference: str, *, actor: str, assistant: str | None = None) -> Exported:
        """Return a release as one signed file. Exporting it again gives the same bytes.

        Raises:
            NoSuchRelease: nothing fits the reference.
            AmbiguousRelease: several fit.
            DamagedRelease: what is stored isn't what the id says.
        """
        await self._signing.sign_unsigned()
        release = await self._releases.find(reference, assistant=assistant)
        loaded = await self._releases.load(release.id)
        async with self._database.read() as session:
            artefacts = await session.all(queries.ARTEFACTS, {"release_id": release.id})
            signatures = await self._signing.signatures(session, release.id)
        contents = {name: bytes(content) for name, _, content in artefacts if name in ARTEFACTS}
        if {name: sha256_hex(content) for name, content in contents.items()} != dict(loaded.artefacts):
            raise DamagedRelease(release.id)
        parcel = Parcel(
            release.id, release.manifest, release.snapshot_id, loaded.folder.files, contents, signatures
        )
        signature = await self._signing.sign(parcel_message(statement_of(parcel)))
        content = await asyncio.to_thread(write_parcel, parcel, signature)
        details = {"assistant": release.assistant, "key": signature.key_id, "digest": sha256_hex(content)}
        async with self._database.write() as session:
            entry = Entry(actor, "release.exported", f"release:{release.id}", details)
            await self._ledger.append(session, entry)
        return Exported(release, content, signature.key_id)

    async def take_in(
        self, content: bytes, *, file: str, actor: str, progress: Progress | None = None
    ) -> Imported:
        """Take a release from a file; it's here whole afterwards, or not at all.

        The knowledge is split and embedded here, as its own installation did: only the same
        encoder and splitter give the same snapshot. A release that is here already stays as it is.

        Args:
            content: the whole file.
            file: how messages name it.
            actor: who does it, as the ledger writes it.
            progress: is told what is being worked on.

        Raises:
            BadParcel: the file isn't a release as `export` writes it.
            UntrustedParcel: its key isn't trusted here.
            CannotDerive: it was made with another encoder, trainer or splitter.
        """
        parcel, signature = await asyncio.to_thread(read_parcel, content, file)
        signer = await self._signing.name_of(signature.public_key)
        if signer is None:
            raise UntrustedParcel(file, signature.key_id)
        folder = await self._folder(parcel, file)
        await asyncio.to_thread(_readable, parcel, file)
        details = {"file": sha256_hex(content), "key": signature.key_id, "signed_by": signer}
        release, new = await self._releases.admit(
            folder,
            manifest=parcel.manifest,
            snapshot_id=parcel.snapshot,
            derived=_derived(parcel.artefacts),
            signatures=parcel.signatures,
            entry=Entry(actor, "release.imported", f"release:{parcel.id}", details),
            progress=progress,
        )
        return Imported(release, signer, new)

    async def _folder(self, parcel: Parcel, file: str) -> Folder:
        try:
            folder = await asyncio.to_thread(read_files, dict(parcel.files), f"release {short_id(parcel.id)}")
        except FolderFaults as error:
            count = len(error.faults)
            raise BadParcel(
                file,
                f"holds an assistant that this version can't read ({count} faults, first: {error.faults[0]})",
            ) from error
        if folder.name != parcel.assistant:
            raise BadParcel(file, "holds another assistant than it says")
        return folder


def _readable(parcel: Parcel, file: str) -> None:
    try:
        read_artefacts(parcel.artefacts)
    except (UnreadableHead, ValueError) as error:
        raise BadParcel(file, "holds derived parts that this version can't read") from error


def _derived(contents: Mapping[str, bytes]) -> Derived:
    return Derived(contents, {name: sha256_hex(content) for name, content in contents.items()})
