"""What the demo page offers: invented customers to play, questions to ask, where to look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steward.app.local_access import LocalAccess
from steward.app.sample_customers import read_customers
from steward.app.wiring import Application
from steward.edge.contracts import Demo, DemoCustomer

QUESTIONS = (
    "I was charged twice this month",
    "My internet is down",
    "How do I cancel my contract?",
    "I forgot my password",
    "What does my bill include?",
    "agent",
)


def demo_of(application: Application, access: LocalAccess, *, business_url: str | None) -> Demo:
    """Return the demo page's offer for a running application."""
    customers = read_customers()
    tokens = application.services.access.customer_tokens

    async def token_for(reference: str) -> str:
        customer = customers[reference]
        claims = {name: str(customer[name]) for name in ("account", "name", "email") if name in customer}
        return tokens.issue_demo(reference, claims)

    return Demo(
        company=application.assistant.title(),
        key=access.public_key,
        customers=tuple(
            DemoCustomer(reference, str(customer["name"]), _story(customer))
            for reference, customer in customers.items()
        ),
        token_for=token_for,
        questions=QUESTIONS,
        login=access.login,
        password=access.password,
        business_url=business_url,
    )


def _story(customer: Mapping[str, Any]) -> str:
    payments = customer.get("payments") or []
    paid = [(payment["invoice"], payment["amount"]) for payment in payments]
    twice = next((entry for entry in paid if paid.count(entry) > 1), None)
    if twice:
        return f"{customer['account']}, charged £{twice[1]} twice"
    return f"{customer['account']}, nothing unusual"
