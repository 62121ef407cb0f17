import json

from hypothesis import given
from hypothesis import strategies as st

from steward.improve.insight.contracts import Sums
from steward.improve.rollout.sums import Unit, as_json, from_json, of_units

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)
UNITS = st.builds(Unit, NUMBERS, st.floats(0, 1e3))


class TestOfUnits:
    def test_squares_and_products_are_added(self) -> None:
        assert of_units([Unit(1, 2), Unit(3, 4)]) == Sums(2, 4, 6, 10, 20, 14)

    def test_a_silent_customer_only_counts(self) -> None:
        assert of_units([Unit(5, 1), Unit(0, 0)]) == Sums(2, 5, 1, 25, 1, 5)

    @given(st.lists(UNITS, max_size=20), st.lists(UNITS, max_size=20))
    def test_adding_in_two_steps_is_adding_in_one(self, first: list[Unit], second: list[Unit]) -> None:
        assert of_units(second, start=of_units(first)) == of_units(first + second)


class TestJson:
    @given(st.lists(UNITS, max_size=20))
    def test_every_bit_comes_back(self, units: list[Unit]) -> None:
        sums = of_units(units)
        assert from_json(json.loads(json.dumps(as_json(sums)))) == sums

    def test_no_float_is_left_to_a_writer(self) -> None:
        assert as_json(Sums(1, 0.1, 1, 0.01, 1, 0.1))["yy"] == "0.01"
