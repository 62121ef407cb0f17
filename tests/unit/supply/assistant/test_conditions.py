"""The language of `require` and `when`."""

from __future__ import annotations

import operator
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.supply.assistant.conditions import Condition, ConditionError

OPERATORS = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
FORMS = ["{}", "not {}", "{} > 0", "{} <= 0", "{} == x", "{} != x"]
amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False)
names = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True).filter(
    lambda name: name not in ("not", "always", "and", "or", "true", "false")
)


class TestParse:
    @pytest.mark.parametrize(
        ("text", "path", "negated", "compare", "constant"),
        [
            ("duplicate.found", "duplicate.found", False, None, None),
            ("not duplicate.found", "duplicate.found", True, None, None),
            ("duplicate.amount > 100", "duplicate.amount", False, ">", Decimal(100)),
            ("duplicate.amount>=99.50", "duplicate.amount", False, ">=", Decimal("99.50")),
            ("line.status == suspended", "line.status", False, "==", "suspended"),
            ("line.status != 'out of order'", "line.status", False, "!=", "out of order"),
            ("invoice.due < 2026-01-31", "invoice.due", False, "<", date(2026, 1, 31)),
            ("customer.verified == true", "customer.verified", False, "==", True),
            ("always", None, False, None, None),
        ],
    )
    def test_reads(
        self, text: str, path: str | None, negated: bool, compare: str | None, constant: Any
    ) -> None:
        condition = Condition.parse(text)
        assert (condition.path, condition.negated, condition.operator, condition.constant) == (
            path, negated, compare, constant,
        )  # fmt: skip

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "the condition is empty"),
            ("not", "the condition is empty"),
            ("a = 1", "use == to compare"),
            ("a > ", "nothing stands after >"),
            ("a > b and c", "only one comparison is allowed"),
            ("a and b", "only one comparison is allowed"),
            ("a > suspended", "compares numbers and dates"),
            ("a == 2026-02-30", "no day of the calendar"),
            ("a == 12-3", "neither a number nor a date"),
            ("not a == 1", "stands before a bare value only"),
            ("100 > a", "isn't a value's name"),
            ("Upper", "isn't a value's name"),
            ("a.b()", "can't stand in a condition"),
            ("__import__('os')", "can't stand in a condition"),
            ("a == > ", "stands where a number"),
        ],
    )
    def test_refuses(self, text: str, said: str) -> None:
        with pytest.raises(ConditionError, match=said):
            Condition.parse(text)

    @given(st.text(max_size=40))
    def test_never_fails_otherwise(self, text: str) -> None:
        with suppress(ConditionError):
            Condition.parse(text)


class TestHolds:
    @given(left=amounts, right=amounts, compare=st.sampled_from(sorted(OPERATORS)))
    def test_numbers_compare_as_decimals(self, left: Decimal, right: Decimal, compare: str) -> None:
        condition = Condition.parse(f"check.amount {compare} {right:f}")
        expected = OPERATORS[compare](left, right)
        assert condition.holds({"check": {"amount": left}}) is expected
        assert condition.holds({"check": {"amount": f"{left:f}"}}) is expected

    @given(st.floats(min_value=-1e6, max_value=1e6, allow_nan=False))
    def test_floats_compare_by_their_shortest_text(self, value: float) -> None:
        assert Condition.parse("a <= 0.1").holds({"a": value}) is (Decimal(repr(value)) <= Decimal("0.1"))

    @given(root=names, field=names, text=st.sampled_from(FORMS))
    def test_a_missing_value_never_holds(self, root: str, field: str, text: str) -> None:
        condition = Condition.parse(text.format(f"{root}.{field}"))
        values: list[dict[str, Any]] = [{}, {root: None}, {root: {}}, {root: {field: None}}, {root: "text"}]
        for given_values in values:
            judgement = condition.judge(given_values)
            assert not judgement.holds
            assert judgement.missing == f"{root}.{field}"

    @given(st.one_of(st.booleans(), st.integers(), st.text(max_size=10), st.lists(st.integers())))
    def test_not_is_the_opposite_of_a_bare_value(self, value: Any) -> None:
        values = {"a": value}
        assert Condition.parse("a").holds(values) is not Condition.parse("not a").holds(values)

    @pytest.mark.parametrize("no", [False, 0, "", "false", "No", "0", []])
    def test_the_ways_of_saying_no(self, no: Any) -> None:
        assert not Condition.parse("a").holds({"a": no})

    @pytest.mark.parametrize(
        ("text", "value", "expected"),
        [
            ("a == suspended", "suspended", True),
            ("a == suspended", "Suspended", False),
            ("a != suspended", "up", True),
            ("a == true", "true", True),
            ("a == true", False, False),
            ("a < 2026-03-01", "2026-02-28", True),
            ("a < 2026-03-01", date(2026, 3, 1), False),
            ("a > 1", "many", False),
            ("a > 1", True, False),
            ("a != 1", "many", False),
            ("always", None, True),
        ],
    )
    def test_kinds_of_values(self, text: str, value: Any, expected: bool) -> None:
        assert Condition.parse(text).holds({"a": value}) is expected

    def test_reasons_never_hold_values(self) -> None:
        judgement = Condition.parse("account.number == 1").judge({"account": {"number": "secret"}})
        assert judgement.reason == "account.number isn't a number"
