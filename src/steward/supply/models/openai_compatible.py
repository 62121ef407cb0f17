"""Any server that speaks OpenAI's chat protocol, by a thin streaming client of our own.

It is the hottest path of a turn, so it works on httpx2's transport: no cookies, no redirects, no log
line per request, and about a fifth of the processor time of the provider's own client. It asks once;
trying again and falling back is `resilience.ModelChain`'s, in one place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx2
from pydantic_core import from_json

from steward.supply.connectors.contracts import Secrets
from steward.supply.models.arrivals import Arrivals
from steward.supply.models.contracts import ChatRequest, Finished, FinishReason, ModelPiece, TextPiece
from steward.supply.models.errors import (
    EmptyAnswer,
    KeyMissing,
    KeyRefused,
    ModelLate,
    ModelUnavailable,
    RateLimited,
    RequestRefused,
    StreamBroken,
)
from steward.supply.models.event_stream import EventData, WholeBody
from steward.supply.models.openai_wire import (
    AnswerReader,
    Dialect,
    ServerError,
    Unreadable,
    error_code,
    request_body,
)
from steward.supply.models.pricing import Prices, estimate_usage

_ERROR_LIMIT_BYTES = 65_536
# After the answer's end the connection is reusable once its last bytes are read; they are mostly there.
_DRAIN_S = 0.1
# Three things a server may not understand, each learned by one refusal.
_MOST_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model of the assistant folder. The secret, if named, is sent as a bearer token."""

    name: str
    model: str
    url: str
    secret_name: str | None = None
    prices: Prices | None = None
    first_token_deadline_s: float = 8.0
    deadline_s: float = 30.0
    max_output_tokens: int = 400
    temperature: float = 0.0


