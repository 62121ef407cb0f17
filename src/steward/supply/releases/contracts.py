"""What others see of releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple, NewType

from steward.base.language.contracts import Classifier, Vectors
from steward.base.language.shipped import Heads
from steward.supply.assistant.folder import Folder
from steward.supply.knowledge.contracts import SnapshotId
from steward.supply.knowledge.inert import Inert

ReleaseId = NewType("ReleaseId", str)
Progress = Callable[[str], None]
"""Is told, in a few words, what is being worked on."""

SERVING_CHANNEL: Final = "serving"
"""Channel of notifications that an assistant serves another release; the payload is its name."""
SHORT: Final = 12
"""Hex digits that people see of a release's id."""


def short_id(release_id: str) -> str:
    """Return the beginning of an id, as it is shown."""
    return release_id[:SHORT]


@dataclass(frozen=True, slots=True)
class Release:
    """A release as it stands in the list; `number` counts an assistant's releases from 1."""

    id: ReleaseId
    assistant: str
    number: int
    manifest: Mapping[str, Any]
    snapshot_id: SnapshotId
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class ReleaseDetails:
    """A release with what was derived from it: artefact digests by name, and the keys that signed it.

    `inert` are passages that look like orders to the assistant and are in no search.
    """

    release: Release
    artefacts: Mapping[str, str]
    bundle_bytes: int
    serving: bool
    labels: tuple[str, ...] = ()
    signed_with: tuple[str, ...] = ()
    inert: tuple[Inert, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """A release at a glance."""

    id: ReleaseId
    assistant: str
    number: int
    created_at: datetime
    created_by: str
    serving: bool
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class ExampleVectors:
    """Messages that show something, embedded: row i of `vectors` belongs to `labels[i]`."""

    labels: tuple[str, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class LoadedRelease:
    """Everything a turn needs from a release, in memory and verified.

    Labels of `risk_examples` are the names of risk rules. `heads` are those that came with Steward when
    the release was made. `artefacts` are digests by name. `inert` are the passages that no search may find.
    """

    id: ReleaseId
    number: int
    assistant: str
    folder: Folder
    intent_head: Classifier
    risk_examples: ExampleVectors
    injection_examples: ExampleVectors
    heads: Heads
    snapshot_id: SnapshotId
    artefacts: Mapping[str, str]
    inert: tuple[Inert, ...] = ()


class Serving(NamedTuple):
    """Which release an assistant serves; `generation` grows with each change."""

    release_id: ReleaseId
    generation: int
