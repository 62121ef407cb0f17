"""A simulated model behind OpenAI's protocol: `python -m steward.improve.simulation.model_server`.

It says what it is: the model's name, the header `X-Simulated: true` on every answer, and the page at `/`.
Knobs come from the constructor, `--simulate` or STEWARD_SIMULATE (JSON), `POST /simulate` (until
`DELETE /simulate`), and the header `X-Simulate` for one request; each goes before the ones named earlier.
`GET /received` shows the last requests, so that a test can look for what should never leave the house.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from steward.base.clock import Clock, SystemClock
from steward.improve.simulation.answering import answer, propose, read_prompt
from steward.improve.simulation.knobs import Knobs, Misbehaviour
from steward.improve.simulation.misbehaviour import spoil
from steward.improve.simulation.serving import (
    Receive,
    Scope,
    Send,
    drop_connection,
    listen,
    serve,
    serve_beside,
)
from steward.improve.simulation.wire import (
    MODEL,
    Reply,
    embeddings_answer,
    error_answer,
    models_answer,
    streamed_answer,
    whole_answer,
)

_PAGE = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>{MODEL}</title>
<h1>Simulated model server</h1>
<p>This is a test tool of Steward, not a language model. It picks sentences out of the prompt that it is
sent, and can be told to be slow, wrong or broken. Never point a real assistant at it.</p>
<p>It speaks <code>POST /v1/chat/completions</code>, <code>POST /v1/embeddings</code>,
<code>GET /v1/models</code>; knobs: <a href="/simulate">/simulate</a>.</p></html>""".encode()
_KEPT_REQUESTS = 200


