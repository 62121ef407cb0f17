"""What the company does: one function per write operation, from the books to an effect and an answer.

Nothing is changed here; the service journals the effect, applies it and answers, in this order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from steward.app.demo.business.books import Books, Effect, working_days_after
from steward.app.demo.business.reads import (
    NOTICE_DAYS,
    Answer,
    find_plan,
    leaving_fee,
    plan_starts,
    slot_text,
)
from steward.app.demo.business.records import Account
from steward.app.demo.business.wording import day_text, hidden_email, pounds

Arguments = Mapping[str, Any]
REFUND_WORKING_DAYS = 5
LINK_MINUTES = 30
CONTRACT_MONTHS = 24


class RefusedByCompany(Exception):
    """The company says no; nothing happens."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Decision:
    """What will happen, and what is answered once it has."""

    effect: Effect
    answer: Answer


def refund_payment(books: Books, given: Arguments, today: date) -> Decision:
    """Refund a payment to where it came from."""
    found = books.account_of_payment(_text(given, "payment"))
    if found is None:
        raise RefusedByCompany(404, "no_such_payment", "There is no such payment.")
    account, payment = found
    if any(refund.payment == payment.payment for refund in account.refunds):
        raise RefusedByCompany(409, "already_refunded", f"{payment.payment} is refunded already.")
    amount = _amount(given.get("amount", str(payment.amount)))
    if not 0 < amount <= payment.amount:
        raise RefusedByCompany(
            422, "wrong_amount", "The amount must be above zero and not above the payment."
        )
    expected = working_days_after(today, REFUND_WORKING_DAYS)
    number = f"RF-{300500 + books.count('refund')}"
    effect = {
        "kind": "refund",
        "account": account.account,
        "refund": number,
        "payment": payment.payment,
        "amount": str(amount),
        "requested": today.isoformat(),
        "expected": expected.isoformat(),
    }
    answer = {
        "refund": number,
        "payment": payment.payment,
        "amount": str(amount),
        "amount_text": pounds(amount),
        "status": "requested",
        "expected_text": day_text(expected),
    }
    return Decision(effect, answer)


def send_invoice(books: Books, given: Arguments, today: date) -> Decision:
    """E-mail a copy of an invoice."""
    number = _text(given, "invoice").upper()
    for account in books.accounts.values():
        if any(invoice.invoice == number for invoice in account.invoices):
            effect = {"kind": "copy", "account": account.account, "invoice": number}
            return Decision(effect, {"invoice": number, "sent_to": hidden_email(account.email)})
    raise RefusedByCompany(404, "no_such_invoice", "There is no such invoice.")


def change_address(books: Books, given: Arguments, today: date) -> Decision:
    """Change the billing address."""
    account = _account(books, given)
    address, postcode = _text(given, "new_address"), _text(given, "new_postcode").upper()
    effect = {"kind": "address", "account": account.account, "address": address, "postcode": postcode}
    return Decision(effect, {"account": account.account, "address": address, "postcode": postcode})


def change_plan(books: Books, given: Arguments, today: date) -> Decision:
    """Move the account to another broadband plan."""
    account = _account(books, given)
    plan = find_plan(books, _text(given, "plan"))
    if plan is None:
        raise RefusedByCompany(422, "no_such_plan", "There is no such plan.")
    if plan.name == account.plan:
        raise RefusedByCompany(409, "same_plan", f"The account has {plan.title} already.")
    starts = plan_starts(today)
    ends = starts + timedelta(days=30 * CONTRACT_MONTHS)
    effect = {
        "kind": "plan",
        "account": account.account,
        "plan": plan.name,
        "contract_ends": ends.isoformat(),
    }
    answer = {
        "change": f"CH-{200100 + books.count('change')}",
        "plan": plan.name,
        "plan_title": plan.title,
        "starts_text": day_text(starts),
    }
    return Decision(effect, answer)


