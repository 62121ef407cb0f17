"""What the company tells: one function per read operation, from the books, changing nothing.

A postcode that is given must be the account's; otherwise the answer is `found: false`, as for an
account that doesn't exist, so that nobody learns which accounts there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from steward.app.demo.business.books import Books
from steward.app.demo.business.records import DAYS_PER_MONTH, Account, Invoice, Payment, Plan
from steward.app.demo.business.wording import day_text, hidden_email, pounds, weekday_text

Arguments = Mapping[str, Any]
Answer = dict[str, Any]

NOT_FOUND: Mapping[str, Any] = {"found": False}
NOTICE_DAYS = 30
# Of the monthly price of broadband and TV Essentials, as the help centre says.
LEAVING_FEE_SHARE = Decimal("0.6")
_LINE_TEXTS = {
    "up": "The line is up and at full speed.",
    "slow": "The line is up but slower than it should be.",
    "down": "The line doesn't answer our test.",
    "suspended": "The line is suspended because a bill is unpaid.",
}


def find_customer(books: Books, given: Arguments, today: date) -> Answer:
    """Look up a customer and check the postcode."""
    account = books.account(str(given["account"]))
    if account is None or not _postcode_fits(account, given):
        return {"found": account is not None, "account": str(given["account"]).upper(), "verified": False}
    return {
        "found": True,
        "verified": True,
        "account": account.account,
        "name": account.name,
        "plan": account.plan,
        "email_hint": hidden_email(account.email),
        "address_changes": account.address_changes,
    }


def duplicate_charge(books: Books, given: Arguments, today: date) -> Answer:
    """Find a payment that was taken twice and isn't refunded yet."""
    account = _open_account(books, given)
    twice = account and second_payment(account)
    if not account or not twice:
        return dict(NOT_FOUND)
    return {
        "found": True,
        "payment": twice.payment,
        "amount": str(twice.amount),
        "amount_text": pounds(twice.amount),
        "currency": "GBP",
        "date": twice.taken.isoformat(),
        "date_text": day_text(twice.taken),
        "card_last4": twice.card_last4,
        "invoice": twice.invoice,
        "reason": f"taken twice for {twice.invoice}",
    }


def second_payment(account: Account) -> Payment | None:
    """Return the later of two payments for one bill and amount, unless one of them is refunded."""
    refunded = {refund.payment for refund in account.refunds}
    groups: dict[tuple[str, Decimal], list[Payment]] = {}
    for payment in account.payments:
        if payment.payment not in refunded:
            groups.setdefault((payment.invoice, payment.amount), []).append(payment)
    return next((group[-1] for group in groups.values() if len(group) > 1), None)


def refund_status(books: Books, given: Arguments, today: date) -> Answer:
    """Look up the latest refund."""
    account = _open_account(books, given)
    if not account or not account.refunds:
        return dict(NOT_FOUND)
    refund = account.refunds[-1]
    cards = {payment.payment: payment.card_last4 for payment in account.payments}
    return {
        "found": True,
        "refund": refund.refund,
        "payment": refund.payment,
        "amount": str(refund.amount),
        "amount_text": pounds(refund.amount),
        "status": refund.status,
        "requested_text": day_text(refund.requested),
        "expected_text": day_text(refund.expected),
        "card_last4": cards.get(refund.payment, ""),
    }


def invoice(books: Books, given: Arguments, today: date) -> Answer:
    """Look up an invoice by `latest`, a month's name or year and month."""
    account = _open_account(books, given)
    wanted = str(given["month"]).strip().lower()
    found = account and next((each for each in account.invoices if _of_month(each, wanted)), None)
    if not account or not found:
        return dict(NOT_FOUND)
    return {
        "found": True,
        "invoice": found.invoice,
        "month": f"{found.issued:%Y-%m}",
        "month_text": f"{found.issued:%B %Y}",
        "amount": str(found.amount),
        "amount_text": pounds(found.amount),
        "issued_text": day_text(found.issued),
        "due_text": day_text(found.due),
        "status": found.status,
        "email_hint": hidden_email(account.email),
        "copies_sent": found.copies_sent,
    }


def plan_quote(books: Books, given: Arguments, today: date) -> Answer:
    """Give price and start of another broadband plan."""
    account = _open_account(books, given)
    plan = find_plan(books, str(given["plan"]))
    if not account or not plan:
        return {**NOT_FOUND, "allowed": False}
    current = books.plans[account.plan]
    return {
        "found": True,
        "plan": plan.name,
        "plan_title": plan.title,
        "price": str(plan.price),
        "price_text": pounds(plan.price),
        "current": current.name,
        "current_title": current.title,
        "allowed": plan.name != current.name and account.cancelled_to is None,
        "starts_text": day_text(plan_starts(today)),
        "plan_changes": account.plan_changes,
    }


