"""What stands in front of knowledge documents and prompts, as front matter."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from steward.supply.assistant.schema.base import Audience, Name, Part, Text


class DocumentMeta(Part):
    """Front matter of a knowledge document, or its `.meta.yaml` sidecar. All of it is optional."""

    title: Text | None = None
    """Defaults to the first heading, else the file's name in words."""
    owner: Text | None = None
    audience: Audience = Audience.PUBLIC
    groups: tuple[Name, ...] = ()
    valid_from: date | None = None
    valid_until: date | None = None
    """Last day on which it is retrieved."""
    review_by: date | None = None
    source: Text | None = None
    """Public address of the page; citations link to it."""


class PromptMeta(Part):
    """Front matter of a prompt."""

    purpose: Text
    variables: tuple[Name, ...]
    """What the template may name; each must appear in it."""
    conversation_tokens: int = Field(default=1200, ge=100)
    """How much of the conversation is put in front of the model."""
