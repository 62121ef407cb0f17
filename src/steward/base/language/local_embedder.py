"""The embedder of the default installation: MiniLM in a few threads, beside the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

import numpy as np

from steward.base.language.contracts import Vectors
from steward.base.language.minilm import MiniLm, open_minilm
from steward.base.language.numeric_form import NumericForm
from steward.base.language.weights import find_weights

# Requests of customers are small; whatever is larger waits behind them, piece by piece.
URGENT_TEXTS = 8
# Texts of one run: about 30 ms of short sentences, which is what an urgent request may have to wait. Longer
# runs take as long for each text.
TEXTS_PER_RUN = 8


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Part of a request that fits into one run."""

    texts: Sequence[str]
    vectors: asyncio.Future[Vectors]


class LocalEmbedder:
    """Embeds texts on this machine; implements `Embedder`.

    Requests that arrive while every thread is busy are put together into the next run; when one is
    idle, a request starts at once. Used from one event loop.
    """

    def __init__(self, model: MiniLm, *, workers: int = 1) -> None:
        """Serve a loaded model with `workers` runs at a time."""
        self._model = model
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="embed")
        self._running = 0
        self._urgent: deque[_Piece] = deque()
        self._patient: deque[_Piece] = deque()

    @classmethod
    def open(
        cls,
        cache_dir: Path,
        *,
        weights: Path | None = None,
        hub_cache: Path | None = None,
        allow_download: bool = False,
        form: NumericForm = NumericForm.INT8,
        workers: int = 1,
    ) -> Self:
        """Find the weights, check them, load the graph.

        Takes about 0.3 s with a cached graph, 2 s without; call it in a thread where that matters.

        Raises:
            WeightsNotFound: no weights on this machine.
            WeightsAltered: not the published weights.
            TokenizerAltered: not the published tokenizer.
        """
        files = find_weights(weights, hub_cache=hub_cache, allow_download=allow_download)
        return cls(open_minilm(files, cache_dir, form=form), workers=workers)

    @property
    def name(self) -> str:
        """The model's name."""
        return self._model.name

    @property
    def dimensions(self) -> int:
        """Length of each vector."""
        return self._model.dimensions

    @property
    def digest(self) -> str:
        """Identity of weights, builder and numeric form."""
        return self._model.digest

    def embed_now(self, texts: Sequence[str]) -> Vectors:
        """Embed in the calling thread: for training and commands, never on the event loop."""
        return self._model.vectors(texts)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, shape (len(texts), 384)."""
        if not texts:
            return np.empty((0, self.dimensions), np.float32)
        loop = asyncio.get_running_loop()
        queue = self._urgent if len(texts) <= URGENT_TEXTS else self._patient
        pieces = [
            _Piece(texts[start : start + TEXTS_PER_RUN], loop.create_future())
            for start in range(0, len(texts), TEXTS_PER_RUN)
        ]
        queue.extend(pieces)
        self._start_runs(loop)
        return np.concatenate(await asyncio.gather(*(piece.vectors for piece in pieces)))

    def is_word(self, word: str) -> bool:
        """Tell whether a lower-case word stands whole in the vocabulary."""
        return self._model.is_word(word)

    def close(self) -> None:
        """End the threads; runs under way finish first."""
        self._pool.shutdown(wait=True)

    def _start_runs(self, loop: asyncio.AbstractEventLoop) -> None:
        while self._running < self._workers and (pieces := self._next_run()):
            self._running += 1
            run = loop.run_in_executor(self._pool, self._run, pieces)
            run.add_done_callback(partial(self._finish, loop, pieces))

    def _next_run(self) -> list[_Piece]:
        """Take waiting pieces for one run, customers' first; who stopped waiting is left out."""
        taken: list[_Piece] = []
        count = 0
        for queue in (self._urgent, self._patient):
            while queue and (not taken or count + len(queue[0].texts) <= TEXTS_PER_RUN):
                piece = queue.popleft()
                if not piece.vectors.done():
                    taken.append(piece)
                    count += len(piece.texts)
            if taken:
                break
        return taken

    def _run(self, pieces: Sequence[_Piece]) -> Vectors:
        return self._model.vectors([text for piece in pieces for text in piece.texts])

    def _finish(
        self, loop: asyncio.AbstractEventLoop, pieces: Sequence[_Piece], run: asyncio.Future[Vectors]
    ) -> None:
        self._running -= 1
        self._start_runs(loop)
        start = 0
        failure = run.exception()
        for piece in pieces:
            end = start + len(piece.texts)
            if piece.vectors.done():
                pass
            elif failure is not None:
                piece.vectors.set_exception(failure)
            else:
                piece.vectors.set_result(run.result()[start:end])
            start = end
