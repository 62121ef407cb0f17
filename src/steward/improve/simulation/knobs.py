"""How the simulated model server may be told to behave."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Misbehaviour(StrEnum):
    """What a model may do that it shouldn't."""

    INVENT_NUMBER = "invent_number"
    NO_CITATION = "no_citation"
    WRONG_CITATION = "wrong_citation"
    LEAK_PROMPT = "leak_prompt"
    PROMISE = "promise"
    CLAIM_ACTION = "claim_action"
    OBEY_INJECTION = "obey_injection"
    MALFORMED_JSON = "malformed_json"
    EMPTY = "empty"


class Knobs(BaseModel):
    """All settings of a request. Unknown names are refused, so that a typo doesn't pass as good weather."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    first_token_ms: float = Field(default=0, ge=0)
    """Wait before the first token."""
    token_ms: float = Field(default=0, ge=0)
    """Wait before each further token."""
    error_rate: Share = 0
    """Share of requests that are answered with `error_status` (seeded)."""
    error_status: int = Field(default=500, ge=400, le=599)
    """Status of those errors."""
    rate_limit: Share = 0
    """Share of requests that are answered with 429 (seeded)."""
    retry_after_s: float = Field(default=1, ge=0)
    """What a 429 puts into Retry-After."""
    cut_off_after_tokens: int | None = Field(default=None, ge=0)
    """Break the connection after so many tokens of a stream; 0 breaks it before the headers."""
    error_after_tokens: int | None = Field(default=None, ge=0)
    """Put an error event into the stream after so many tokens and end it."""
    misbehave: Misbehaviour | None = None
    """Answer wrongly in one known way."""
    canned: str | None = None
    """Always this answer, without looking at the prompt: for benchmarks."""
    usage: bool = True
    """Report usage when asked; off imitates servers that can't."""
    refuse: tuple[str, ...] = ()
    """Names of request fields that are refused with 400, as servers of other makers do."""
    api_key: str | None = None
    """The only bearer token that is let in; None lets everyone in."""

    def merged(self, overrides: str | bytes) -> Knobs:
        """Return these knobs with some replaced by a JSON object's.

        Raises:
            ValueError: the JSON isn't an object of known knobs.
        """
        given = Knobs.model_validate_json(overrides)
        return self.model_copy(update={name: getattr(given, name) for name in given.model_fields_set})
