"""`assistant.yaml`: who the assistant is, what it costs and which models answer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field

from steward.supply.assistant.schema.base import Amount, Name, Part, Text


class Prices(Part):
    """What a model's provider charges."""

    input_per_million: Amount
    """Price of a million input tokens, in the assistant's currency."""
    output_per_million: Amount
    """Price of a million output tokens, in the assistant's currency."""


class Model(Part):
    """A model that can write answers."""

    name: Name
    provider: Literal["extractive", "openai"]
    """`extractive` answers in the knowledge base's own sentences, free and offline; `openai` is any
    server that speaks OpenAI's chat protocol."""
    model: Text | None = None
    """The provider's name of the model, for example gpt-4.1-mini."""
    url: Text = "https://api.openai.com/v1"
    """Address of the server, up to and including /v1."""
    secret: Text | None = None
    """Name of the environment variable, or of the file in the secrets directory, that holds the key.
    Never the key itself."""
    prices: Prices | None = None
    """What it charges; without prices the cost of its turns is unknown and shown so."""
    first_token_deadline_seconds: Amount = Decimal("8")
    """How long to wait for the first token before the next model is asked."""
    deadline_seconds: Amount = Decimal("30")
    """How long one answer may take in all."""
    max_output_tokens: int = Field(default=400, ge=16, le=8192)
    """Upper bound of an answer's length in tokens."""
    temperature: Amount = Decimal("0")
    """Sampling temperature; 0 repeats itself, which support wants."""


class Goal(Part):
    """A target that somebody answers for."""

    kpi: Name
    target: Amount
    stakeholder: Literal["CIO", "CDO", "CX lead", "CFO", "CEO"]
    by: date | None = None
    """Day by which the target holds."""


class Business(Part):
    """Figures that turn minutes into money."""

    human_minute_cost: Amount = Decimal("0.75")
    """Cost of one minute of a human agent, in the assistant's currency."""
    human_handle_minutes: Amount = Decimal("6")
    """Mean minutes a human needs for one conversation today."""
    goals: tuple[Goal, ...] = ()


class Assistant(Part):
    """The whole of `assistant.yaml`."""

    name: Name
    """Name of the assistant in commands, addresses and the database; changing it makes another assistant."""
    title: Text
    """What customers see it called."""
    language: Literal["en"] = "en"
    """Language of examples and knowledge. The built-in embedding reads English."""
    time_zone: Text = "UTC"
    """Zone of opening hours and of the dates that customers read, for example Europe/London."""
    currency: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """ISO 4217 code of all amounts in this folder, for example GBP."""
    greeting: Text
    """First words to a customer. They should say that this is an automated assistant."""
    other_languages: dict[str, Text] = Field(default_factory=dict)
    """One polite sentence per language code (de, fr, …) for customers who write in it; other languages
    are handed over."""
    channels: tuple[Literal["web", "api", "terminal"], ...] = ("web", "api", "terminal")
    models: tuple[Model, ...]
    answer_with: tuple[Name, ...]
    """Names of models in the order in which they are tried; one whose secret is missing is passed over."""
    business: Business = Business()