class ModelServer:
    """The ASGI application. One instance is one simulated model with its knobs and its chance."""

    def __init__(self, knobs: Knobs | None = None, *, seed: int = 0, clock: Clock | None = None) -> None:
        self._first_knobs = knobs or Knobs()
        self._clock = clock or SystemClock()
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, guards nothing
        self.knobs = self._first_knobs
        self.requests = 0
        self.received: deque[Mapping[str, Any]] = deque(maxlen=_KEPT_REQUESTS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        exchange = _Exchange(scope, receive, send)
        match (scope["method"], scope["path"].rstrip("/")):
            case ("POST", "/v1/chat/completions"):
                await self._chat(exchange)
            case ("POST", "/v1/embeddings"):
                await self._embeddings(exchange)
            case ("GET", "/v1/models"):
                await exchange.answer(200, models_answer(self._created()))
            case ("GET", ""):
                await exchange.answer(200, _PAGE, kind=b"text/html; charset=utf-8")
            case ("GET", "/received"):
                await exchange.answer(200, json.dumps(list(self.received)).encode())
            case ("GET" | "POST" | "DELETE", "/simulate"):
                await self._simulate(exchange)
            case _:
                await exchange.answer(404, error_answer("no such address", "invalid_request_error"))

    async def _simulate(self, exchange: _Exchange) -> None:
        if exchange.scope["method"] == "DELETE":
            self.knobs = self._first_knobs
        elif exchange.scope["method"] == "POST":
            try:
                self.knobs = self.knobs.merged(await exchange.body())
            except ValueError as error:
                await exchange.answer(422, error_answer(str(error), "invalid_knobs"))
                return
        state = {"knobs": self.knobs.model_dump(mode="json"), "requests": self.requests}
        await exchange.answer(200, json.dumps(state).encode())

    async def _embeddings(self, exchange: _Exchange) -> None:
        opened = await self._open(exchange)
        if opened is None:
            return
        body, _ = opened
        try:
            vectors = embeddings_answer(body)
        except ValueError as error:
            await exchange.answer(400, error_answer(str(error), "invalid_request_error"))
            return
        await exchange.answer(200, vectors)

    async def _chat(self, exchange: _Exchange) -> None:
        opened = await self._open(exchange)
        if opened is None:
            return
        body, knobs = opened
        reply = self._reply(body, knobs)
        options = body.get("stream_options") or {}
        if body.get("stream"):
            usage = knobs.usage and bool(options.get("include_usage"))
            await self._stream(exchange, reply, knobs, usage=usage)
        elif knobs.cut_off_after_tokens is not None:
            await drop_connection(exchange.scope, exchange.receive)
        else:
            await asyncio.sleep((knobs.first_token_ms + knobs.token_ms * len(reply.tokens)) / 1000)
            await exchange.answer(200, whole_answer(reply, usage=knobs.usage))

    async def _open(self, exchange: _Exchange) -> tuple[dict[str, Any], Knobs] | None:
        """Read a request and its knobs; answer the faults that come before any thinking."""
        raw = await exchange.body()
        try:
            body = json.loads(raw)
            knobs = self.knobs.merged(header) if (header := exchange.header(b"x-simulate")) else self.knobs
            if not isinstance(body, dict) or not isinstance(body.get("messages", []), list):
                raise ValueError("the body must be an object with a list of messages")
        except ValueError as error:
            await exchange.answer(400, error_answer(str(error), "invalid_request_error"))
            return None
        self.requests += 1
        self.received.append(body)
        # Drawn for each request whether needed or not, so that one knob doesn't shift another's chance.
        limited, failing = self._chance.random(), self._chance.random()
        if (
            knobs.api_key is not None
            and exchange.header(b"authorization") != f"Bearer {knobs.api_key}".encode()
        ):
            await exchange.answer(
                401, error_answer("Incorrect API key", "invalid_request_error", "invalid_api_key")
            )
        elif limited < knobs.rate_limit:
            wait = f"{knobs.retry_after_s:g}".encode()
            await exchange.answer(
                429,
                error_answer("Rate limit reached", "requests", "rate_limit_exceeded"),
                (b"retry-after", wait),
            )
        elif failing < knobs.error_rate:
            await exchange.answer(knobs.error_status, error_answer("simulated failure", "server_error"))
        elif refused := next((name for name in knobs.refuse if name in body), None):
            instead = " Use 'max_completion_tokens' instead." if refused == "max_tokens" else ""
            message = f"Unsupported parameter: '{refused}'.{instead}"
            await exchange.answer(
                400, error_answer(message, "invalid_request_error", "unsupported_parameter")
            )
        else:
            return body, knobs
        return None

    def _reply(self, body: Mapping[str, Any], knobs: Knobs) -> Reply:
        number, created = self.requests, self._created()
        if knobs.canned is not None:
            return Reply.to(body, number=number, created=created, text=knobs.canned)
        prompt = read_prompt(body.get("messages", []))
        proposal = propose(prompt, body.get("tools") or [], body.get("tool_choice"))
        if proposal is None:
            text = answer(prompt)
            if knobs.misbehave is not None:
                text = spoil(text, prompt, knobs.misbehave)
            return Reply.to(body, number=number, created=created, text=text)
        arguments = json.dumps(proposal.arguments)
        if knobs.misbehave is Misbehaviour.MALFORMED_JSON:
            arguments = arguments[:-1] + ',"'
        reply = Reply.to(body, number=number, created=created, text="")
        return replace(reply, proposal=proposal, arguments_json=arguments)

    async def _stream(self, exchange: _Exchange, reply: Reply, knobs: Knobs, *, usage: bool) -> None:
        if knobs.cut_off_after_tokens == 0:
            await drop_connection(exchange.scope, exchange.receive)
            return
        await _wait(knobs.first_token_ms)
        await exchange.start(200, b"text/event-stream")
        for position, event in enumerate(streamed_answer(reply, usage=usage)):
            # Position 0 is the role; a token's number is its position.
            if position > 1:
                await _wait(knobs.token_ms)
            if knobs.misbehave is Misbehaviour.MALFORMED_JSON and position == 2 and not reply.proposal:
                event = event[: len(event) // 2] + b"\n\n"
            await exchange.part(event)
            if position == knobs.cut_off_after_tokens:
                await drop_connection(exchange.scope, exchange.receive)
                return
            if position == knobs.error_after_tokens:
                failure = error_answer("simulated failure in the stream", "server_error", "overloaded")
                await exchange.part(b"data: " + failure + b"\n\n")
                break
        await exchange.part(b"", last=True)

    def _created(self) -> int:
        return int(self._clock.now().timestamp())


class _Exchange:
    """One request and its answer, in ASGI's terms."""

    __slots__ = ("_send", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.receive = receive
        self._send = send

    def header(self, name: bytes) -> bytes | None:
        headers: list[tuple[bytes, bytes]] = self.scope["headers"]
        return next((value for key, value in headers if key == name), None)

    async def body(self) -> bytes:
        collected: bytes = b""
        while True:
            message = await self.receive()
            collected += message.get("body", b"")
            if not message.get("more_body"):
                return collected

    async def start(self, status: int, kind: bytes, *more: tuple[bytes, bytes]) -> None:
        headers = [(b"content-type", kind), (b"x-simulated", b"true"), *more]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def part(self, body: bytes, *, last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": not last})

    async def answer(
        self, status: int, body: bytes, *more: tuple[bytes, bytes], kind: bytes = b"application/json"
    ) -> None:
        await self.start(status, kind, (b"content-length", str(len(body)).encode()), *more)
        await self.part(body, last=True)


async def _wait(milliseconds: float) -> None:
    if milliseconds:
        await asyncio.sleep(milliseconds / 1000)


@contextmanager
def serve_in_thread(knobs: Knobs | None = None, *, seed: int = 0) -> Iterator[str]:
    """Run a simulated model beside a test; yield its address up to and including /v1."""
    with serve_beside(ModelServer(knobs, seed=seed)) as url:
        yield f"{url}/v1"


def main() -> None:
    """Run the server until it is stopped."""
    parser = argparse.ArgumentParser(description="A simulated model behind OpenAI's protocol: a test tool.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the chance behind error_rate and rate_limit"
    )
    parser.add_argument(
        "--simulate", default=os.environ.get("STEWARD_SIMULATE", "{}"), help="knobs as JSON; see knobs.py"
    )
    given = parser.parse_args()
    try:
        knobs = Knobs.model_validate_json(given.simulate)
        listener = listen(given.host, given.port)
    except (ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    port = listener.getsockname()[1]
    print(f"{MODEL} (a test tool, not a model) on http://{given.host}:{port}/v1", flush=True)  # noqa: T201
    serve(ModelServer(knobs, seed=given.seed), listener)


if __name__ == "__main__":
    main()
