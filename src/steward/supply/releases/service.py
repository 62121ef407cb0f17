"""Creates releases, loads them for turns, and keeps which one each assistant serves."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from steward.base.clock import Clock
from steward.base.db.contracts import Database, ReadSession, WriteSession
from steward.base.digests import canonical_json, sha256_hex
from steward.base.errors import Conflict
from steward.base.language.contracts import Embedder
from steward.base.language.errors import UnreadableHead
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.personal_documents import document_masker
from steward.supply.knowledge import inert
from steward.supply.knowledge.contracts import SnapshotId
from steward.supply.knowledge.errors import NoSuchSnapshot
from steward.supply.knowledge.personal import DocumentRule
from steward.supply.knowledge.publishing import Knowledge
from steward.supply.knowledge.publishing import Progress as KnowledgeProgress
from steward.supply.knowledge.search import Search
from steward.supply.releases import queries, trust_queries
from steward.supply.releases.assignment import Traffic
from steward.supply.releases.bundle import pack
from steward.supply.releases.contracts import (
    LoadedRelease,
    Progress,
    Release,
    ReleaseDetails,
    ReleaseId,
    ReleaseLine,
    Serving,
    short_id,
)
from steward.supply.releases.costs import expected_change, usage_of
from steward.supply.releases.deriving import (
    ARTEFACTS,
    INERT_PASSAGES,
    Derived,
    current_makers,
    derive,
    read_artefacts,
    source_documents,
)
from steward.supply.releases.difference import Difference, changed_files
from steward.supply.releases.errors import (
    AmbiguousRelease,
    CannotDerive,
    NoSuchRelease,
    NothingServed,
    RolloutUnderWay,
)
from steward.supply.releases.identity import Makers, id_of, makers_of, manifest_of
from steward.supply.releases.labels import is_label
from steward.supply.releases.reading import read_folder, release_of
from steward.supply.releases.signing import Signature, Signing, keep_signatures, key_id_of, release_message
from steward.supply.releases.traffic import TrafficControl
from steward.supply.releases.wording import in_words

__all__ = ["LoadedRelease", "Releases"]

KEPT = 8
"""Loaded releases in memory: baseline and candidate of a few assistants; each is some MB."""
_LONGEST_NUMBER = 5
"""A reference of more digits than this is the beginning of an id, not a number."""


class Releases:
    """The releases of one database."""

    def __init__(
        self,
        database: Database,
        *,
        embedder: Embedder,
        clock: Clock,
        knowledge: Knowledge,
        ledger: Ledger,
        retrieval: Embedder | None = None,
        signing: Signing | None = None,
    ) -> None:
        """Use a database and the encoders that all new releases are made with.

        `retrieval` encodes knowledge where that isn't the embedder's work as well; without `signing`
        a release is signed at its first export.
        """
        self._database = database
        self._embedder = embedder
        self._retrieval = retrieval or embedder
        self._clock = clock
        self._knowledge = knowledge
        self._ledger = ledger
        self._signing = signing
        self._traffic = TrafficControl(clock)
        self._loaded: OrderedDict[str, LoadedRelease] = OrderedDict()
        self._loading: dict[str, asyncio.Lock] = {}

    # ---------------------------------------------------------------- creating

    async def create(self, folder: Folder, *, created_by: str, progress: Progress | None = None) -> Release:
        """Freeze a folder into a release; the same folder gives the release that is there already.

        Everything that takes long happens before the one transaction that stores the release with
        its artefacts and its ledger entry, so a release is there whole or not at all. When two
        processes create the same release, the second to finish returns the first's.

        Args:
            folder: a folder without faults.
            created_by: who does it, as the ledger writes it: `account:<id>`, `key:<id>`, `system`.
            progress: is told what is being worked on.

        Raises:
            UnreadableDocument: a knowledge document can't be turned into text.
        """
        report = progress or _silent
        makers = await asyncio.to_thread(current_makers, self._embedder, self._retrieval)
        manifest = manifest_of(folder.name, folder.files, makers)
        release_id = id_of(manifest)
        async with self._database.read() as session:
            row = await session.one(queries.BY_ID, {"id": release_id})
        if row is not None:
            return release_of(row)
        snapshot_id = await self._publish(folder, report)
        derived = await derive(folder, self._embedder, seed=makers.seed, progress=report)
        report("storing the release")
        signature = await self._signing.sign(release_message(release_id)) if self._signing else None
        release, _ = await self._store(
            folder, manifest, snapshot_id, derived, (signature,) if signature else (),
            entry=Entry(created_by, "release.created", f"release:{release_id}", {}),
        )  # fmt: skip
        return release

    async def admit(
        self,
        folder: Folder,
        *,
        manifest: Mapping[str, Any],
        snapshot_id: str,
        derived: Derived,
        signatures: Sequence[Signature],
        entry: Entry,
        progress: Progress | None = None,
    ) -> tuple[Release, bool]:
        """Store a release that was made and checked elsewhere; one that is here stays as it is.

        Args:
            folder: the release's files, read.
            manifest: its manifest.
            snapshot_id: the name of its knowledge.
            derived: what was derived from the files.
            signatures: whoever signed it.
            entry: what the ledger is to hold; the release's own details are added.
            progress: is told what is being worked on.

        Returns:
            The release, and whether it wasn't here before.

        Raises:
            CannotDerive: it was made with another encoder or splitter than this installation has.
        """
        release_id, makers = id_of(manifest), makers_of(manifest)
        if not self._has_encoders_of(makers):
            raise CannotDerive(release_id, "encoder")
        if await self._publish(folder, progress or _silent) != snapshot_id:
            raise CannotDerive(release_id, "splitter")
        return await self._store(folder, manifest, SnapshotId(snapshot_id), derived, signatures, entry=entry)

    async def _store(
        self,
        folder: Folder,
        manifest: Mapping[str, Any],
        snapshot_id: SnapshotId,
        derived: Derived,
        signatures: Sequence[Signature],
        *,
        entry: Entry,
    ) -> tuple[Release, bool]:
        """Insert a release with all that belongs to it, unless it's there; tell whether it wasn't."""
        release_id = id_of(manifest)
        bundle = await asyncio.to_thread(pack, folder.files)
        async with self._database.write() as session:
            await session.one(queries.LOCK, {"scope": f"release {folder.name}"})
            row = await session.one(queries.BY_ID, {"id": release_id})
            if row is not None:
                return release_of(row), False
            number_row = await session.one(queries.NEXT_NUMBER, {"assistant": folder.name})
            assert number_row is not None
            parameters = {
                "id": release_id,
                "assistant": folder.name,
                "number": number_row[0],
                "manifest": canonical_json(dict(manifest)).decode(),
                "bundle": bundle,
                "snapshot_id": snapshot_id,
                "created_at": self._clock.now(),
                "created_by": entry.actor,
            }
            await session.execute(queries.INSERT, parameters)
            await self._store_artefacts(session, release_id, derived)
            await keep_signatures(session, release_id, signatures, at=self._clock.now())
            row = await session.one(queries.BY_ID, {"id": release_id})
            assert row is not None
            details = {
                "assistant": folder.name,
                "number": number_row[0],
                "snapshot": snapshot_id,
                "signed_with": " ".join(signature.key_id for signature in signatures) or None,
                **derived.digests,
                **entry.details,
            }
            await self._ledger.append(session, replace(entry, details=details))
        return release_of(row), True

    def _has_encoders_of(self, makers: Makers) -> bool:
        here = (self._embedder.digest, self._retrieval.digest)
        return (makers.encoder, makers.retrieval or makers.encoder) == here

    async def _publish(self, folder: Folder, report: Progress) -> SnapshotId:
        def tell(step: KnowledgeProgress) -> None:
            report(f"{step.doing}: {step.done} of {step.total}")

        masking = folder.guardrails.masking
        documents = await asyncio.to_thread(
            document_masker(masking).apply, source_documents(folder), DocumentRule(masking.documents)
        )
        published = await self._knowledge.publish(documents, embedder=self._retrieval, progress=tell)
        return published.snapshot_id

    async def _store_artefacts(self, session: WriteSession, release_id: str, derived: Derived) -> None:
        for name, content in derived.contents.items():
            parameters = {
                "release_id": release_id,
                "name": name,
                "digest": derived.digests[name],
                "content": content,
            }
            await session.execute(queries.PUT_ARTEFACT, parameters)

    # ---------------------------------------------------------------- loading

    async def load(self, release_id: str) -> LoadedRelease:
        """Return a release in memory, verified; the last few stay loaded.

        Files are checked against the id and artefacts against their digests. Artefacts that are
        missing or differ are derived again from the files.

        Raises:
            NoSuchRelease: there is no release of this id.
            DamagedRelease: the stored files aren't what the id says.
            CannotDerive: it was made with another encoder, or must be derived and can't be here.
        """
        if (loaded := self._loaded.get(release_id)) is not None:
            self._loaded.move_to_end(release_id)
            return loaded
        try:
            async with self._loading.setdefault(release_id, asyncio.Lock()):
                if (loaded := self._loaded.get(release_id)) is None:
                    loaded = await self._load(release_id)
                    self._loaded[release_id] = loaded
                    while len(self._loaded) > KEPT:
                        self._loaded.popitem(last=False)
        finally:
            self._loading.pop(release_id, None)
        return loaded

    async def _load(self, release_id: str) -> LoadedRelease:
        async with self._database.read() as session:
            row = await session.one(queries.BY_ID, {"id": release_id})
            if row is None:
                raise NoSuchRelease(short_id(release_id))
            release = release_of(row)
            folder = await self._folder(session, release)
            stored = await session.all(queries.ARTEFACTS, {"release_id": release_id})
        if not self._has_encoders_of(makers_of(release.manifest)):
            raise CannotDerive(release_id, "encoder")
        contents: Mapping[str, bytes] = {
            name: bytes(content) for name, digest, content in stored if sha256_hex(content) == digest
        }
        if set(contents) != set(ARTEFACTS):
            contents = await self._repair(release, folder)
        await self._ensure_snapshot(release, folder)
        try:
            made = await asyncio.to_thread(read_artefacts, contents)
        except UnreadableHead:
            # Whole, but written by code that isn't this: the files say how to make it again.
            contents = await self._repair(release, folder)
            made = await asyncio.to_thread(read_artefacts, contents)
        return LoadedRelease(
            id=release.id,
            number=release.number,
            assistant=release.assistant,
            folder=folder,
            intent_head=made.intent_head,
            risk_examples=made.risk_examples,
            injection_examples=made.injection_examples,
            heads=made.heads,
            snapshot_id=release.snapshot_id,
            artefacts={name: sha256_hex(content) for name, content in sorted(contents.items())},
            inert=made.inert,
        )

    async def _folder(self, session: ReadSession, release: Release) -> Folder:
        if (loaded := self._loaded.get(release.id)) is not None:
            return loaded.folder
        return (await read_folder(session, release.id))[1]

    async def _repair(self, release: Release, folder: Folder) -> Mapping[str, bytes]:
        """Derive the artefacts again and store them."""
        makers = makers_of(release.manifest)
        current = await asyncio.to_thread(current_makers, self._embedder, self._retrieval)
        if makers.trainer != current.trainer:
            raise CannotDerive(release.id, "trainer")
        if makers.heads not in (None, current.heads):
            raise CannotDerive(release.id, "heads")
        derived = await derive(folder, self._embedder, seed=makers.seed, progress=_silent)
        async with self._database.write() as session:
            await self._store_artefacts(session, release.id, derived)
            entry = Entry("system", "release.repaired", f"release:{release.id}", dict(derived.digests))
            await self._ledger.append(session, entry)
        return derived.contents

    async def _ensure_snapshot(self, release: Release, folder: Folder) -> None:
        """Publish the knowledge again where its snapshot is gone."""
        try:
            await Search.open(self._database, release.snapshot_id)
        except NoSuchSnapshot:
            if await self._publish(folder, _silent) != release.snapshot_id:
                raise CannotDerive(release.id, "splitter") from None

    # ---------------------------------------------------------------- serving

    async def serve(
        self, assistant: str, release_id: str, *, actor: str, missing: Sequence[str] = ()
    ) -> Serving:
        """Let an assistant serve a release from its next conversation on.

        Listeners are told. Serving what is served changes nothing. The ledger takes what is `missing` of what
        governance asks, in sentences.

        Raises:
            NoSuchRelease: there is no release of this id.
            Conflict: the release is another assistant's, or a rollout is under way.
        """
        async with self._database.write() as session:
            row = await session.one(queries.BY_ID, {"id": release_id})
            if row is None:
                raise NoSuchRelease(short_id(release_id))
            if row[1] != assistant:
                raise Conflict(
                    f"release {short_id(release_id)} is of assistant '{row[1]}', not '{assistant}'"
                )
            await session.one(queries.LOCK, {"scope": f"serving {assistant}"})
            before = await self._held_traffic(session, assistant)
            if before is not None and before.release_id == release_id:
                return Serving(before.release_id, before.generation)
            if before is not None and before.split is not None:
                raise RolloutUnderWay(assistant, before.split.rollout_id)
            # One that waits for an agreement divides nothing yet, and what is served is its baseline.
            under_way = await session.one(queries.UNDER_WAY, {"assistant": assistant})
            if under_way is not None:
                raise RolloutUnderWay(assistant, under_way[0])
            wanted = replace(
                before or Traffic(assistant, False, ReleaseId(release_id), 0),
                release_id=ReleaseId(release_id),
            )
            after = await self._traffic.change(session, wanted)
            details: dict[str, str | int | None] = {
                "assistant": assistant,
                "before": None if before is None else before.release_id,
                "generation": after.generation,
            }
            if missing:
                details["missing"] = "; ".join(missing)
            entry = Entry(actor, "release.served", f"release:{release_id}", details)
            await self._ledger.append(session, entry)
        return Serving(after.release_id, after.generation)

    async def serving(self, assistant: str) -> Serving:
        """Return what an assistant serves to real traffic, apart from a rollout.

        Raises:
            NothingServed: it serves nothing yet.
        """
        traffic = await self.traffic(assistant)
        return Serving(traffic.release_id, traffic.generation)

    async def traffic(self, assistant: str, *, simulated: bool = False) -> Traffic:
        """Return who is answered by what on a lane.

        Raises:
            NothingServed: it serves nothing yet.
        """
        async with self._database.read() as session:
            return await self._traffic.current(session, assistant, simulated=simulated)

    async def _held_traffic(self, session: WriteSession, assistant: str) -> Traffic | None:
        try:
            return await self._traffic.hold(session, assistant, simulated=False)
        except NothingServed:
            return None

    # ---------------------------------------------------------------- looking

    async def recent(self, *, limit: int = 50, assistant: str | None = None) -> tuple[ReleaseLine, ...]:
        """List releases, the latest first, of one assistant or of all."""
        async with self._database.read() as session:
            rows = await session.all(queries.RECENT, {"assistant": assistant, "limit": limit})
        return tuple(replace(ReleaseLine(*row[:6]), labels=tuple(row[6])) for row in rows)

    async def find(self, reference: str, *, assistant: str | None = None) -> Release:
        """Return the release that a person means: by id, the id's beginning, a number or a label.

        Raises:
            NoSuchRelease: nothing fits.
            AmbiguousRelease: several fit.
        """
        wanted = reference.strip().lower()
        async with self._database.read() as session:
            if wanted.isascii() and wanted.isdigit() and len(wanted) <= _LONGEST_NUMBER:
                parameters = {"number": int(wanted), "assistant": assistant}
                rows = await session.all(queries.BY_NUMBER, parameters)
            elif is_label(wanted):
                rows = await session.all(queries.BY_LABEL, {"name": wanted, "assistant": assistant})
            else:
                rows = await session.all(queries.BY_BEGINNING, {"beginning": wanted}) if wanted else []
        if not rows:
            raise NoSuchRelease(reference)
        if len(rows) > 1:
            raise AmbiguousRelease(reference)
        return release_of(rows[0])

    async def show(self, reference: str, *, assistant: str | None = None) -> ReleaseDetails:
        """Return a release with the digests of what was derived from it.

        Raises:
            NoSuchRelease: nothing fits.
            AmbiguousRelease: several fit.
        """
        release = await self.find(reference, assistant=assistant)
        async with self._database.read() as session:
            digests = await session.all(queries.ARTEFACT_DIGESTS, {"release_id": release.id})
            size = await session.one(queries.BUNDLE_SIZE, {"id": release.id})
            found = await session.one(queries.ARTEFACT, {"release_id": release.id, "name": INERT_PASSAGES})
            labels = await session.all(trust_queries.LABELS, {"release_id": release.id})
            signed = await session.all(trust_queries.SIGNATURES, {"release_id": release.id})
            served = await session.one(queries.SERVING, {"assistant": release.assistant})
        assert size is not None
        serving = served is not None and served[0] == release.id
        return ReleaseDetails(
            release,
            dict(digests),
            size[0],
            serving,
            labels=tuple(row[0] for row in labels),
            signed_with=tuple(key_id_of(bytes(row[0])) for row in signed),
            inert=inert.from_bytes(bytes(found[0])) if found and sha256_hex(found[0]) == found[1] else (),
        )

    async def diff(self, before: str, after: str, *, assistant: str | None = None) -> Difference:
        """Compare two releases: files, what their changes mean in words, and what they do to cost.

        Raises:
            NoSuchRelease: nothing fits a reference.
            AmbiguousRelease: several fit.
            DamagedRelease: stored files aren't what an id says.
        """
        old = await self.find(before, assistant=assistant)
        new = await self.find(after, assistant=assistant)
        async with self._database.read() as session:
            old_folder = await self._folder(session, old)
            new_folder = await self._folder(session, new)
            usage = await usage_of(session, old.id)
        files = await asyncio.to_thread(changed_files, old_folder.files, new_folder.files)
        changes = await asyncio.to_thread(in_words, old_folder, new_folder, old.manifest, new.manifest)
        return Difference(
            old.id,
            new.id,
            files,
            tuple(change.sentence for change in changes),
            changes,
            expected_change(old_folder, new_folder, usage),
        )


def _silent(_: str) -> None:
    """Take no notice."""
