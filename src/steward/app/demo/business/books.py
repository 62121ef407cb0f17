"""The company's state: the seed with every effect of the journal applied in order.

`apply` is the only thing that changes it, and takes exactly what the journal holds, so a replay after a
crash gives the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from steward.app.demo.business.records import Account, Payment, Refund, Seed, Ticket

Effect = Mapping[str, Any]


class Books:
    """Accounts and plans, as of the last effect."""

    def __init__(self, seed: Seed) -> None:
        self.plans = seed.plans
        self.accounts = dict(seed.accounts)

    def account(self, number: str) -> Account | None:
        """Return the account, however its number is written."""
        return self.accounts.get(number.strip().upper())

    def account_of_payment(self, payment: str) -> tuple[Account, Payment] | None:
        """Return a payment with the account that made it."""
        for account in self.accounts.values():
            for each in account.payments:
                if each.payment == payment.strip().upper():
                    return account, each
        return None

    def account_of_ticket(self, ticket: str) -> tuple[Account, Ticket] | None:
        """Return a ticket with its account."""
        for account in self.accounts.values():
            for each in account.tickets:
                if each.ticket == ticket.strip().upper():
                    return account, each
        return None

    def count(self, what: str) -> int:
        """Return how many refunds, tickets, visits or changes there are: the next number's base."""
        rows = self.accounts.values()
        match what:
            case "refund":
                return sum(len(account.refunds) for account in rows)
            case "ticket":
                return sum(len(account.tickets) for account in rows)
            case "visit":
                return sum(len(account.visits) for account in rows)
            case _:
                return sum(account.plan_changes for account in rows)

    def apply(self, effect: Effect) -> None:
        """Make one effect happen."""
        account = self.accounts[effect["account"]]
        match effect["kind"]:
            case "refund":
                account.refunds.append(_refund(effect))
            case "copy":
                for invoice in account.invoices:
                    invoice.copies_sent += invoice.invoice == effect["invoice"]
            case "address":
                account.address, account.postcode = effect["address"], effect["postcode"]
                account.address_changes += 1
            case "plan":
                account.plan = effect["plan"]
                account.contract_ends = date.fromisoformat(effect["contract_ends"])
                account.plan_changes += 1
            case "cancellation":
                account.cancelled_to = date.fromisoformat(effect["last_day"])
            case "restart":
                account.line.restarts += 1
                if account.line.restart_helps and account.line.status in ("down", "slow"):
                    account.line.status = "up"
            case "ticket":
                account.tickets.append(Ticket(effect["ticket"], effect["ticket_kind"]))
            case "ticket_closed":
                for ticket in account.tickets:
                    if ticket.ticket == effect["ticket"]:
                        ticket.status = "closed"
            case "visit":
                account.visits.append(effect["slot"])
            case "password_link":
                account.sign_in_locked = False
                account.links_sent += 1
            case unknown:
                raise ValueError(f"the journal holds an effect that this version doesn't know: {unknown!r}")


def _refund(effect: Effect) -> Refund:
    return Refund(
        refund=effect["refund"],
        payment=effect["payment"],
        amount=Decimal(effect["amount"]),
        requested=date.fromisoformat(effect["requested"]),
        expected=date.fromisoformat(effect["expected"]),
        status="requested",
    )


def working_days_after(day: date, count: int) -> date:
    """Return the day that many working days later; Saturdays and Sundays don't count."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