def find_plan(books: Books, wanted: str) -> Plan | None:
    """Return a plan by name or title, in any case."""
    key = wanted.strip().lower().replace(" ", "_").replace("-", "_")
    return books.plans.get(key)


def plan_starts(today: date) -> date:
    """Return the first of the next month: the day on which a new plan begins."""
    return (today.replace(day=1) + timedelta(days=32)).replace(day=1)


def cancellation_terms(books: Books, given: Arguments, today: date) -> Answer:
    """Tell what leaving would cost and when service would end."""
    account = _open_account(books, given)
    if not account:
        return {**NOT_FOUND, "open": False}
    last_day = account.cancelled_to or today + timedelta(days=NOTICE_DAYS)
    fee = leaving_fee(books, account, last_day)
    return {
        "found": True,
        "contract": account.contract,
        "plan_title": books.plans[account.plan].title,
        "open": account.cancelled_to is not None,
        "in_contract": account.contract_ends > today,
        "contract_ends_text": day_text(account.contract_ends),
        "fee": str(fee),
        "fee_text": pounds(fee),
        "last_day_text": day_text(last_day),
    }


def leaving_fee(books: Books, account: Account, last_day: date) -> Decimal:
    """Return the fee for the full months of the contract that are left after the last day."""
    months = max(0, (account.contract_ends - last_day).days) // DAYS_PER_MONTH
    monthly = books.plans[account.plan].price + account.tv_price
    return (LEAVING_FEE_SHARE * monthly * months).quantize(Decimal("0.01"))


def line_status(books: Books, given: Arguments, today: date) -> Answer:
    """Test a broadband line."""
    account = _open_account(books, given)
    if not account:
        return dict(NOT_FOUND)
    line = account.line
    outage = f"There's an outage in {line.area}. We expect to repair it within {line.repair_in_hours} hours."
    return {
        "found": True,
        "line": line.line,
        "status": line.status,
        "status_text": outage if line.status == "outage" else _LINE_TEXTS[line.status],
        "outage_text": outage if line.status == "outage" else "",
        "can_restart": line.status in ("slow", "down"),
        "restarts": line.restarts,
        "open_ticket": next((each.ticket for each in account.tickets if each.status == "open"), ""),
        "tickets": len(account.tickets),
    }


def next_visit(books: Books, given: Arguments, today: date) -> Answer:
    """Find the next free engineer visit: weekdays, mornings and afternoons, from the day after tomorrow."""
    if not _open_account(books, given):
        return dict(NOT_FOUND)
    taken = {slot for account in books.accounts.values() for slot in account.visits}
    for ahead in range(2, 30):
        day = today + timedelta(days=ahead)
        for half in ("am", "pm"):
            slot = f"{day.isoformat()}-{half}"
            if day.weekday() < 5 and slot not in taken:
                return {"found": True, "visit_slot": slot, "slot_text": slot_text(slot)}
    return dict(NOT_FOUND)


def slot_text(slot: str) -> str:
    """Return "Thursday 11 June, 8am to 1pm".

    Raises:
        ValueError: it isn't a slot.
    """
    day, half = date.fromisoformat(slot[:10]), slot[10:]
    if half not in ("-am", "-pm"):
        raise ValueError("a visit's slot ends with am or pm")
    return f"{weekday_text(day)}, {'8am to 1pm' if half == '-am' else '1pm to 6pm'}"


def sign_in_state(books: Books, given: Arguments, today: date) -> Answer:
    """Tell whether sign-in is locked and where a link would go."""
    account = _open_account(books, given)
    if not account:
        return dict(NOT_FOUND)
    return {
        "found": True,
        "locked": account.sign_in_locked,
        "email_hint": hidden_email(account.email),
        "links_sent": account.links_sent,
    }


def _open_account(books: Books, given: Arguments) -> Account | None:
    account = books.account(str(given["account"]))
    return account if account and _postcode_fits(account, given) else None


def _postcode_fits(account: Account, given: Arguments) -> bool:
    postcode = given.get("postcode")
    return postcode is None or _bare(str(postcode)) == _bare(account.postcode)


def _bare(postcode: str) -> str:
    return "".join(postcode.split()).upper()


def _of_month(invoice: Invoice, wanted: str) -> bool:
    issued = invoice.issued
    return wanted in ("latest", f"{issued:%Y-%m}", f"{issued:%B}".lower(), f"{issued:%B %Y}".lower())
