"""What the rest of Steward knows of models: a request in, pieces out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Role(StrEnum):
    """Who says a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of the prompt."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """Something the model may propose; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """What a model is asked.

    None means the model's own setting; of two deadlines the shorter one holds. `deadline_s` bounds
    the whole answer, `first_token_deadline_s` the time to its first piece.
    """

    messages: tuple[ChatMessage, ...]
    tools: tuple[Tool, ...] = ()
    max_output_tokens: int | None = None
    temperature: float | None = None
    deadline_s: float | None = None
    first_token_deadline_s: float | None = None


@dataclass(frozen=True, slots=True)
class TextPiece:
    """Some more text; pieces that arrive together come as one."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A whole tool call. The arguments are the model's own text and may not be valid JSON."""

    call_id: str
    name: str
    arguments_json: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the request; `estimated` when the server didn't say (see `pricing.estimate_tokens`)."""

    prompt_tokens: int
    completion_tokens: int
    estimated: bool = False


class FinishReason(StrEnum):
    """Why the model stopped."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Finished:
    """The last piece of a whole answer."""

    reason: FinishReason


ModelPiece = TextPiece | ToolCall | Usage | Finished


class ChatModel(Protocol):
    """A model that answers in a stream."""

    @property
    def name(self) -> str:
        """Its name in the assistant folder."""
        ...

    def stream(self, request: ChatRequest) -> AsyncIterator[ModelPiece]:
        """Yield the answer's pieces: text and tool calls, then one `Usage`, then one `Finished`.

        Raises:
            ModelError: it can't answer, or the answer broke off.
        """
        ...
