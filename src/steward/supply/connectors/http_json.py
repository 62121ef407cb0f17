"""Systems reached over HTTP with JSON.

Works on the transport of httpx2, not on its client: a client would keep one customer's cookies for
the next, follow proxies from the environment and log addresses that hold arguments.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from steward.supply.connectors.answers import read_answer, read_finding
from steward.supply.connectors.contracts import (
    Argument,
    CallResult,
    FindResult,
    OperationSpec,
    Refused,
    Secrets,
    SystemSpec,
    Unreachable,
    Unsure,
)
from steward.supply.connectors.errors import BadSystem, UnknownOperation
from steward.supply.connectors.requests import (
    Address,
    Target,
    build_target,
    check_key,
    check_operation,
    read_address,
)

ANSWER_LIMIT_BYTES = 1_048_576
# A second try of a read waits this long: enough for a restarting process, short for a customer.
RETRY_PAUSE_S = (0.05, 0.25)
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.LocalProtocolError)


@dataclass(frozen=True, slots=True)
class _Route:
    operation: OperationSpec
    address: Address
    secret_name: str | None
    secret: str | None = field(repr=False)


class HttpConnector:
    """Calls the operations of all configured systems over one pool of connections."""

    def __init__(
        self,
        systems: Iterable[SystemSpec],
        secrets: Secrets,
        *,
        answer_limit_bytes: int = ANSWER_LIMIT_BYTES,
        max_connections: int = 100,
    ) -> None:
        """Check all systems, find their secrets and open no connection yet.

        A system whose secret is missing stays unreachable until the connector is built anew.

        Raises:
            BadSystem: a system's address or path can't be called, or two systems share a name.
        """
        self._answer_limit = answer_limit_bytes
        self._routes = _routes(systems, secrets)
        self._random = random.Random()  # noqa: S311 - spreads retries, guards nothing
        limits = httpx2.Limits(max_connections=max_connections, max_keepalive_connections=20)
        self._transport = httpx2.AsyncHTTPTransport(limits=limits, trust_env=False)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    def operation(self, full_name: str) -> OperationSpec:
        """Return the operation called `system.operation`.

        Raises:
            UnknownOperation: no system offers it.
        """
        return self._route(full_name).operation

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        """Call `system.operation` once (a read: at most twice) and say what became of it.

        Raises:
            UnknownOperation: no system offers it.
            UnknownArgument: the operation doesn't take one of the arguments.
            ValueError: the idempotency key doesn't fit into a header.
        """
        route = self._route(operation)
        target = build_target(route.operation, arguments)
        if isinstance(target, Refused):
            return target
        headers = self._headers(route, target, idempotency_key)
        if isinstance(headers, Unreachable):
            return headers
        ends_at = time.monotonic() + route.operation.deadline_s
        answer = await self._send(route, target, headers, ends_at)
        if route.operation.effect == "write" or not isinstance(answer, (Unsure, Unreachable)):
            return answer
        pause = self._random.uniform(*RETRY_PAUSE_S)
        if time.monotonic() + pause >= ends_at:
            return answer
        await asyncio.sleep(pause)
        return await self._send(route, target, headers, ends_at)

    async def find(self, operation: str, idempotency_key: str) -> FindResult:
        """Ask the system of record what became of a write.

        Raises:
            UnknownOperation: no system offers it, or it names no find operation.
        """
        write = self.operation(operation)
        if write.find is None:
            raise UnknownOperation(operation, "names no find operation")
        finder = self.operation(f"{write.system}.{write.find}")
        return read_finding(finder, await self.call(finder.full_name, {"key": idempotency_key}))

    def _route(self, full_name: str) -> _Route:
        try:
            return self._routes[full_name]
        except KeyError:
            raise UnknownOperation(full_name) from None

    def _headers(
        self, route: _Route, target: Target, idempotency_key: str | None
    ) -> dict[str, str] | Unreachable:
        # No compression: the limit on the answer's size is then the limit on what is read.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "steward"}
        if target.body is not None:
            headers["Content-Type"] = "application/json"
        if idempotency_key is not None:
            headers["Idempotency-Key"] = check_key(idempotency_key)
        if route.secret_name is not None:
            if route.secret is None:
                return Unreachable(f"the secret {route.secret_name} isn't set")
            if not (route.secret.isascii() and route.secret.isprintable()):
                return Unreachable(f"the secret {route.secret_name} can't be sent in a header")
            headers["Authorization"] = f"Bearer {route.secret}"
        return headers

    async def _send(
        self, route: _Route, target: Target, headers: Mapping[str, str], ends_at: float
    ) -> CallResult:
        """Send once. The reasons are our own words: a library's message may hold a header's value."""
        name = route.operation.full_name
        sent = False

        async def trace(event: str, _: Any) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        request = _request(route, target, headers)
        request.extensions["trace"] = trace
        try:
            async with asyncio.timeout(ends_at - time.monotonic()):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await self._read(response)
                finally:
                    await response.aclose()
        except TimeoutError:
            reason = f"{name} didn't answer within {route.operation.deadline_s:g} s"
            return Unsure(reason) if sent else Unreachable(reason)
        except _NOT_SENT:
            return Unreachable(f"{name} can't be reached")
        except httpx2.HTTPError:
            lost = f"the connection broke before {name} answered"
            return Unsure(lost) if sent else Unreachable(lost)
        if body is None:
            return Unsure(f"{name} answered {response.status_code} with more than {self._answer_limit} bytes")
        return read_answer(route.operation, response.status_code, body)

    async def _read(self, response: httpx2.Response) -> bytes | None:
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > self._answer_limit:
                return None
        return bytes(body)


def _routes(systems: Iterable[SystemSpec], secrets: Secrets) -> dict[str, _Route]:
    routes: dict[str, _Route] = {}
    names: set[str] = set()
    for system in systems:
        if system.name in names:
            raise BadSystem(system.name, "is described twice")
        names.add(system.name)
        address = read_address(system)
        secret = secrets.find(system.secret_name) if system.secret_name else None
        for operation in system.operations:
            check_operation(system, operation)
            if operation.system != system.name or operation.full_name in routes:
                raise BadSystem(system.name, f"offers {operation.name} twice or for another system")
            routes[operation.full_name] = _Route(operation, address, system.secret_name, secret)
    return routes


def _request(route: _Route, target: Target, headers: Mapping[str, str]) -> httpx2.Request:
    """Build the request; path and query are quoted already and must not be normalised again."""
    address = route.address
    port = "" if address.port is None else f":{address.port}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    url = httpx2.URL(f"{address.scheme}://{host}{port}").copy_with(
        raw_path=f"{address.path}{target.path}".encode()
    )
    return httpx2.Request(route.operation.method, url, headers=dict(headers), content=target.body)