def cancel_plan(books: Books, given: Arguments, today: date) -> Decision:
    """Book the end of the contract."""
    account = _account(books, given)
    if account.cancelled_to is not None:
        raise RefusedByCompany(409, "already_cancelled", "A cancellation is booked already.")
    last_day = today + timedelta(days=NOTICE_DAYS)
    effect = {"kind": "cancellation", "account": account.account, "last_day": last_day.isoformat()}
    answer = {
        "cancellation": account.contract.replace("CT-", "CX-"),
        "last_day_text": day_text(last_day),
        "fee_text": pounds(leaving_fee(books, account, last_day)),
    }
    return Decision(effect, answer)


def restart_line(books: Books, given: Arguments, today: date) -> Decision:
    """Restart the line."""
    account = _account(books, given)
    if account.line.status in ("outage", "suspended"):
        raise RefusedByCompany(409, "restart_useless", f"The line is in state {account.line.status}.")
    effect = {"kind": "restart", "account": account.account}
    answer = {"line": account.line.line, "restarted": True, "back_in_text": "about 5 minutes"}
    return Decision(effect, answer)


def open_ticket(books: Books, given: Arguments, today: date) -> Decision:
    """Open a fault ticket."""
    account = _account(books, given)
    kind = _text(given, "kind")
    if any(ticket.status == "open" for ticket in account.tickets):
        raise RefusedByCompany(409, "ticket_open", "There is an open ticket for this account.")
    number = f"TK-{610200 + books.count('ticket')}"
    effect = {"kind": "ticket", "account": account.account, "ticket": number, "ticket_kind": kind}
    return Decision(effect, {"ticket": number, "kind": kind, "status": "open"})


def close_ticket(books: Books, given: Arguments, today: date) -> Decision:
    """Close a fault ticket."""
    found = books.account_of_ticket(_text(given, "ticket"))
    if found is None:
        raise RefusedByCompany(404, "no_such_ticket", "There is no such ticket.")
    account, ticket = found
    if ticket.status == "closed":
        raise RefusedByCompany(409, "already_closed", f"{ticket.ticket} is closed already.")
    effect = {"kind": "ticket_closed", "account": account.account, "ticket": ticket.ticket}
    return Decision(effect, {"ticket": ticket.ticket, "status": "closed"})


def book_visit(books: Books, given: Arguments, today: date) -> Decision:
    """Book an engineer visit."""
    account = _account(books, given)
    slot = _text(given, "visit_slot")
    try:
        text = slot_text(slot)
    except ValueError:
        raise RefusedByCompany(422, "no_such_slot", "There is no such visit.") from None
    if any(slot in other.visits for other in books.accounts.values()):
        raise RefusedByCompany(409, "slot_taken", "Somebody else has taken this visit.")
    effect = {"kind": "visit", "account": account.account, "slot": slot}
    number = f"VS-{410300 + books.count('visit')}"
    return Decision(effect, {"visit": number, "ticket": _text(given, "ticket"), "slot_text": text})


def send_password_link(books: Books, given: Arguments, today: date) -> Decision:
    """E-mail a link for setting a new password, which unlocks a locked sign-in."""
    account = _account(books, given)
    effect = {"kind": "password_link", "account": account.account}
    return Decision(effect, {"sent_to": hidden_email(account.email), "valid_minutes": LINK_MINUTES})


def _account(books: Books, given: Arguments) -> Account:
    account = books.account(_text(given, "account"))
    if account is None:
        raise RefusedByCompany(404, "no_such_account", "There is no such account.")
    return account


def _text(given: Arguments, name: str) -> str:
    value = given.get(name)
    if not isinstance(value, (str, int)) or not str(value).strip():
        raise RefusedByCompany(422, "missing_argument", f"{name} is missing.")
    return str(value).strip()


def _amount(value: Any) -> Decimal:
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount != amount.quantize(Decimal("0.01")):
        raise RefusedByCompany(422, "wrong_amount", "The amount must be a decimal with at most two places.")
    return amount
