"""What a prompt costs without saying anything: repeats, blank space, length."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from steward.supply.assistant.prompt_audit.contracts import Finding, Severity
from steward.supply.assistant.prompt_audit.sentences import Script
from steward.supply.models.pricing import estimate_tokens

LONG_TOKENS: Final = 1500
"""Template tokens from which instructions outweigh what they are about: six passages of 160 tokens and a
conversation of 1,200 come to about as much."""
BLANK_SHARE: Final = 0.15
"""Share of a template's characters in needless blank space from which it is told."""
_ALIKE: Final = 0.8
_LEAST_WORDS: Final = 4
_WORD = re.compile(r"[^\W_]+")
_NEEDLESS = re.compile(r"\n{3,}|[ \t]{2,}(?=\S)|[ \t]+$", re.MULTILINE)


def waste(script: Script) -> Iterator[Finding]:
    """Yield sentences said twice, blank space and a template that is too long."""
    yield from _repeats(script)
    blank = sum(len(match[0]) - 1 for match in _NEEDLESS.finditer(script.prompt.template))
    if script.prompt.template and blank / len(script.prompt.template) > BLANK_SHARE:
        share = round(100 * blank / len(script.prompt.template))
        yield _told(
            script, "blank", None, f"{share} % of the prompt is needless blank space.", "Close it up."
        )
    tokens = estimate_tokens(script.prompt.template)
    if tokens > LONG_TOKENS:
        said = f"The prompt's own words take about {tokens:,} tokens in every turn."
        yield _told(script, "length", None, said, f"Shorten it to less than {LONG_TOKENS:,} tokens.")


def _repeats(script: Script) -> Iterator[Finding]:
    seen: list[tuple[int, frozenset[str]]] = []
    for sentence in script.sentences:
        words = frozenset(word.lower() for word in _WORD.findall(sentence.text))
        if len(words) < _LEAST_WORDS:
            continue
        earlier = next((line for line, other in seen if _overlap(words, other) >= _ALIKE), None)
        if earlier is not None:
            said = f"This says again what line {earlier} says."
            yield _told(script, "repeat", sentence.number, said, "Keep the clearer of the two.")
        seen.append((sentence.number, words))


def _told(script: Script, what: str, line: int | None, problem: str, mend: str) -> Finding:
    why = "It is paid for in every turn and makes the rest weigh less."
    return Finding(f"waste.{what}", Severity.LOW, script.file, line, problem, why, mend)


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)
