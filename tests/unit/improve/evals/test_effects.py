"""Reads go through, writes don't."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from steward.improve.evals.effects import REHEARSED, EffectsOff, Noted, note_into, rehearsed_answers
from steward.supply.assistant.initialise import initialise
from steward.supply.assistant.reading import read_folder
from steward.supply.connectors.contracts import (
    Argument,
    CallResult,
    Done,
    FindResult,
    NeverSeen,
    OperationSpec,
    Unreachable,
)


class Company:
    """A system that remembers what it was asked."""

    def __init__(self, answer: CallResult) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def operation(self, full_name: str) -> OperationSpec:
        system, name = full_name.split(".")
        effect = "write" if name.startswith("refund") else "read"
        return OperationSpec(system, name, "POST", "/", effect)  # type: ignore[arg-type]

    async def call(
        self, operation: str, arguments: Mapping[str, Argument], *, idempotency_key: str | None = None
    ) -> CallResult:
        self.asked.append(operation)
        return self.answer

    async def find(self, operation: str, idempotency_key: str) -> FindResult:
        raise AssertionError("nothing was sent, so there is nothing to find")


class TestEffectsOff:
    async def test_a_read_reaches_the_system(self) -> None:
        company = Company(Done({"found": True}, 200))
        assert await EffectsOff(company, {}).call("billing.lookup", {}) == Done({"found": True}, 200)
        assert company.asked == ["billing.lookup"]

    async def test_a_write_is_answered_and_not_sent(self) -> None:
        company = Company(Done({}, 200))
        connector = EffectsOff(company, {"billing.refund": {"refund": REHEARSED, "amount": REHEARSED}})
        answer = await connector.call("billing.refund", {"amount": "42.50"}, idempotency_key="k")
        assert answer == Done({"refund": REHEARSED, "amount": "42.50"}, 200)
        assert company.asked == []

    async def test_no_key_is_ever_known(self) -> None:
        assert await EffectsOff(Company(Done({}, 200)), {}).find("billing.refund", "k") == NeverSeen()

    async def test_a_system_that_does_not_answer_is_noted(self) -> None:
        noted = Noted()
        note_into(noted)
        await EffectsOff(Company(Unreachable("billing can't be reached")), {}).call("billing.lookup", {})
        assert noted.systems == {"billing": "billing can't be reached"}


class TestRehearsedAnswers:
    @pytest.fixture
    def sample(self, tmp_path: Path) -> Path:
        initialise(tmp_path / "northline", "northline")
        return tmp_path / "northline"

    def test_every_field_that_a_text_takes_from_a_step_has_a_stand_in(self, sample: Path) -> None:
        workflows = read_folder(sample).workflows
        assert rehearsed_answers(workflows["refund_double_charge"]) == {
            "billing.refund_payment": {"expected_text": REHEARSED, "refund": REHEARSED}
        }
        assert rehearsed_answers(workflows["report_fault"])["service.open_ticket"] == {"ticket": REHEARSED}
