"""The company's HTTP service: its operations, `/outcomes/{key}`, `/journal`, `/faults` and a page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from steward.app.demo.business.company import Company, Outcome
from steward.app.demo.business.faults import Faults, read_faults
from steward.app.demo.business.page import draw_page
from steward.app.demo.business.routes import Route, match
from steward.improve.simulation.serving import Receive, Scope, Send, drop_connection

_BODY_LIMIT_BYTES = 65_536


class Service:
    """The ASGI application."""

    def __init__(self, company: Company, faults: Faults) -> None:
        self._company = company
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            body = await _read_body(receive)
        except ValueError:
            await _answer(send, Outcome(413, {"code": "too_large", "detail": "The body is too large."}))
            return
        path = scope["raw_path"].decode("ascii", "replace")
        found = match(scope["method"], path)
        if found is not None:
            await self._operate(*found, scope, receive, send, body)
            return
        match (scope["method"], path):
            case ("GET", "/"):
                await _send_page(send, draw_page(self._company, self._faults))
            case ("GET", "/healthz"):
                await _answer(send, Outcome(200, {"status": "up"}))
            case ("GET", "/journal"):
                after = dict(parse_qsl(scope["query_string"].decode())).get("after", "0")
                start = int(after) if after.isdigit() else 0
                await _answer(send, Outcome(200, {"entries": self._company.entries[start:]}))
            case ("GET", outcome) if outcome.startswith("/outcomes/"):
                await self._tell_outcome(unquote(outcome.removeprefix("/outcomes/")), scope, receive, send)
            case ("GET" | "POST" | "DELETE", "/faults"):
                await self._switch_faults(scope, send, body)
            case _:
                await _answer(send, Outcome(404, {"code": "no_such_address", "detail": "Nothing is here."}))

    async def _operate(
        self,
        route: Route,
        in_path: Mapping[str, str],
        scope: Scope,
        receive: Receive,
        send: Send,
        body: bytes,
    ) -> None:
        key = _header(scope, b"idempotency-key") if route.write else None
        self._company.arrived(key)
        try:
            fault = self._faults.take(route.operation)
            await asyncio.sleep(fault.slow_ms / 1000)
            if fault.fail_status is not None:
                await _answer(send, _failure(fault.fail_status))
                return
            outcome = self._work(route, in_path, scope, key, body)
        finally:
            self._company.left(key)
        if fault.drop_after_work:
            await drop_connection(scope, receive)
        else:
            await _answer(send, outcome)

    def _work(
        self, route: Route, in_path: Mapping[str, str], scope: Scope, key: str | None, body: bytes
    ) -> Outcome:
        if route.read:
            return self._company.read(route, {**dict(parse_qsl(scope["query_string"].decode())), **in_path})
        try:
            given = json.loads(body or b"{}")
        except ValueError:
            given = None
        if not isinstance(given, dict):
            return Outcome(400, {"code": "not_an_object", "detail": "The body must be a JSON object."})
        return self._company.write(route, {**given, **in_path}, key=key)

    async def _tell_outcome(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._faults.take("outcome_by_key")
        await asyncio.sleep(fault.slow_ms / 1000)
        if fault.fail_status is not None:
            await _answer(
                send, Outcome(fault.fail_status, {"code": "fault", "detail": "A fault was switched on."})
            )
        elif fault.drop_after_work:
            await drop_connection(scope, receive)
        else:
            await _answer(send, self._company.outcome_of(key))

    async def _switch_faults(self, scope: Scope, send: Send, body: bytes) -> None:
        # The page's forms send `fault=…`, empty to clear; everyone else sends JSON.
        from_page = body.startswith(b"fault=")
        text = dict(parse_qsl(body.decode())).get("fault", "") if from_page else body
        if scope["method"] == "DELETE" or (from_page and not text):
            self._faults.clear()
        elif scope["method"] == "POST":
            try:
                self._faults.add(read_faults(text))
            except ValueError as error:
                await _answer(send, Outcome(422, {"code": "bad_fault", "detail": str(error)}))
                return
        if from_page:
            await _redirect_home(send)
            return
        active = [fault.model_dump(mode="json") for fault in self._faults.active]
        await _answer(send, Outcome(200, {"faults": active}))


def _failure(status: int) -> Outcome:
    return Outcome(status, {"code": "fault", "detail": "A fault was switched on."})


async def _read_body(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > _BODY_LIMIT_BYTES:
            raise ValueError("the body is too large")
        if not message.get("more_body"):
            return body


def _header(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)


async def _answer(send: Send, outcome: Outcome) -> None:
    kind = b"application/json" if outcome.status < 400 else b"application/problem+json"
    await _send(send, outcome.status, kind, json.dumps(outcome.body, ensure_ascii=False).encode())


async def _send_page(send: Send, page: str) -> None:
    await _send(send, 200, b"text/html; charset=utf-8", page.encode())


async def _redirect_home(send: Send) -> None:
    await _send(send, 303, b"text/plain", b"", (b"location", b"/"))


async def _send(send: Send, status: int, kind: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers: list[Any] = [
        (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'"),
        *more,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
