"""A chain of models: breakers, retries and fallback, all in this one place.

Everything here happens before the first piece. Once a piece has been yielded the answer belongs to
its model: if it breaks off then, the error goes to the caller, who knows what was already said.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from steward.supply.models.breaker import Breaker
from steward.supply.models.contracts import ChatModel, ChatRequest, ModelPiece
from steward.supply.models.errors import (
    EmptyAnswer,
    FailureReason,
    ModelError,
    ModelLate,
    ModelUnavailable,
    NoModelAnswered,
    RateLimited,
    RequestRefused,
    StreamBroken,
)


@dataclass(frozen=True, slots=True)
class Retries:
    """How a model is asked again before the next one's turn."""

    tries: int = 2
    pause_s: tuple[float, float] = (0.1, 0.4)
    longest_wait_s: float = 1.0
    """A server that asks for a longer wait is passed over instead."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """One failed try. `sentence` is safe to log and to show to operators."""

    model: str
    reason: FailureReason
    sentence: str
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class Chosen:
    """The first piece of a chain's answer: who answers, and why those before it didn't."""

    model: str
    passed_over: tuple[PassedOver, ...]


ChainPiece = Chosen | ModelPiece


class ModelChain:
    """Asks models in order until one begins to answer."""

    def __init__(
        self,
        models: Sequence[ChatModel],
        *,
        retries: Retries | None = None,
        breakers: Sequence[Breaker] | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: random.Random | None = None,
    ) -> None:
        self._models = tuple(models)
        self._retries = retries or Retries()
        self._breakers = tuple(breakers or (Breaker(now=now) for _ in models))
        self._now = now
        self._sleep = sleep
        self._chance = chance or random.Random()  # noqa: S311 - spreads retries, guards nothing

    @property
    def open_circuits(self) -> tuple[str, ...]:
        """Names of the models that are kept away at this moment."""
        return tuple(
            model.name for model, breaker in zip(self._models, self._breakers, strict=True) if breaker.is_open
        )

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ChainPiece, None]:
        """Yield `Chosen`, then the pieces of the model that answers.

        `request.deadline_s` bounds the whole chain; each model's own deadlines hold below it.

        Raises:
            NoModelAnswered: all failed before their first piece.
            ModelError: the one that answered broke off.
        """
        ends_at = None if request.deadline_s is None else self._now() + request.deadline_s
        passed: list[PassedOver] = []
        for model, breaker in zip(self._models, self._breakers, strict=True):
            for attempt in range(self._retries.tries):
                asked = self._within(request, ends_at)
                if asked is None:
                    break
                if not breaker.take():
                    sentence = f"The model {model.name} rests after failures."
                    passed.append(PassedOver(model.name, FailureReason.CIRCUIT_OPEN, sentence, 0.0))
                    break
                started = self._now()
                async with aclosing(_attempt(model, asked, breaker)) as pieces:
                    first = await anext(pieces, EmptyAnswer(model.name))
                    if not isinstance(first, ModelError):
                        yield Chosen(model.name, tuple(passed))
                        yield first
                        async for piece in pieces:
                            if isinstance(piece, ModelError):
                                raise piece
                            yield piece
                        return
                elapsed_ms = (self._now() - started) * 1000
                passed.append(PassedOver(model.name, first.reason, str(first), elapsed_ms))
                pause = self._pause(first, attempt)
                if pause is None or (ends_at is not None and self._now() + pause >= ends_at):
                    break
                await self._sleep(pause)
        raise NoModelAnswered([(failure.model, failure.reason) for failure in passed])

    def _within(self, request: ChatRequest, ends_at: float | None) -> ChatRequest | None:
        if ends_at is None:
            return request
        left = ends_at - self._now()
        return replace(request, deadline_s=left) if left > 0 else None

    def _pause(self, failure: ModelError, attempt: int) -> float | None:
        """Return how long to wait before asking the same model again; None when that makes no sense."""
        if attempt + 1 >= self._retries.tries or isinstance(failure, ModelLate):
            return None
        if not isinstance(failure, (ModelUnavailable, StreamBroken, EmptyAnswer, RateLimited)):
            return None
        jitter = self._chance.uniform(*self._retries.pause_s)
        if isinstance(failure, RateLimited) and failure.retry_after_s is not None:
            wait = failure.retry_after_s + jitter
            return wait if wait <= self._retries.longest_wait_s else None
        return jitter


async def _attempt(
    model: ChatModel, request: ChatRequest, breaker: Breaker
) -> AsyncGenerator[ModelPiece | ModelError, None]:
    """Yield a model's pieces, or its error as the last item, and tell the breaker how it went."""
    told = False
    stream: AsyncIterator[ModelPiece] = model.stream(request)
    try:
        async for piece in stream:
            if not told:
                breaker.succeeded()
                told = True
            yield piece
    except ModelError as error:
        told = True
        if isinstance(error, RequestRefused):
            breaker.abandoned()
        else:
            breaker.failed(rest_s=error.retry_after_s if isinstance(error, RateLimited) else None)
        yield error
    finally:
        if not told:
            breaker.abandoned()
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()
