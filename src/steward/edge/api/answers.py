"""JSON answers, written straight from plain values: the hot path validates nothing that it wrote itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from steward.base.errors import StewardError
from steward.edge.callers import identify_for_api
from steward.edge.entrance import entrance
from steward.edge.problems import problem_response

_PRIVATE: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_answer(value: Any, *, status: int = 200) -> Response:
    """Return a value as JSON in UTF-8, for the caller alone: nothing between us and them may keep it."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain).encode()
    return Response(body, status_code=status, media_type="application/json", headers=_PRIVATE)


def no_content() -> Response:
    """Return 204."""
    return Response(status_code=204)


def moment(at: datetime) -> str:
    """Return a time as RFC 3339 in UTC."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def explain_to_program(request: Request, error: StewardError) -> Response:
    """Return an error as problem details."""
    return problem_response(error)


api: Final = entrance(identify_for_api, explain_to_program)
"""Decorator of API handlers: `@api(Permission.X)` or `@api(PUBLIC)`."""


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return moment(value)
    return str(value)
