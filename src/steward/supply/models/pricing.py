"""What an answer costs, and how many tokens it took when the server doesn't say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from steward.supply.models.contracts import ChatMessage, Tool, Usage

_MILLION = Decimal(1_000_000)
# Four bytes of English to a token and a few tokens around each message: OpenAI's own rule of thumb.
# Measured vocabularies lie within about 20 % on English prose; figures and code run higher.
BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class Prices:
    """What a provider charges per million tokens, in the assistant's currency."""

    input_per_million: Decimal
    output_per_million: Decimal


def cost_of(usage: Usage, prices: Prices | None) -> Decimal | None:
    """Return the cost in the prices' currency, unrounded; None when the prices are unknown."""
    if prices is None:
        return None
    charged = (
        usage.prompt_tokens * prices.input_per_million + usage.completion_tokens * prices.output_per_million
    )
    return charged / _MILLION


def estimate_tokens(text: str) -> int:
    """Return roughly how many tokens a text is. Approximate: for budgets, not for bills."""
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def estimate_usage(messages: Iterable[ChatMessage], tools: Iterable[Tool], answer: str) -> Usage:
    """Return a usage marked as estimated, for servers that don't report theirs."""
    prompt = sum(estimate_tokens(message.text) + TOKENS_PER_MESSAGE for message in messages)
    for tool in tools:
        prompt += estimate_tokens(tool.name + tool.description + str(dict(tool.parameters)))
    return Usage(prompt_tokens=prompt, completion_tokens=estimate_tokens(answer), estimated=True)
