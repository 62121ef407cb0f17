"""A small assistant, an embedder that hashes words, and the releases of a real database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import TestDatabase

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.base.language.contracts import Vectors
from steward.govern.ledger.service import Ledger
from steward.supply.assistant.collecting import collect
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.knowledge.publishing import Knowledge
from steward.supply.releases.service import Releases

SPOKE = Path(__file__).parents[3] / "unit" / "supply" / "assistant" / "spoke"


class HashingEmbedder:
    """Embeds a text's words by hashing them; counts the texts it was asked for."""

    name = "hashing"
    dimensions = 48

    def __init__(self, digest: str = "hashing-48") -> None:
        self.digest = digest
        self.asked = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        vectors = np.full((len(texts), self.dimensions), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().split():
                vectors[row, int.from_bytes(sha256(word.encode()).digest()[:4]) % self.dimensions] += 1
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


class Workshop:
    """Opens `Releases` on one database, as several processes would."""

    def __init__(self, database: Database, clock: FixedClock, admin_url: str) -> None:
        self.database = database
        self.admin_url = admin_url
        self.clock = clock
        self.embedder = HashingEmbedder()

    def open(self, embedder: HashingEmbedder | None = None) -> Releases:
        return Releases(
            self.database,
            embedder=embedder or self.embedder,
            clock=self.clock,
            knowledge=Knowledge(self.database, self.clock),
            ledger=Ledger(self.clock),
        )

    def folder(self, **edits: tuple[bytes, bytes]) -> Folder:
        """Read the small assistant; `edits` replace bytes in `<name>.yaml`."""
        files = dict(collect(SPOKE)[0])
        for name, (old, new) in edits.items():
            assert old in files[f"{name}.yaml"]
            files[f"{name}.yaml"] = files[f"{name}.yaml"].replace(old, new)
        return read_files(files, "spoke")

    def read(self, files: Mapping[str, bytes]) -> Folder:
        """Read an assistant from files."""
        return read_files(files, "spoke")


@pytest.fixture
def workshop(database: Database, fixed_clock: FixedClock, clean_database: TestDatabase) -> Workshop:
    return Workshop(database, fixed_clock, clean_database.admin_url)


@pytest.fixture
def other_embedder() -> HashingEmbedder:
    return HashingEmbedder("hashing-48-second-edition")