class OpenAICompatibleModel:
    """Streams answers from one model over a pool of connections that stay open."""

    def __init__(self, spec: ModelSpec, secrets: Secrets, *, max_connections: int = 200) -> None:
        """Find the key and open no connection yet.

        Raises:
            KeyMissing: the named secret isn't set, or can't be sent in a header.
        """
        headers = {
            "Accept": "text/event-stream",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "steward",
        }
        if spec.secret_name is not None:
            key = secrets.find(spec.secret_name)
            if key is None or not (key.isascii() and key.isprintable()):
                raise KeyMissing(spec.name, spec.secret_name)
            headers["Authorization"] = f"Bearer {key}"
        self.spec = spec
        self._headers = headers
        self._url = httpx2.URL(f"{spec.url.rstrip('/')}/chat/completions")
        self._dialect = Dialect()
        self._transport = httpx2.AsyncHTTPTransport(
            limits=httpx2.Limits(
                max_connections=max_connections,
                max_keepalive_connections=max_connections,
                keepalive_expiry=60,
            ),
            proxy=_proxy_for(spec.url),
        )

    @property
    def name(self) -> str:
        """Its name in the assistant folder."""
        return self.spec.name

    async def aclose(self) -> None:
        """Close all connections."""
        await self._transport.aclose()

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ModelPiece, None]:
        """Yield the answer's pieces: text as it arrives, tool calls, one `Usage`, one `Finished`.

        Close the generator to stop the answer: the connection is closed with it.

        Raises:
            ModelError: it can't answer, or the answer broke off.
        """
        deadlines = _Deadlines.of(self.spec, request)
        response = await self._ask(request, deadlines)
        arrivals = Arrivals(response.aiter_raw())
        try:
            reader, events, said = AnswerReader(), _events_of(response), list[str]()
            while not reader.ended:
                part = await self._next(arrivals, deadlines)
                text, broken = self._read(reader, events, part)
                if text:
                    deadlines.begun = True
                    said.append(text)
                    yield TextPiece(text)
                if broken is not None:
                    raise broken
                if not part:
                    break
            if not reader.whole:
                raise StreamBroken(self.name, "the connection closed before the end")
            calls = reader.tool_calls()
            if not said and not calls:
                raise EmptyAnswer(self.name)
            for call in calls:
                yield call
            answer = "".join([*said, *(call.name + call.arguments_json for call in calls)])
            yield reader.usage or estimate_usage(request.messages, request.tools, answer)
            yield Finished(reader.reason or FinishReason.STOP)
            await arrivals.drain(within_s=_DRAIN_S)
        finally:
            await arrivals.close()
            await response.aclose()

    async def _ask(self, request: ChatRequest, deadlines: _Deadlines) -> httpx2.Response:
        """Send the request, again if the server refuses something that can be left out."""
        for _ in range(_MOST_REFUSALS):
            response = await self._send(request, deadlines)
            if response.status_code == 200:
                return response
            refusal = await self._refusal(response, deadlines)
            if response.status_code != 400 or not self._dialect.learn(refusal):
                raise self._error(response, refusal)
        raise RequestRefused(self.name, 400, "repeatedly")

    async def _send(self, request: ChatRequest, deadlines: _Deadlines) -> httpx2.Response:
        body = request_body(
            request,
            model=self.spec.model,
            max_output_tokens=request.max_output_tokens or self.spec.max_output_tokens,
            temperature=self.spec.temperature if request.temperature is None else request.temperature,
            dialect=self._dialect,
        )
        sending = httpx2.Request("POST", self._url, headers=self._headers, content=body)
        try:
            async with asyncio.timeout_at(deadlines.next_at):
                return await self._transport.handle_async_request(sending)
        except TimeoutError:
            raise deadlines.passed(self.name) from None
        except httpx2.HTTPError as error:
            raise ModelUnavailable(self.name, f"no answer ({type(error).__name__})") from None

    async def _refusal(self, response: httpx2.Response, deadlines: _Deadlines) -> str:
        body = bytearray()
        try:
            async with asyncio.timeout_at(deadlines.next_at):
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > _ERROR_LIMIT_BYTES:
                        break
        except (TimeoutError, httpx2.HTTPError):
            body.clear()
        finally:
            await response.aclose()
        return body.decode(errors="replace")

    def _error(self, response: httpx2.Response, refusal: str) -> Exception:
        status = response.status_code
        if status == 429:
            return RateLimited(self.name, _retry_after_s(response.headers))
        if status in (401, 403):
            return KeyRefused(self.name, status)
        if status >= 500 or status == 408:
            return ModelUnavailable(self.name, f"the server answered {status}")
        try:
            code = error_code(from_json(refusal))
        except ValueError:
            code = "error"
        return RequestRefused(self.name, status, code)

    async def _next(self, arrivals: Arrivals, deadlines: _Deadlines) -> bytes:
        try:
            return await arrivals.take(until=deadlines.next_at)
        except TimeoutError:
            raise deadlines.passed(self.name) from None
        except httpx2.HTTPError as error:
            raise StreamBroken(self.name, f"the connection broke ({type(error).__name__})") from None

    def _read(
        self, reader: AnswerReader, events: EventData | WholeBody, part: bytes
    ) -> tuple[str, StreamBroken | None]:
        """Return the text that a part of the stream adds, up to where it breaks; no part is its end."""
        texts: list[str] = []
        try:
            for event in events.feed(part) if part else events.finish():
                if reader.ended:
                    break
                texts.append(reader.read(event))
        except ServerError as error:
            return "".join(texts), StreamBroken(self.name, f"the server reports {error}")
        except (Unreadable, ValueError):
            return "".join(texts), StreamBroken(self.name, "an event can't be read")
        return "".join(texts), None


@dataclass(slots=True)
class _Deadlines:
    """When the first piece and the whole answer are due, on the event loop's clock."""

    first_s: float
    whole_s: float
    started_at: float
    begun: bool = False

    @classmethod
    def of(cls, spec: ModelSpec, request: ChatRequest) -> _Deadlines:
        whole = min(spec.deadline_s, request.deadline_s or spec.deadline_s)
        first = min(
            spec.first_token_deadline_s, request.first_token_deadline_s or spec.first_token_deadline_s, whole
        )
        return cls(first_s=first, whole_s=whole, started_at=asyncio.get_running_loop().time())

    @property
    def next_at(self) -> float:
        return self.started_at + (self.whole_s if self.begun else self.first_s)

    def passed(self, model: str) -> ModelLate:
        return ModelLate(model, self.whole_s if self.begun else self.first_s, first_token=not self.begun)


def _events_of(response: httpx2.Response) -> EventData | WholeBody:
    return WholeBody() if "json" in response.headers.get("content-type", "") else EventData()


def _retry_after_s(headers: httpx2.Headers) -> float | None:
    """Read Retry-After (seconds or a date, RFC 9110 section 10.2.3) or retry-after-ms."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        value = headers.get("retry-after")
        if value is None:
            return None
        if value.strip().replace(".", "", 1).isdigit():
            return float(value)
        moment = parsedate_to_datetime(value)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _proxy_for(url: str) -> str | None:
    """Return the environment's proxy for an address; never one for this machine itself."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "::1") or host.startswith("127.") or proxy_bypass(host):
        return None
    proxies = getproxies()
    return proxies.get(parts.scheme) or proxies.get("all")
