"""The id of a release: SHA-256 over the canonical JSON of everything that shapes its behaviour.

The bytes of each file count as they are; names of machines, times and the order of files don't.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from steward.base.digests import canonical_json, sha256_hex
from steward.supply.releases.contracts import ReleaseId

FORMAT: Final = 1
"""Form of the manifest itself."""
SEED: Final = 20260101
"""Seed of everything random in training; part of the id, so another seed is another release."""


@dataclass(frozen=True, slots=True)
class Makers:
    """What turns a folder into behaviour: the encoder's digest, versions of trainer and splitter.

    `retrieval` is the digest of another encoder that knowledge is searched with, if there is one.
    `heads` is the digest of the heads that came with Steward: masking, guard, verification.
    """

    encoder: str
    trainer: str
    splitter: str
    seed: int = SEED
    retrieval: str | None = None
    heads: str | None = None


def manifest_of(assistant: str, files: Mapping[str, bytes], makers: Makers) -> dict[str, Any]:
    """Return the manifest that is hashed: digests of files by path, and who made the release."""
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "assistant": assistant,
        "files": [[path, sha256_hex(files[path])] for path in sorted(files)],
        "encoder": makers.encoder,
        "trainer": makers.trainer,
        "splitter": makers.splitter,
        "seed": makers.seed,
    }
    added = {"retrieval": makers.retrieval, "heads": makers.heads}
    return {**manifest, **{name: digest for name, digest in added.items() if digest is not None}}


def id_of(manifest: Mapping[str, Any]) -> ReleaseId:
    """Return the id of a manifest, 64 hex digits."""
    return ReleaseId(sha256_hex(canonical_json(dict(manifest))))


def makers_of(manifest: Mapping[str, Any]) -> Makers:
    """Return who made the release of a manifest."""
    return Makers(
        encoder=str(manifest["encoder"]),
        trainer=str(manifest["trainer"]),
        splitter=str(manifest["splitter"]),
        seed=int(manifest["seed"]),
        retrieval=manifest.get("retrieval"),
        heads=manifest.get("heads"),
    )
