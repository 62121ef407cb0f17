"""The faults that the company's system can be told to have, so that a proof can meet them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator


class Fault(BaseModel):
    """One fault. It takes the next `times` requests of its operation, or of any."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    operation: str | None = None
    """Name of the operation (`refund_payment`); None takes any operation."""
    slow_ms: int = Field(default=0, ge=0, le=600_000)
    """Wait before anything is done."""
    fail_status: int | None = Field(default=None, ge=400, le=599)
    """Answer with this status instead of doing the work."""
    drop_after_work: bool = False
    """Do the work, then break the connection without an answer."""
    times: int | None = Field(default=1, ge=1)
    """How often; None until the faults are cleared."""

    @model_validator(mode="after")
    def _does_something(self) -> Fault:
        if not (self.slow_ms or self.fail_status or self.drop_after_work):
            raise ValueError("name slow_ms, fail_status or drop_after_work")
        return self


NO_FAULT = Fault.model_construct()
_MANY = TypeAdapter(list[Fault])


def read_faults(text: str | bytes) -> list[Fault]:
    """Read one fault or a list of faults from JSON.

    Raises:
        ValueError: the JSON doesn't describe faults.
    """
    stripped = text.strip()
    if stripped[:1] in ("[", b"["):
        return _MANY.validate_json(stripped)
    return [Fault.model_validate_json(stripped)]


class Faults:
    """The faults that are switched on, in order."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self.active = list(faults)

    def add(self, faults: Iterable[Fault]) -> None:
        """Switch faults on."""
        self.active.extend(faults)

    def clear(self) -> None:
        """Switch all faults off."""
        self.active.clear()

    def take(self, operation: str) -> Fault:
        """Return the fault that this request meets, and count it."""
        for position, fault in enumerate(self.active):
            if fault.operation in (None, operation):
                if fault.times is not None:
                    left = fault.times - 1
                    self.active[position : position + 1] = (
                        [fault.model_copy(update={"times": left})] if left else []
                    )
                return fault
        return NO_FAULT
