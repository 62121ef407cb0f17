"""`intents.yaml`: what customers want, grouped into categories of equal risk."""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field

from steward.supply.assistant.schema.base import Amount, Name, Part, Risk, Text


class ExpectedCosts(Part):
    """What a mistake or a delay costs in a category, in the assistant's currency."""

    wrong_action: Amount = Decimal("25")
    wrong_answer: Amount = Decimal("6")
    question: Amount = Decimal("0.2")
    hand_over: Amount = Decimal("4.5")


class Category(Part):
    """A group of intents with one risk level."""

    name: Name
    title: Text
    risk: Risk
    owner: Text
    """Who answers for this category: a team or a role."""
    queue: Name
    """Desk queue that takes hand-overs of this category."""
    expected_costs: ExpectedCosts = ExpectedCosts()


class Intent(Part):
    """One thing a customer may want."""

    name: Name
    category: Name
    title: Text
    examples: tuple[Text, ...] = Field(min_length=5)
    """What customers write when they want this; 20 or more, varied, make it reliable."""
    counter_examples: tuple[Text, ...] = ()
    """What sounds alike and isn't this; used as out-of-scope rows when no other intent has them."""
    workflow: Name | None = None
    """Workflow that is offered for this intent."""
    reply: Text | None = None
    """Fixed reply, for greetings and thanks that need no knowledge."""
    hand_over: bool = False
    """This intent is itself the wish for a human: it always hands over."""


class Intents(Part):
    """The whole of `intents.yaml`."""

    categories: tuple[Category, ...]
    intents: tuple[Intent, ...]
    out_of_scope: tuple[Text, ...] = ()
    """Messages that are nobody's business here; they train the out-of-scope decision."""
