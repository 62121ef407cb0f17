"""The connector over real HTTP: against the sample's business system and a server that misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from steward.app.demo.business.company import Company
from steward.app.demo.business.faults import Fault, Faults
from steward.app.demo.business.service import Service
from steward.base.clock import SystemClock
from steward.improve.simulation.serving import Receive, Scope, Send, serve_beside
from steward.supply.connectors.contracts import (
    Done,
    NeverSeen,
    OperationSpec,
    Refused,
    SystemSpec,
    Unreachable,
    Unsure,
)
from steward.supply.connectors.errors import BadSystem, UnknownArgument, UnknownOperation
from steward.supply.connectors.http_json import HttpConnector
from steward.supply.connectors.secrets import InstalledSecrets

OPERATIONS = (
    OperationSpec("billing", "find_customer", "GET", "/customers/{account}", "read", ("account", "postcode")),
    OperationSpec("billing", "outcome_by_key", "GET", "/outcomes/{key}", "read", ("key",)),
    OperationSpec(
        "billing",
        "refund_payment",
        "POST",
        "/refunds",
        "write",
        ("payment", "amount", "reason"),
        find="outcome_by_key",
        deadline_s=2,
    ),
)
REFUND = {"payment": "PAY-904418", "amount": "42.50", "reason": "duplicate"}


@asynccontextmanager
async def connected(
    url: str, *, secret_name: str | None = None, **secrets: str
) -> AsyncIterator[HttpConnector]:
    system = SystemSpec("billing", url, secret_name, OPERATIONS)
    connector = HttpConnector([system], InstalledSecrets(secrets), answer_limit_bytes=10_000)
    try:
        yield connector
    finally:
        await connector.aclose()


@contextmanager
def business(directory: Path, *faults: Fault) -> Iterator[str]:
    company = Company(directory, SystemClock())
    with serve_beside(Service(company, Faults(faults))) as url:
        yield url
    company.close()


@contextmanager
def answering(
    status: int,
    body: bytes = b"{}",
    headers: tuple[tuple[bytes, bytes], ...] = (),
    seen: list[Scope] | None = None,
) -> Iterator[str]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if seen is not None:
            seen.append(scope)
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    with serve_beside(app) as url:
        yield url


class TestCall:
    async def test_read(self, tmp_path: Path) -> None:
        with business(tmp_path) as url:
            async with connected(url) as connector:
                told = await connector.call(
                    "billing.find_customer", {"account": "NL-204816", "postcode": "nw16zz"}
                )
        assert isinstance(told, Done)
        assert told.result["verified"] is True

    async def test_write_with_the_same_key_happens_once(self, tmp_path: Path) -> None:
        with business(tmp_path) as url:
            async with connected(url) as connector:
                calls = (
                    connector.call("billing.refund_payment", REFUND, idempotency_key="k1") for _ in range(8)
                )
                answers = await asyncio.gather(*calls)
        assert isinstance(answers[0], Done)
        assert all(answer == answers[0] for answer in answers)

    async def test_answer_lost_after_the_work_is_unsure_and_found(self, tmp_path: Path) -> None:
        with business(tmp_path, Fault(operation="refund_payment", drop_after_work=True)) as url:
            async with connected(url) as connector:
                answer = await connector.call("billing.refund_payment", REFUND, idempotency_key="k1")
                found = await connector.find("billing.refund_payment", "k1")
        assert isinstance(answer, Unsure)
        assert isinstance(found, Done)
        assert found.result["payment"] == "PAY-904418"

    async def test_too_slow_is_unsure_and_never_seen_then_done(self, tmp_path: Path) -> None:
        slow = Fault(operation="refund_payment", slow_ms=60_000)
        with business(tmp_path, slow) as url:
            async with connected(url) as connector:
                answer = await connector.call("billing.refund_payment", REFUND, idempotency_key="k1")
                at_work = await connector.find("billing.refund_payment", "k1")
                never = await connector.find("billing.refund_payment", "k2")
        assert isinstance(answer, Unsure)
        assert "2 s" in answer.reason
        assert isinstance(at_work, Unsure)
        assert isinstance(never, NeverSeen)

    async def test_refusal_is_definite(self, tmp_path: Path) -> None:
        with business(tmp_path) as url:
            async with connected(url) as connector:
                answer = await connector.call(
                    "billing.refund_payment", {**REFUND, "payment": "PAY-1"}, idempotency_key="k1"
                )
                found = await connector.find("billing.refund_payment", "k1")
        assert answer == Refused(404, "no_such_payment", "There is no such payment.")
        assert found == answer

    async def test_failing_read_is_tried_a_second_time(self, tmp_path: Path) -> None:
        with business(tmp_path, Fault(operation="find_customer", fail_status=503)) as url:
            async with connected(url) as connector:
                assert isinstance(
                    await connector.call("billing.find_customer", {"account": "NL-204816"}), Done
                )

    async def test_failing_write_is_not_repeated(self, tmp_path: Path) -> None:
        with business(tmp_path, Fault(operation="refund_payment", fail_status=503)) as url:
            async with connected(url) as connector:
                answer = await connector.call("billing.refund_payment", REFUND, idempotency_key="k1")
                found = await connector.find("billing.refund_payment", "k1")
        assert isinstance(answer, Unsure)
        assert isinstance(found, NeverSeen)

    async def test_nobody_listens(self) -> None:
        async with connected("http://127.0.0.1:9") as connector:
            assert isinstance(await connector.call("billing.refund_payment", REFUND), Unreachable)

    @pytest.mark.parametrize(
        ("status", "body", "headers"),
        [
            (200, b"not json", ()),
            (200, b"[1]", ()),
            (200, b'{"a": "' + b"x" * 20_000 + b'"}', ()),
            (302, b"", ((b"location", b"http://169.254.169.254/"),)),
            (500, b"{}", ()),
            (408, b"{}", ()),
            (409, b'{"code": "idempotency_in_progress"}', ()),
        ],
    )
    async def test_leaves_open_what_does_not_say_no(
        self, status: int, body: bytes, headers: tuple[tuple[bytes, bytes], ...]
    ) -> None:
        with answering(status, body, headers) as url:
            async with connected(url) as connector:
                assert isinstance(await connector.call("billing.refund_payment", REFUND), Unsure)

    @pytest.mark.parametrize("account", ["../admin", "a/b?c=d#e", "%2e%2e", "NL 1", "é\n"])
    async def test_value_stays_one_segment_of_the_path(self, account: str) -> None:
        seen: list[Scope] = []
        with answering(200, seen=seen) as url:
            async with connected(f"{url}/base") as connector:
                await connector.call("billing.find_customer", {"account": account})
        assert seen[0]["raw_path"].startswith(b"/base/customers/")
        assert seen[0]["raw_path"].count(b"/") == 3
        assert seen[0]["path"] == f"/base/customers/{account}"
        assert seen[0]["query_string"] == b""

    @pytest.mark.parametrize("account", ["", ".", ".."])
    async def test_value_that_names_another_resource_is_refused(self, account: str) -> None:
        async with connected("http://127.0.0.1:9") as connector:
            answer = await connector.call("billing.find_customer", {"account": account})
        assert isinstance(answer, Refused)

    async def test_secret_travels_as_bearer_and_shows_nowhere_else(self) -> None:
        seen: list[Scope] = []
        with answering(500, seen=seen) as url:
            async with connected(url, secret_name="KEY", KEY="s3cret") as connector:
                answer = await connector.call("billing.refund_payment", REFUND, idempotency_key="k")
                assert "s3cret" not in repr(answer) + repr(connector.__dict__)
        headers = dict(seen[0]["headers"])
        assert headers[b"authorization"] == b"Bearer s3cret"
        assert headers[b"idempotency-key"] == b"k"
        assert len(seen) == 1

    async def test_missing_secret_sends_nothing(self) -> None:
        seen: list[Scope] = []
        with answering(200, seen=seen) as url:
            async with connected(url, secret_name="KEY") as connector:
                answer = await connector.call("billing.find_customer", {"account": "NL-1"})
        assert answer == Unreachable("the secret KEY isn't set")
        assert seen == []

    async def test_names_what_is_not_offered(self) -> None:
        async with connected("http://127.0.0.1:9") as connector:
            with pytest.raises(UnknownOperation, match=r"billing\.refund_paymnt"):
                await connector.call("billing.refund_paymnt", {})
            with pytest.raises(UnknownArgument, match="colour"):
                await connector.call("billing.find_customer", {"account": "x", "colour": "red"})


class TestHttpConnector:
    @pytest.mark.parametrize(
        ("url", "path"),
        [
            ("ftp://host", "/x"),
            ("http://", "/x"),
            ("http://user:secret@host", "/x"),
            ("http://host?x=1", "/x"),
            ("http://host:port", "/x"),
            ("http://host", "x"),
            ("http://host", "//elsewhere/x"),
            ("http://host", "/../x"),
            ("http://host", "/x?y=1"),
            ("http://host", "/{unknown}"),
        ],
    )
    def test_refuses_what_cannot_be_called_safely(self, url: str, path: str) -> None:
        operation = OperationSpec("odd", "x", "GET", path, "read")
        with pytest.raises(BadSystem, match="odd") as caught:
            HttpConnector([SystemSpec("odd", url, None, (operation,))], InstalledSecrets({}))
        assert "secret@" not in str(caught.value)
