"""OpenAI's answers as bytes: chat completions whole and streamed, models, embeddings, errors. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steward.improve.simulation.answering import Proposal, prompt_tokens, split_tokens
from steward.improve.simulation.vectors import hashed_vector

MODEL = "steward-simulated"


@dataclass(frozen=True, slots=True)
class Reply:
    """What the simulated model says to one request. `arguments_json` belongs to the proposal."""

    identifier: str
    model: str
    created: int
    tokens: tuple[str, ...]
    proposal: Proposal | None
    arguments_json: str
    prompt_tokens: int

    @classmethod
    def to(cls, body: Mapping[str, Any], *, number: int, created: int, text: str) -> Reply:
        """Build a reply of text."""
        return cls(
            identifier=f"chatcmpl-simulated-{number}",
            model=str(body.get("model") or MODEL),
            created=created,
            tokens=tuple(split_tokens(text)),
            proposal=None,
            arguments_json="",
            prompt_tokens=prompt_tokens(body),
        )

    @property
    def usage(self) -> dict[str, int]:
        """Tokens by the simulated server's own measure."""
        completion = len(self.tokens) + len(split_tokens(self.arguments_json))
        total = self.prompt_tokens + completion
        return {"prompt_tokens": self.prompt_tokens, "completion_tokens": completion, "total_tokens": total}

    @property
    def finish_reason(self) -> str:
        """Why it stops."""
        return "tool_calls" if self.proposal else "stop"


def whole_answer(reply: Reply, *, usage: bool) -> bytes:
    """Return the body of an answer that isn't streamed."""
    message: dict[str, Any] = {"role": "assistant", "content": "".join(reply.tokens)}
    if reply.proposal:
        message = {"role": "assistant", "content": None, "tool_calls": [_tool_call(reply)]}
    answer = _frame(reply, "chat.completion")
    answer["choices"] = [
        {"index": 0, "message": message, "finish_reason": reply.finish_reason, "logprobs": None}
    ]
    if usage:
        answer["usage"] = reply.usage
    return json.dumps(answer).encode()


def streamed_answer(reply: Reply, *, usage: bool) -> Iterator[bytes]:
    """Yield the stream's events; the first carries the role, then one token each, then the end."""
    head = _event_head(reply)
    yield _event(head, '{"role":"assistant","content":""}')
    if reply.proposal:
        call = _tool_call(reply)
        arguments = split_tokens(call["function"].pop("arguments"))
        opening = {"index": 0, **call, "function": {**call["function"], "arguments": ""}}
        yield _event(head, json.dumps({"tool_calls": [opening]}))
        for token in arguments:
            delta = {"tool_calls": [{"index": 0, "function": {"arguments": token}}]}
            yield _event(head, json.dumps(delta))
    for token in reply.tokens:
        yield _event(head, f'{{"content":{json.dumps(token)}}}')
    yield _event(head, "{}", f'"{reply.finish_reason}"')
    if usage:
        yield f'data: {head}"choices":[],"usage":{json.dumps(reply.usage)}}}\n\n'.encode()
    yield b"data: [DONE]\n\n"


def error_answer(message: str, kind: str, code: str | None = None) -> bytes:
    """Return an error's body."""
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}}).encode()


def models_answer(created: int) -> bytes:
    """Return the list of models: one, which says what it is."""
    row = {"id": MODEL, "object": "model", "created": created, "owned_by": "steward simulation, a test tool"}
    return json.dumps({"object": "list", "data": [row]}).encode()


def embeddings_answer(body: Mapping[str, Any]) -> bytes:
    """Return hashed vectors for `input`, as floats or base64.

    Raises:
        ValueError: the input isn't text, or the dimensions are out of bounds.
    """
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    dimensions = body.get("dimensions", 384)
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError("input must be a text or a list of texts")
    if not isinstance(dimensions, int) or not 1 <= dimensions <= 8192:
        raise ValueError("dimensions must lie between 1 and 8192")
    rows = []
    for index, text in enumerate(texts):
        vector = hashed_vector(text, dimensions)
        encoded: Any = vector.tolist()
        if body.get("encoding_format") == "base64":
            encoded = base64.b64encode(vector.astype("<f4").tobytes()).decode()
        rows.append({"object": "embedding", "index": index, "embedding": encoded})
    count = sum(len(split_tokens(text)) for text in texts)
    usage = {"prompt_tokens": count, "total_tokens": count}
    return json.dumps(
        {"object": "list", "data": rows, "model": body.get("model") or MODEL, "usage": usage}
    ).encode()


def _tool_call(reply: Reply) -> dict[str, Any]:
    name = reply.proposal.name if reply.proposal else ""
    function = {"name": name, "arguments": reply.arguments_json}
    return {"id": f"call_{reply.identifier}", "type": "function", "function": function}


def _frame(reply: Reply, kind: str) -> dict[str, Any]:
    return {"id": reply.identifier, "object": kind, "created": reply.created, "model": reply.model}


def _event_head(reply: Reply) -> str:
    return json.dumps(_frame(reply, "chat.completion.chunk"))[:-1] + ","


def _event(head: str, delta: str, reason: str = "null") -> bytes:
    return f'data: {head}"choices":[{{"index":0,"delta":{delta},"finish_reason":{reason}}}]}}\n\n'.encode()
