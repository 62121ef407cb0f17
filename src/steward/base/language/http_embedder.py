"""Vectors from a service that speaks OpenAI's `/embeddings`: a hosted model or one's own server.

Requests are cut into batches and retried here and nowhere else. Vectors come back with length one,
whatever the service sends. Texts never appear in errors.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import httpx2
import numpy as np
from pydantic import BaseModel, ValidationError

from steward.base.digests import canonical_json, sha256_hex
from steward.base.language.contracts import Vectors
from steward.base.language.errors import EmbeddingServiceFailed, EmbeddingServiceMisused

_RETRIED_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
# OpenAI refuses empty strings; a full stop has as little meaning.
_NOTHING = "."


@dataclass(frozen=True, slots=True)
class EmbeddingService:
    """Where the service is and how to ask it.

    `dimensions` is what the vectors have. With `shortened` it is sent along, for models that can cut
    their vectors, such as text-embedding-3-large.
    """

    base_url: str
    model: str
    dimensions: int
    key: str | None = None
    shortened: bool = False
    batch_texts: int = 128
    concurrent_batches: int = 4
    attempts: int = 4
    timeout_s: float = 30.0
    first_pause_s: float = 0.25
    longest_pause_s: float = 8.0


class _Item(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Item]


class HttpEmbedder:
    """Embeds texts by HTTP; implements `Embedder`."""

    def __init__(self, service: EmbeddingService, *, client: httpx2.AsyncClient | None = None) -> None:
        """Ask `service` through `client`, or through a client of its own that `close` ends."""
        self._service = service
        self._client = client or httpx2.AsyncClient(timeout=service.timeout_s)
        self._url = service.base_url.rstrip("/") + "/embeddings"
        self._batches = asyncio.Semaphore(service.concurrent_batches)

    async def __aenter__(self) -> Self:
        """Return itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the client."""
        await self.close()

    @property
    def name(self) -> str:
        """The model's name."""
        return self._service.model

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self._service.dimensions

    @property
    def digest(self) -> str:
        """Identity of address, model and dimensions; what runs behind the address can't be proved."""
        service = self._service
        identity = {"url": self._url, "model": service.model, "dimensions": service.dimensions}
        return sha256_hex(canonical_json(identity))

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, shape (len(texts), dimensions).

        Raises:
            EmbeddingServiceFailed: it kept failing or didn't answer.
            EmbeddingServiceMisused: it refused the request, or its answer isn't vectors of this length.
        """
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        size = self._service.batch_texts
        try:
            async with asyncio.TaskGroup() as group:
                batches = [
                    group.create_task(self._embed_batch(texts[start : start + size]))
                    for start in range(0, len(texts), size)
                ]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None  # the batches fail for one and the same reason
        return np.concatenate([batch.result() for batch in batches])

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.aclose()

    async def _embed_batch(self, texts: Sequence[str]) -> Vectors:
        async with self._batches:
            response = await self._post(texts)
        try:
            items = sorted(_Answer.model_validate_json(response.content).data, key=lambda item: item.index)
        except ValidationError as error:
            raise EmbeddingServiceMisused(self._url, reason="its answer isn't a list of vectors") from error
        if len(items) != len(texts):
            raise EmbeddingServiceMisused(
                self._url, reason=f"it gave {len(items)} vectors for {len(texts)} texts"
            )
        lengths = {len(item.embedding) for item in items}
        if lengths != {self.dimensions}:
            found = ", ".join(map(str, sorted(lengths)))
            raise EmbeddingServiceMisused(
                self._url, reason=f"its vectors have {found} dimensions, {self.dimensions} are configured"
            )
        return _unit(np.array([item.embedding for item in items], np.float32))

    async def _post(self, texts: Sequence[str]) -> httpx2.Response:
        service = self._service
        body: dict[str, object] = {
            "model": service.model,
            "input": [text if text.strip() else _NOTHING for text in texts],
            "encoding_format": "float",
        }
        if service.shortened:
            body["dimensions"] = service.dimensions
        headers = {"Authorization": f"Bearer {service.key}"} if service.key else {}
        failure = "nothing"
        for attempt in range(1, service.attempts + 1):
            asked_pause = None
            try:
                response = await self._client.post(self._url, json=body, headers=headers)
            except httpx2.TransportError as error:
                failure = type(error).__name__
            else:
                if response.is_success:
                    return response
                failure = f"status {response.status_code}"
                if response.status_code not in _RETRIED_STATUS:
                    raise EmbeddingServiceMisused(self._url, reason=f"it answered with {failure}")
                asked_pause = _asked_pause_s(response)
            if attempt < service.attempts:
                await asyncio.sleep(self._pause_s(attempt, asked_pause))
        raise EmbeddingServiceFailed(self._url, reason=failure, attempts=service.attempts)

    def _pause_s(self, attempt: int, asked: float | None) -> float:
        """Wait as long as the service asks, else between half and all of a doubling pause."""
        service = self._service
        if asked is not None:
            return min(asked, service.longest_pause_s)
        pause = min(service.first_pause_s * float(2 ** (attempt - 1)), service.longest_pause_s)
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, guards nothing


def _asked_pause_s(response: httpx2.Response) -> float | None:
    try:
        return max(float(response.headers["retry-after"]), 0.0)
    except (KeyError, ValueError):
        return None


def _unit(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, np.float32(1e-12)), np.float32)
