"""The company's records, and how they come out of `customers.yaml` on the day the demo starts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

SEED = Path(__file__).parents[1] / "customers.yaml"
DAYS_PER_MONTH = 30
# The only extra whose price counts for the early leaving fee, as the help centre says.
IN_LEAVING_FEE = "TV Essentials"


@dataclass(frozen=True, slots=True)
class Plan:
    """A broadband plan."""

    name: str
    title: str
    price: Decimal


@dataclass(slots=True)
class Invoice:
    """A bill."""

    invoice: str
    issued: date
    due: date
    amount: Decimal
    status: str
    copies_sent: int = 0


@dataclass(frozen=True, slots=True)
class Payment:
    """Money taken for a bill."""

    payment: str
    invoice: str
    amount: Decimal
    taken: date
    card_last4: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Money given back."""

    refund: str
    payment: str
    amount: Decimal
    requested: date
    expected: date
    status: str


@dataclass(slots=True)
class Line:
    """A broadband line."""

    line: str
    status: str
    area: str = ""
    repair_in_hours: int = 0
    restart_helps: bool = True
    restarts: int = 0


@dataclass(slots=True)
class Ticket:
    """A fault that somebody works on."""

    ticket: str
    kind: str
    status: str = "open"


@dataclass(slots=True)
class Account:
    """A customer with everything the company has about them."""

    account: str
    postcode: str
    name: str
    email: str
    address: str
    plan: str
    tv_price: Decimal
    contract: str
    contract_ends: date
    line: Line
    sign_in_locked: bool
    invoices: list[Invoice]
    payments: list[Payment]
    refunds: list[Refund]
    tickets: list[Ticket] = field(default_factory=list)
    visits: list[str] = field(default_factory=list)
    cancelled_to: date | None = None
    address_changes: int = 0
    plan_changes: int = 0
    links_sent: int = 0


@dataclass(frozen=True, slots=True)
class Seed:
    """The company as it is before anything happened."""

    plans: Mapping[str, Plan]
    accounts: Mapping[str, Account]


def read_seed(today: date, path: Path = SEED) -> Seed:
    """Read the customers, with all distances counted from one day."""
    from ruamel.yaml import YAML

    given = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
    plans = {name: Plan(name, plan["title"], Decimal(plan["price"])) for name, plan in given["plans"].items()}
    accounts = [_account(row, today) for row in given["customers"]]
    return Seed(plans=plans, accounts={account.account: account for account in accounts})


def _account(row: Mapping[str, Any], today: date) -> Account:
    line = row["line"]
    return Account(
        account=row["account"],
        postcode=row["postcode"],
        name=row["name"],
        email=row["email"],
        address=row["address"],
        plan=row["plan"],
        tv_price=sum(
            (Decimal(extra["price"]) for extra in row["extras"] if extra["title"] == IN_LEAVING_FEE),
            Decimal(0),
        ),
        contract=row.get("contract") or f"CT-{row['account'].removeprefix('NL-')}",
        contract_ends=today + timedelta(days=DAYS_PER_MONTH * row["contract_months_left"]),
        line=Line(
            line=line["id"],
            status=line["status"],
            area=line.get("area", ""),
            repair_in_hours=line.get("repair_in_hours", 0),
            restart_helps=line.get("restart_helps", True),
        ),
        sign_in_locked=row["sign_in"]["locked"],
        invoices=[_invoice(each, today) for each in row["invoices"]],
        payments=[_payment(each, today) for each in row["payments"]],
        refunds=[_refund(each, today) for each in row["refunds"]],
    )


def _invoice(row: Mapping[str, Any], today: date) -> Invoice:
    return Invoice(
        invoice=row["invoice"],
        issued=today - timedelta(days=row["issued_days_ago"]),
        due=today + timedelta(days=row["due_in_days"]),
        amount=Decimal(row["amount"]),
        status=row["status"],
    )


def _payment(row: Mapping[str, Any], today: date) -> Payment:
    return Payment(
        payment=row["payment"],
        invoice=row["invoice"],
        amount=Decimal(row["amount"]),
        taken=today - timedelta(days=row["taken_days_ago"]),
        card_last4=row["card_last4"],
    )


def _refund(row: Mapping[str, Any], today: date) -> Refund:
    return Refund(
        refund=row["refund"],
        payment=row["payment"],
        amount=Decimal(row["amount"]),
        requested=today - timedelta(days=row["requested_days_ago"]),
        expected=today + timedelta(days=row["expected_in_days"]),
        status=row["status"],
    )
