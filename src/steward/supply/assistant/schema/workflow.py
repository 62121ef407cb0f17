"""`workflows/NAME.yaml`: a business procedure that may act, step by step.

Texts and arguments may name values in braces: `{account}` is a slot, `{duplicate.amount}` a field of
a check's or step's result, `{customer.name}` a claim of the verified customer.
Conditions compare one value with a constant: `duplicate.found`, `not duplicate.found`,
`duplicate.amount > 100`, `line.status == suspended`.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from steward.supply.assistant.schema.base import Name, Part, Text

Arguments = dict[Name, str | int | bool]


class Slot(Part):
    """A value that the workflow needs from the customer."""

    name: Name
    title: Text
    ask: Text
    """The question put to the customer while the value is missing."""
    type: Literal["text", "number", "money", "date", "email", "phone", "choice", "yes_no"] = "text"
    choices: tuple[Text, ...] = ()
    """For `choice`: what may be chosen."""
    pattern: Text | None = None
    """Regular expression (whole value) for `text`."""
    explain: Text | None = None
    """What to say when an answer doesn't fit, before asking again."""
    from_customer: Name | None = None
    """Claim of a verified customer's token that fills the slot without asking."""
    only_unverified: bool = False
    """Ask only customers who came without a verified token."""
    attempts: int = Field(default=3, ge=1, le=5)
    """How often to ask before a human takes over."""


class Otherwise(Part):
    """What happens when a check isn't met."""

    say: Text
    then: Literal["end", "hand_over"] = "end"


class Check(Part):
    """A read-only call before anything is confirmed; its result can be named in texts."""

    name: Name
    call: Text
    """`system.operation` of connectors.yaml; must be a read."""
    arguments: Arguments = Field(default_factory=dict, alias="with")
    require: Text | None = None
    """Condition on results that must hold."""
    otherwise: Otherwise | None = None


class Approval(Part):
    """When a person on the desk has to agree before anything happens."""

    when: Text
    """Condition, for example `duplicate.amount > 100`; `always` asks each time."""
    role: Literal["agent", "operator", "admin"] = "operator"
    say: Text
    """What the customer is told while waiting."""


class Undo(Part):
    """The call that takes a step back when a later step fails for good."""

    call: Text
    arguments: Arguments = Field(default_factory=dict, alias="with")


class Step(Part):
    """One effect on the outside world: one action."""

    name: Name
    call: Text
    """`system.operation` of connectors.yaml; must be a write."""
    arguments: Arguments = Field(default_factory=dict, alias="with")
    undo: Undo | None = None


class Say(Part):
    """What the customer hears at the end. Only the engine says that something happened."""

    done: Text
    failed: Text
    unknown: Text
    """Said when the system of record doesn't tell yet whether it happened."""
    cancelled: Text = "All right, I've left everything as it was."


class Workflow(Part):
    """The whole of one workflow file; the file's name is the workflow's name."""

    title: Text
    category: Name
    offer: Text
    """The sentence that offers it, for example "I can refund the second payment for you."."""
    slots: tuple[Slot, ...] = ()
    checks: tuple[Check, ...] = ()
    confirm: Text
    """The question that the customer must answer with yes before anything happens."""
    approval: Approval | None = None
    once_per: Text
    """What makes two requests the same action, for example `{duplicate.payment}`: it never happens twice."""
    steps: tuple[Step, ...] = Field(min_length=1)
    say: Say
