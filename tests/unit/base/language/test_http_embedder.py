from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx2
import numpy as np
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from steward.base.language.errors import EmbeddingServiceFailed, EmbeddingServiceMisused
from steward.base.language.http_embedder import EmbeddingService, HttpEmbedder


@dataclass
class Service:
    """An embedding service with faults to hand out first."""

    faults: list[Response] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[str | None] = field(default_factory=list)
    length: int = 3

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.post("/v1/embeddings")
        async def embeddings(request: Request) -> Response:
            body = json.loads(await request.body())
            self.bodies.append(body)
            self.headers.append(request.headers.get("authorization"))
            if self.faults:
                return self.faults.pop(0)
            data = [
                {"index": place, "embedding": [float(len(text)), 2.0, 0.0, 0.0][: self.length]}
                for place, text in enumerate(body["input"])
            ]
            return JSONResponse({"data": list(reversed(data)), "model": body["model"]})

        return app


@pytest.fixture
def service() -> Service:
    return Service()


def asking(service: Service, **fields: Any) -> HttpEmbedder:
    settings: dict[str, Any] = {"model": "some-model", "dimensions": 3, "first_pause_s": 0.001} | fields
    client = httpx2.AsyncClient(transport=httpx2.ASGITransport(service.app()))
    return HttpEmbedder(EmbeddingService(base_url="http://embeddings.test/v1/", **settings), client=client)


class TestEmbed:
    async def test_vectors_come_back_in_order_with_length_one(self, service: Service) -> None:
        async with asking(service, key="secret", batch_texts=2) as embedder:
            found = await embedder.embed(["a", "four", "", "seven 7", "x"])
        expected = np.array([[1, 2, 0], [4, 2, 0], [1, 2, 0], [7, 2, 0], [1, 2, 0]], np.float32)
        np.testing.assert_allclose(found, expected / np.linalg.norm(expected, axis=1, keepdims=True))
        assert sorted(len(body["input"]) for body in service.bodies) == [1, 2, 2]
        assert set(service.headers) == {"Bearer secret"}
        assert "dimensions" not in service.bodies[0]

    async def test_shortened_vectors_are_asked_for(self, service: Service) -> None:
        async with asking(service, shortened=True, model="text-embedding-3-large") as embedder:
            await embedder.embed(["a"])
        assert service.bodies[0]["dimensions"] == 3
        assert service.bodies[0]["model"] == "text-embedding-3-large"

    async def test_a_passing_failure_is_retried(self, service: Service) -> None:
        service.faults = [Response(status_code=503), Response(status_code=429, headers={"retry-after": "0"})]
        async with asking(service) as embedder:
            assert (await embedder.embed(["a"])).shape == (1, 3)
        assert len(service.bodies) == 3

    async def test_a_lasting_failure_is_told_once_the_attempts_are_spent(self, service: Service) -> None:
        service.faults = [Response(status_code=500) for _ in range(2)]
        async with asking(service, attempts=2) as embedder:
            with pytest.raises(EmbeddingServiceFailed, match=r"failed 2 times.*500"):
                await embedder.embed(["a"])

    async def test_a_refusal_is_not_retried(self, service: Service) -> None:
        service.faults = [Response(status_code=401)]
        async with asking(service) as embedder:
            with pytest.raises(EmbeddingServiceMisused, match="status 401"):
                await embedder.embed(["a"])
        assert len(service.bodies) == 1

    async def test_other_dimensions_are_named(self, service: Service) -> None:
        service.length = 4
        async with asking(service) as embedder:
            with pytest.raises(EmbeddingServiceMisused, match="4 dimensions, 3 are configured"):
                await embedder.embed(["a"])

    async def test_an_answer_of_another_kind_is_refused(self, service: Service) -> None:
        service.faults = [JSONResponse({"error": "no"})]
        async with asking(service) as embedder:
            with pytest.raises(EmbeddingServiceMisused, match="isn't a list of vectors"):
                await embedder.embed(["a"])


class TestDigest:
    def test_names_the_model_and_its_dimensions_but_no_key(self) -> None:
        def digest(**fields: Any) -> str:
            service: dict[str, Any] = {"base_url": "http://x/v1", "model": "m", "dimensions": 3} | fields
            return HttpEmbedder(EmbeddingService(**service)).digest

        assert digest() == digest(key="k")
        assert len({digest(), digest(model="n"), digest(dimensions=4)}) == 3
