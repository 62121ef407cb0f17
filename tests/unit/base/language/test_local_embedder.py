from __future__ import annotations

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest

from steward.base.language.local_embedder import LocalEmbedder
from steward.base.language.minilm import MiniLm


@pytest.fixture
def embedder(model: MiniLm) -> Iterator[LocalEmbedder]:
    embedder = LocalEmbedder(model)
    yield embedder
    embedder.close()


class TestEmbed:
    async def test_concurrent_requests_each_get_their_own_vectors(
        self, embedder: LocalEmbedder, model: MiniLm
    ) -> None:
        texts = [f"my invoice number {number}" for number in range(30)]
        found = await asyncio.gather(*(embedder.embed([text]) for text in texts))
        np.testing.assert_allclose(np.concatenate(found), model.vectors(texts), atol=1e-5)

    async def test_a_small_request_overtakes_a_large_one(self, embedder: LocalEmbedder) -> None:
        finished: list[str] = []

        async def ask(name: str, texts: list[str]) -> None:
            await embedder.embed(texts)
            finished.append(name)

        await asyncio.gather(ask("large", ["a page of the manual"] * 400), ask("small", ["agent"]))
        assert finished == ["small", "large"]

    async def test_a_cancelled_request_does_not_hold_up_the_others(self, embedder: LocalEmbedder) -> None:
        waiting = asyncio.create_task(embedder.embed(["some text"] * 200))
        await asyncio.sleep(0)
        waiting.cancel()
        assert (await embedder.embed(["agent"])).shape == (1, 384)
        with pytest.raises(asyncio.CancelledError):
            await waiting

    async def test_no_texts_give_no_vectors(self, embedder: LocalEmbedder) -> None:
        assert (await embedder.embed([])).shape == (0, 384)

    async def test_a_failure_reaches_its_caller(self, embedder: LocalEmbedder) -> None:
        with pytest.raises(AttributeError):
            await embedder.embed([None])  # type: ignore[list-item]
        assert (await embedder.embed(["agent"])).shape == (1, 384)


class TestEmbedNow:
    def test_gives_what_the_model_gives(self, embedder: LocalEmbedder, model: MiniLm) -> None:
        np.testing.assert_array_equal(embedder.embed_now(["agent"]), model.vectors(["agent"]))
