"""Problem details (RFC 9457): every error of the HTTP API in one shape, never a stack trace."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from pydantic import ValidationError
from starlette.responses import Response

from steward.base.errors import InvalidInput, Refusal, StewardError
from steward.govern.access.errors import RateLimited

MEDIA_TYPE = "application/problem+json"

_SAID = {"model_type": "Input should be an object", "model_attributes_type": "Input should be an object"}
"""What is said where Pydantic's own sentence names a class of ours."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with a body: where (JSON pointer, RFC 6901) and what."""

    pointer: str
    detail: str


class Malformed(InvalidInput):
    """The body isn't UTF-8 JSON."""


class InvalidBody(InvalidInput):
    """The body is JSON of another shape than the call takes."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        first = self.faults[0]
        super().__init__(
            f"The body doesn't have the right form: {first.pointer or 'the whole'}: {first.detail}."
        )


class TooLarge(Refusal):
    """More was sent than is read."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class InternalError(StewardError):
    """A bug, shown to the caller as a reference only."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(f"Something failed on our side. Quote reference {reference} when you report it.")


def faults_of(error: ValidationError) -> tuple[Fault, ...]:
    """Return the faults that Pydantic found, without the values that caused them."""
    return tuple(
        Fault("".join(f"/{_escaped(part)}" for part in item["loc"]), _SAID.get(item["type"], item["msg"]))
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    )


def unexpected(failure: Exception) -> InternalError:
    """Log a bug by type and place, without its message (it may hold customer text), and name it."""
    reference = uuid4().hex[:12]
    frames = traceback.extract_tb(failure.__traceback__)
    _log.error(
        "request.failed",
        reference=reference,
        error=type(failure).__qualname__,
        at=[f"{frame.filename.rsplit('/src/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames[-6:]],
    )
    return InternalError(reference)


def problem_of(error: StewardError) -> dict[str, Any]:
    """Return the problem's JSON object."""
    problem: dict[str, Any] = {
        "type": f"urn:steward:problem:{kind_of(error)}",
        "title": error.title,
        "status": int(error.status),
        "detail": str(error),
    }
    if isinstance(error, InvalidBody):
        problem["errors"] = [{"pointer": fault.pointer, "detail": fault.detail} for fault in error.faults]
    if isinstance(error, InternalError):
        problem["reference"] = error.reference
    return problem


def problem_response(error: StewardError) -> Response:
    """Return the error as an `application/problem+json` answer."""
    body = json.dumps(problem_of(error), ensure_ascii=False).encode()
    return Response(body, status_code=int(error.status), media_type=MEDIA_TYPE, headers=headers_of(error))


def headers_of(error: StewardError) -> Mapping[str, str]:
    """Return the headers that an error's status calls for."""
    if isinstance(error, RateLimited):
        return {"Retry-After": str(error.retry_after_s)}
    if error.retryable:
        return {"Retry-After": "2"}
    if error.status is HTTPStatus.UNAUTHORIZED:
        return {"WWW-Authenticate": 'Bearer realm="steward"'}
    return {}


def kind_of(error: StewardError) -> str:
    """Return the error's name as a problem type has it: ConversationNotFound is conversation-not-found."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", type(error).__name__).lower()


def _escaped(part: int | str) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
