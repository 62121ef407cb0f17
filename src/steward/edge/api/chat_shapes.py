"""OpenAI's chat format: what is read from a request, and how an answer, a chunk and an error look."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from steward.base.errors import InvalidInput, NotFound, StewardError
from steward.edge.bodies import Body
from steward.edge.problems import headers_of, kind_of
from steward.serve.conversations.contracts import Done
from steward.serve.conversations.events import event_data

_TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


class ModelNotFound(NotFound):
    """The `model` is neither the assistant's name nor the release being served."""

    def __init__(self, model: str, assistant: str) -> None:
        self.code = "model_not_found"
        super().__init__(
            f"The model '{model[:100]}' isn't served here; use '{assistant}' or see GET /v1/models."
        )


class NotOffered(InvalidInput):
    """The request asks for something that a guarded turn doesn't do."""


class TextPart(Body):
    """One part of a message's content."""

    type: str
    text: str | None = None


class ChatMessage(Body):
    """One message of the transcript."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | tuple[TextPart, ...] | None = None

    @property
    def text(self) -> str:
        """The content as one text.

        Raises:
            NotOffered: a part isn't text.
        """
        if self.content is None:
            return ""
        if isinstance(self.content, str):
            return self.content
        for part in self.content:
            if part.type != "text" or part.text is None:
                raise NotOffered(f"Content parts have to be text; '{part.type[:40]}' isn't read here.")
        return "\n".join(part.text or "" for part in self.content)


class StreamOptions(Body):
    """What a stream carries besides the answer."""

    include_usage: bool = False


class StewardExtra(Body):
    """Steward's own fields: the conversation to continue and the message's key."""

    conversation: str | None = None
    key: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None


class ChatBody(Body):
    """A chat completion request. Sampling parameters are accepted and have no effect."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())

    model: str
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: Annotated[str, StringConstraints(max_length=200)] | None = None
    n: int | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    logprobs: bool | None = None
    modalities: list[str] | None = None
    response_format: dict[str, Any] | None = None
    steward: StewardExtra | None = None

    def require_offered(self) -> None:
        """Refuse what can't be done, rather than answer as if it had been.

        Raises:
            NotOffered: names the parameter.
        """
        kind = (self.response_format or {}).get("type", "text")
        refused = {
            "n": self.n is not None and self.n != 1,
            "tools": bool(self.tools),
            "functions": bool(self.functions),
            "logprobs": bool(self.logprobs),
            "modalities": bool(set(self.modalities or ()) - {"text"}),
            "response_format": kind != "text",
        }
        for name, asked in refused.items():
            if asked:
                raise NotOffered(f"'{name}' isn't offered: a guarded turn gives one answer in plain text.")
        if self.messages[-1].role != "user":
            raise NotOffered("The last message has to be the customer's: role 'user'.")

    @property
    def said_before(self) -> tuple[tuple[str, str], ...]:
        """What customer and assistant said before the last message; system messages aren't part of it."""
        return tuple(
            (item.role, item.text) for item in self.messages[:-1] if item.role in {"user", "assistant"}
        )


@dataclass(frozen=True, slots=True)
class Head:
    """What all pieces of one answer have in common."""

    model: str
    created: int
    conversation: str


def transcript_digest(scope: str, said: Iterable[tuple[str, str]]) -> bytes:
    """Return the digest under which a transcript is found again, within one key and customer reference."""
    lines = [[role, text.strip()] for role, text in said]
    return hashlib.sha256(json.dumps([scope, lines], ensure_ascii=False).encode()).digest()


def completion(head: Head, text: str, done: Done) -> dict[str, Any]:
    """Return a whole answer."""
    return {
        "id": f"chatcmpl-{done.turn_id}",
        "object": "chat.completion",
        "created": head.created,
        "model": head.model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": usage(done),
        "steward": extra(head, done),
    }


def chunk(head: Head, name: str, *, delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
    """Return one piece of a streamed answer."""
    return {
        "id": name,
        "object": "chat.completion.chunk",
        "created": head.created,
        "model": head.model,
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }


def usage(done: Done) -> dict[str, int]:
    """Return the tokens used; zero where no model was called."""
    prompt, written = done.tokens.prompt or 0, done.tokens.completion or 0
    return {"prompt_tokens": prompt, "completion_tokens": written, "total_tokens": prompt + written}


def extra(head: Head, done: Done) -> dict[str, Any]:
    """Return the `steward` field of an answer: the done object and the conversation."""
    return {"conversation": head.conversation, **event_data(done)}


def data_line(value: dict[str, Any]) -> bytes:
    """Return a piece as OpenAI's streams frame it: data without an event name."""
    return b"data: " + json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"


async def explain_like_openai(request: Request, error: StewardError) -> Response:
    """Return an error in OpenAI's shape, so that its clients raise the right exception."""
    status = int(error.status)
    body = {
        "error": {
            "message": str(error),
            "type": _TYPES.get(status, "invalid_request_error" if status < 500 else "server_error"),
            "param": "model" if isinstance(error, ModelNotFound) else None,
            "code": error.code if isinstance(error, ModelNotFound) else kind_of(error).replace("-", "_"),
        }
    }
    content = json.dumps(body, ensure_ascii=False).encode()
    return Response(content, status_code=status, media_type="application/json", headers=headers_of(error))
