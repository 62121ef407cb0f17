"""Errors of models.

OperationalError
├── Unavailable
│   ├── ModelUnavailable     no connection, 5xx, or an error instead of an answer
│   ├── RateLimited          429, with the wait that the server asks for
│   ├── ModelLate            a deadline passed
│   ├── StreamBroken         the answer broke off or can't be read
│   ├── EmptyAnswer          the model finished without saying anything
│   └── NoModelAnswered      the whole chain failed
└── Misconfigured
    ├── KeyMissing           the named secret isn't set
    ├── KeyRefused           401, 403
    └── RequestRefused       another 4xx: wrong model name, prompt too long

Sentences name the model, the status and the server's short error code, never its prose: providers
quote keys and prompts in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from steward.base.errors import Misconfigured, OperationalError, Unavailable


class FailureReason(StrEnum):
    """Why a model didn't answer."""

    CIRCUIT_OPEN = "circuit_open"
    UNAVAILABLE = "unavailable"
    RATE_LIMITED = "rate_limited"
    FIRST_PIECE_LATE = "first_piece_late"
    DEADLINE = "deadline"
    BROKEN = "broken"
    EMPTY = "empty"
    KEY_MISSING = "key_missing"
    KEY_REFUSED = "key_refused"
    REQUEST_REFUSED = "request_refused"
    ALL_FAILED = "all_failed"


class ModelError(OperationalError):
    """A model didn't answer, or not to the end."""

    def __init__(self, model: str, reason: FailureReason, sentence: str) -> None:
        super().__init__(f"The model {model} {sentence}.")
        self.model = model
        self.reason = reason


class ModelUnavailable(ModelError, Unavailable):
    """The server can't be reached, fails, or reports an error instead of an answer."""

    def __init__(self, model: str, what: str) -> None:
        super().__init__(model, FailureReason.UNAVAILABLE, f"isn't available: {what}")


class RateLimited(ModelError, Unavailable):
    """The server asks to come back later."""

    def __init__(self, model: str, retry_after_s: float | None) -> None:
        wait = "" if retry_after_s is None else f"; it asks to wait {retry_after_s:g} s"
        super().__init__(model, FailureReason.RATE_LIMITED, f"limits the rate of requests{wait}")
        self.retry_after_s = retry_after_s


class ModelLate(ModelError, Unavailable):
    """A deadline passed."""

    def __init__(self, model: str, limit_s: float, *, first_token: bool) -> None:
        reason = FailureReason.FIRST_PIECE_LATE if first_token else FailureReason.DEADLINE
        what = "hadn't begun to answer" if first_token else "hadn't finished its answer"
        super().__init__(model, reason, f"{what} after {limit_s:g} s")


class StreamBroken(ModelError, Unavailable):
    """The answer broke off, or what arrived can't be read. What was yielded before is all there is."""

    def __init__(self, model: str, what: str) -> None:
        super().__init__(model, FailureReason.BROKEN, f"broke off its answer: {what}")


class EmptyAnswer(ModelError, Unavailable):
    """The model finished without text and without a tool call."""

    def __init__(self, model: str) -> None:
        super().__init__(model, FailureReason.EMPTY, "finished without an answer")


class KeyMissing(ModelError, Misconfigured):
    """The secret that the folder names isn't set."""

    def __init__(self, model: str, secret_name: str) -> None:
        sentence = f"needs the secret {secret_name}: set the environment variable or the secret's file"
        super().__init__(model, FailureReason.KEY_MISSING, sentence)


class KeyRefused(ModelError, Misconfigured):
    """The server doesn't accept the key, or the key may not use the model."""

    def __init__(self, model: str, status: int) -> None:
        super().__init__(
            model, FailureReason.KEY_REFUSED, f"was refused ({status}): check its key and what it may use"
        )


class RequestRefused(ModelError, Misconfigured):
    """The server finds the request wrong."""

    def __init__(self, model: str, status: int, code: str) -> None:
        super().__init__(
            model,
            FailureReason.REQUEST_REFUSED,
            f"refused the request ({status} {code}): check the model's name, address and limits",
        )


class NoModelAnswered(ModelError, Unavailable):
    """Every model of a chain failed before its first piece."""

    def __init__(self, failures: Sequence[tuple[str, FailureReason]]) -> None:
        names = ", ".join(f"{name} ({reason})" for name, reason in failures) or "none is configured"
        super().__init__("chain", FailureReason.ALL_FAILED, f"found no model that answers: {names}")
        self.failures = tuple(failures)
