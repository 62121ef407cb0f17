"""Cost and estimates."""

from __future__ import annotations

from decimal import Decimal

from steward.supply.models.contracts import ChatMessage, Role, Usage
from steward.supply.models.pricing import Prices, cost_of, estimate_tokens, estimate_usage


class TestCostOf:
    def test_is_exact(self) -> None:
        prices = Prices(input_per_million=Decimal("0.40"), output_per_million=Decimal("1.60"))
        assert cost_of(Usage(1234, 56), prices) == Decimal("0.0005832")

    def test_is_unknown_without_prices(self) -> None:
        assert cost_of(Usage(1, 1), None) is None


class TestEstimateUsage:
    def test_is_marked(self) -> None:
        usage = estimate_usage([ChatMessage(Role.USER, "x" * 40)], [], "y" * 9)
        assert usage == Usage(prompt_tokens=14, completion_tokens=3, estimated=True)

    def test_empty_text_is_nothing(self) -> None:
        assert estimate_tokens("") == 0
