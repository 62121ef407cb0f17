"""Which address is which operation: exactly the operations that the sample's `connectors.yaml` offers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import unquote

from steward.app.demo.business import reads, writes
from steward.app.demo.business.books import Books

Read = Callable[[Books, Mapping[str, Any], date], dict[str, Any]]
Write = Callable[[Books, Mapping[str, Any], date], writes.Decision]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation with its address; exactly one of `read` and `write` is there."""

    operation: str
    method: str
    path: str
    pattern: re.Pattern[str]
    read: Read | None = None
    write: Write | None = None


def match(method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the route of a request and the arguments in its (still quoted) path."""
    for route in ROUTES:
        if route.method == method and (found := route.pattern.fullmatch(raw_path)):
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


def _read(operation: str, path: str, read: Read) -> Route:
    return Route(operation, "GET", path, _pattern(path), read=read)


def _write(operation: str, method: str, path: str, write: Write) -> Route:
    return Route(operation, method, path, _pattern(path), write=write)


ROUTES = (
    _read("find_customer", "/customers/{account}", reads.find_customer),
    _read("duplicate_charge", "/accounts/{account}/duplicate-charge", reads.duplicate_charge),
    _read("refund_status", "/accounts/{account}/refunds/latest", reads.refund_status),
    _read("invoice", "/accounts/{account}/invoices/{month}", reads.invoice),
    _read("plan_quote", "/accounts/{account}/plans/{plan}", reads.plan_quote),
    _read("cancellation_terms", "/accounts/{account}/cancellation-terms", reads.cancellation_terms),
    _read("line_status", "/lines/{account}", reads.line_status),
    _read("next_visit", "/lines/{account}/next-visit", reads.next_visit),
    _read("sign_in_state", "/accounts/{account}/sign-in", reads.sign_in_state),
    _write("refund_payment", "POST", "/refunds", writes.refund_payment),
    _write("send_invoice", "POST", "/invoices/{invoice}/send", writes.send_invoice),
    _write("change_address", "PUT", "/accounts/{account}/address", writes.change_address),
    _write("change_plan", "POST", "/accounts/{account}/plan", writes.change_plan),
    _write("cancel_plan", "POST", "/accounts/{account}/cancellation", writes.cancel_plan),
    _write("restart_line", "POST", "/lines/{account}/restart", writes.restart_line),
    _write("open_ticket", "POST", "/tickets", writes.open_ticket),
    _write("close_ticket", "POST", "/tickets/{ticket}/close", writes.close_ticket),
    _write("book_visit", "POST", "/visits", writes.book_visit),
    _write("send_password_link", "POST", "/accounts/{account}/password-link", writes.send_password_link),
)
