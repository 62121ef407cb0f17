"""Reading request bodies: bounded, UTF-8 JSON, cleaned, and of the shape that the call takes."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request

from steward.edge.problems import InvalidBody, Malformed, TooLarge, faults_of

BODY_LIMIT_BYTES = 64 * 1024
TEXT_LIMIT = 20_000
"""Longest message in characters: several pages, more than any person types."""

_LONE_SURROGATES = str.maketrans({**dict.fromkeys(range(0xD800, 0xE000), "\ufffd"), 0: None})
_JSON_DEPTH = 64

Shape = TypeVar("Shape", bound="Body")


class Body(BaseModel):
    """A request body; unknown fields are ignored, so that newer clients can talk to older servers."""

    model_config = ConfigDict(frozen=True, extra="ignore", str_max_length=BODY_LIMIT_BYTES)


async def read_body(request: Request, shape: type[Shape], *, limit: int = BODY_LIMIT_BYTES) -> Shape:
    """Read and check a JSON body.

    Raises:
        TooLarge: it is longer than `limit` bytes.
        Malformed: it isn't UTF-8 JSON.
        InvalidBody: it has another shape.
    """
    content = await read_bytes(request, limit=limit)
    value = parse_json(content) if content else {}
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        raise InvalidBody(faults_of(error)) from None


async def read_bytes(request: Request, *, limit: int = BODY_LIMIT_BYTES) -> bytes:
    """Read a body of at most `limit` bytes.

    Raises:
        TooLarge: it is longer.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"The body has {declared} bytes; at most {limit} are read.")
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise TooLarge(f"The body is longer than the {limit} bytes that are read.")
    return bytes(content)


def parse_json(content: bytes) -> Any:
    """Return the JSON value, its texts free of NUL and of halves of surrogate pairs.

    Raises:
        Malformed: the bytes aren't UTF-8 or aren't JSON.
    """
    try:
        return _cleaned(json.loads(content.decode()), depth=0)
    except UnicodeDecodeError:
        raise Malformed("The body isn't valid UTF-8; send JSON in UTF-8.") from None
    except (ValueError, RecursionError):
        # Not only JSONDecodeError: Python refuses to read a number of thousands of digits.
        raise Malformed("The body isn't valid JSON.") from None


def check_text(text: str) -> str:
    """Return a customer's text if it's short enough to answer.

    Raises:
        TooLarge: it is longer than a message may be.
    """
    if len(text) > TEXT_LIMIT:
        raise TooLarge(
            f"The message has {len(text)} characters; at most {TEXT_LIMIT} are read. Send a shorter one."
        )
    return text


def _cleaned(value: Any, *, depth: int) -> Any:
    if depth > _JSON_DEPTH:
        raise Malformed(f"The JSON is nested deeper than {_JSON_DEPTH} levels.")
    if isinstance(value, str):
        return value.translate(_LONE_SURROGATES) if _needs_cleaning(value) else value
    if isinstance(value, list):
        return [_cleaned(item, depth=depth + 1) for item in value]
    if isinstance(value, dict):
        return {
            _cleaned(key, depth=depth + 1): _cleaned(item, depth=depth + 1) for key, item in value.items()
        }
    return value


def _needs_cleaning(text: str) -> bool:
    if "\0" in text:
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False
