"""The company's system with as many customers as a campaign needs: `python -m tests.prove.company DIR PORT`.

The product's own sample has two double charges; a campaign that refunds a hundred times needs more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steward.app.demo.business.company import Company
from steward.app.demo.business.faults import Faults
from steward.app.demo.business.service import Service
from steward.base.clock import SystemClock
from steward.improve.simulation.serving import listen, serve

CUSTOMERS = "customers.yaml"


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer who was charged twice: what they say to prove it, and the payment to refund."""

    account: str
    postcode: str
    payment: str


def customer(number: int) -> Customer:
    """Return the customer with a number from 0 on."""
    return Customer(
        f"NL-{700000 + number}", f"M{1 + number % 9} {number % 9}ZZ", f"PAY-{500001 + 2 * number}"
    )


def write_customers(directory: Path, count: int) -> None:
    """Write so many customers, each charged £42.50 twice."""
    plans = {"fibre_50": {"title": "Fibre 50", "price": "26.50"}}
    rows = [_row(number) for number in range(count)]
    (directory / CUSTOMERS).write_text(json.dumps({"plans": plans, "customers": rows}), encoding="utf-8")


def _row(number: int) -> dict[str, Any]:
    who = customer(number)
    invoice = {"invoice": f"INV-{500000 + number}", "amount": "42.50"}
    taken = {**invoice, "taken_days_ago": 6, "card_last4": "4417", "method": "card"}
    return {
        "account": who.account,
        "postcode": who.postcode,
        "name": "Sam Rivers",
        "email": "sam.rivers@mail.example",
        "address": "1 Quay, Town",
        "plan": "fibre_50",
        "extras": [],
        "contract_months_left": 3,
        "line": {"id": f"LN-{600000 + number}", "status": "up"},
        "sign_in": {"locked": False},
        "invoices": [{**invoice, "issued_days_ago": 20, "due_in_days": -6, "status": "paid"}],
        "payments": [
            {**taken, "payment": f"PAY-{500000 + 2 * number}"},
            {**taken, "payment": who.payment},
        ],
        "refunds": [],
    }


def main(arguments: Sequence[str]) -> None:
    """Serve until stopped."""
    directory, port = Path(arguments[0]), int(arguments[1])
    company = Company(directory, SystemClock(), seed=directory / CUSTOMERS)
    serve(Service(company, Faults()), listen("127.0.0.1", port))
    company.close()


if __name__ == "__main__":
    main(sys.argv[1:])
