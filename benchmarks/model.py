"""The simulated model at zero delay: `python -m benchmarks.model`.

The first time it sees a request it lets the simulated model answer it; from then on the ready bytes go out,
so that what is measured is the way to the model and not the model. A stream leaves token by token.
`GET /received` lists the requests it knows, oldest first.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass

from steward.improve.simulation.answering import answer, read_prompt
from steward.improve.simulation.serving import Receive, Scope, Send, listen, serve
from steward.improve.simulation.wire import Reply, streamed_answer, whole_answer

_MOST_REQUESTS = 2000


@dataclass(frozen=True, slots=True)
class Ready:
    """An answer as it is sent: one part, or one part per token."""

    kind: bytes
    parts: Sequence[bytes]


class ZeroDelayModel:
    """The ASGI application."""

    def __init__(self) -> None:
        self.answers: dict[bytes, Ready] = {}
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        match (scope["method"], scope["path"]):
            case ("POST", "/v1/chat/completions"):
                self.requests += 1
                await _send(send, 200, self._answer(body))
            case ("GET", "/received"):
                known = [json.loads(asked) for asked in self.answers]
                report = {"requests": self.requests, "received": known}
                await _send(send, 200, Ready(b"application/json", [json.dumps(report).encode()]))
            case _:
                await _send(
                    send, 404, Ready(b"application/json", [b'{"error":{"message":"no such address"}}'])
                )

    def _answer(self, body: bytes) -> Ready:
        ready = self.answers.get(body)
        if ready is None:
            ready = think(body, number=self.requests)
            if len(self.answers) < _MOST_REQUESTS:
                self.answers[body] = ready
        return ready


def think(body: bytes, *, number: int) -> Ready:
    """Let the simulated model answer a request's body in words; it proposes no tool."""
    asked = json.loads(body)
    text = answer(read_prompt(asked["messages"]))
    reply = Reply.to(asked, number=number, created=0, text=text)
    if asked.get("stream"):
        usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        return Ready(b"text/event-stream", list(streamed_answer(reply, usage=usage)))
    return Ready(b"application/json", [whole_answer(reply, usage=True)])


async def _send(send: Send, status: int, ready: Ready) -> None:
    headers = [(b"content-type", ready.kind), (b"x-simulated", b"true")]
    if len(ready.parts) == 1:
        headers.append((b"content-length", str(len(ready.parts[0])).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    for part in ready.parts:
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(description="The simulated model at zero delay: for benchmarks.")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    listener = listen("127.0.0.1", port)
    print(f"ready: http://127.0.0.1:{port}/v1", flush=True)
    serve(ZeroDelayModel(), listener)


if __name__ == "__main__":
    main()
