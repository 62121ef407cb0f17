"""OpenAI's chat protocol: the request's body, and the pieces in a stream's events. No network.

Written after the published API reference for chat completions (streaming, tools, `stream_options`);
what servers of other makers leave out or add is tolerated, as long as the answer is whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from steward.supply.models.contracts import ChatMessage, ChatRequest, FinishReason, Tool, ToolCall, Usage

DONE = b"[DONE]"


@dataclass(slots=True)
class Dialect:
    """What one server turned out not to understand; learned from its refusals, kept for its next requests."""

    asks_usage: bool = True
    sends_temperature: bool = True
    limit_name: str = "max_tokens"

    def learn(self, refusal: str) -> bool:
        """Adapt to a 400 answer; return whether asking again makes sense."""
        if self.asks_usage and "stream_options" in refusal:
            self.asks_usage = False
        elif self.limit_name == "max_tokens" and "max_completion_tokens" in refusal:
            self.limit_name = "max_completion_tokens"
        elif self.sends_temperature and "temperature" in refusal:
            self.sends_temperature = False
        else:
            return False
        return True


def request_body(
    request: ChatRequest, *, model: str, max_output_tokens: int, temperature: float, dialect: Dialect
) -> bytes:
    """Return the JSON body of a streaming chat request."""
    body: dict[str, Any] = {
        "model": model,
        "messages": [_message(message) for message in request.messages],
        "stream": True,
        dialect.limit_name: max_output_tokens,
    }
    if dialect.sends_temperature:
        body["temperature"] = temperature
    if dialect.asks_usage:
        body["stream_options"] = {"include_usage": True}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


class ServerError(Exception):
    """The server put an error where the answer should be; holds its short code only."""


class Unreadable(Exception):
    """An event isn't what the protocol says."""


@dataclass(slots=True)
class _PartialCall:
    call_id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class AnswerReader:
    """Collects an answer from its events; text is handed out at once, the rest kept to the end."""

    usage: Usage | None = None
    reason: FinishReason | None = None
    ended: bool = False
    _calls: dict[int, _PartialCall] = field(default_factory=dict)

    def read(self, event: bytes) -> str:
        """Take one event's data and return the text it adds, often none.

        Raises:
            ServerError: the event reports an error.
            Unreadable: the event isn't JSON of the expected shape.
        """
        if event == DONE:
            self.ended = True
            return ""
        try:
            chunk = from_json(event)
            if chunk.get("error") is not None:
                raise ServerError(error_code(chunk))
            if chunk.get("usage"):
                self.usage = _usage(chunk["usage"])
            choices = chunk.get("choices")
            return self._choice(choices[0]) if choices else ""
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            raise Unreadable(type(error).__name__) from None

    def tool_calls(self) -> list[ToolCall]:
        """Return the tool calls that arrived, in order."""
        return [
            ToolCall(call.call_id or f"call_{index}", call.name, "".join(call.arguments))
            for index, call in sorted(self._calls.items())
        ]

    @property
    def whole(self) -> bool:
        """Whether the answer came to its end."""
        return self.ended or self.reason is not None

    def _choice(self, choice: dict[str, Any]) -> str:
        if choice.get("finish_reason"):
            self.reason = _reason(choice["finish_reason"])
        # Servers that ignore `stream` put the whole answer into `message`.
        delta = choice.get("delta") or choice.get("message") or {}
        if delta.get("tool_calls"):
            self._tool_deltas(delta["tool_calls"])
        text = delta.get("content")
        if text is None:
            return ""
        if not isinstance(text, str):
            raise Unreadable("content")
        return text

    def _tool_deltas(self, deltas: list[dict[str, Any]]) -> None:
        for position, delta in enumerate(deltas):
            call = self._calls.setdefault(delta.get("index", position), _PartialCall())
            function = delta.get("function") or {}
            call.call_id = delta.get("id") or call.call_id
            call.name = function.get("name") or call.name
            if function.get("arguments"):
                call.arguments.append(str(function["arguments"]))


def error_code(answer: object) -> str:
    """Return the short code of an error answer, never its prose."""
    error = answer.get("error") if isinstance(answer, dict) else None
    if isinstance(error, dict):
        for name in ("code", "type"):
            value = str(error.get(name) or "")
            if value and len(value) <= 64 and value.replace("_", "").replace("-", "").isalnum():
                return value
    return "error"


def _message(message: ChatMessage) -> dict[str, str]:
    return {"role": message.role.value, "content": message.text}


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": function}


def _usage(usage: dict[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
    )


def _reason(value: str) -> FinishReason:
    try:
        return FinishReason(value)
    except ValueError:
        return FinishReason.TOOL_CALLS if value == "function_call" else FinishReason.OTHER
