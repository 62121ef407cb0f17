"""The small language of `require` and `when`: one value, compared with one constant.

    condition  = "always" | value | "not" value | value operator constant
    value      = name {"." name}
    operator   = "==" | "!=" | ">" | ">=" | "<" | "<="
    constant   = number | "true" | "false" | word {"-" word} | quoted text | date (2026-11-30)

Written and parsed by hand: nothing here evaluates code. Numbers are compared as decimals, dates
(ISO 8601) as dates, words exactly. A condition whose value is missing never holds, whichever way
it is put: a rule that opens a door must not open it because a system left a field out.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from steward.base.errors import InvalidInput
from steward.supply.assistant.values import NUMBER, PATH, as_decimal, look_up

Constant = Decimal | date | bool | str

_COMPARE: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_ORDERED: Final = frozenset({">", ">=", "<", "<="})
_TOKEN: Final = re.compile(
    rf"""\s*(?:
        (?P<quoted>'[^']*'|"[^"]*")
      | (?P<operator>==|!=|>=|<=|>|<)
      | (?P<word>[-+]?[0-9][0-9.\-]*|{PATH}|[A-Za-z_][A-Za-z0-9_\-]*)
    )""",
    re.VERBOSE,
)
_PATH: Final = re.compile(rf"{PATH}\Z")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_RESERVED: Final = frozenset({"not", "always", "and", "or", "true", "false"})


class ConditionError(InvalidInput):
    """A condition isn't in the language."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What became of a condition and why; `missing` names the value that wasn't there."""

    holds: bool
    reason: str
    missing: str | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """A parsed condition. `path` is None for `always`, `operator` None for a bare value."""

    text: str
    path: str | None
    negated: bool = False
    operator: str | None = None
    constant: Constant | None = None

    @classmethod
    def parse(cls, text: str) -> Condition:
        """Parse a condition.

        Raises:
            ConditionError: the text isn't a condition; the sentence says what is wrong with it.
        """
        tokens = _tokens(text)
        if tokens == [("word", "always")]:
            return cls(text, None)
        negated = tokens[:1] == [("word", "not")]
        rest = tokens[1:] if negated else tokens
        if not rest:
            raise ConditionError("the condition is empty; write for example `duplicate.found`")
        kind, path = rest[0]
        if kind != "word" or not _PATH.match(path) or path in _RESERVED:
            raise ConditionError(f"'{path}' isn't a value's name; write for example `duplicate.amount > 100`")
        if len(rest) == 1:
            return cls(text, path, negated)
        if negated:
            raise ConditionError("`not` stands before a bare value only; use != or the opposite comparison")
        return _comparison(text, path, rest[1:])

    @property
    def root(self) -> str | None:
        """First part of the value's name: a slot, a check or a step."""
        return None if self.path is None else self.path.split(".")[0]

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Tell whether the condition holds for values; never where its value is missing."""
        return self.judge(values).holds

    def judge(self, values: Mapping[str, Any]) -> Judgement:
        """Judge the condition and say why. The reason names fields and never holds their values."""
        if self.path is None:
            return Judgement(True, "always")
        value = look_up(values, self.path)
        if value is None:
            return Judgement(False, f"{self.path} is missing", self.path)
        if self.operator is None:
            holds = _truth(value) is not self.negated
            return Judgement(holds, f"{self.text} {'holds' if holds else 'does not hold'}")
        comparable = _like(value, self.constant)
        if comparable is None:
            kind = {Decimal: "a number", date: "a date", bool: "true or false"}.get(
                type(self.constant), "text"
            )
            return Judgement(False, f"{self.path} isn't {kind}", self.path)
        holds = _COMPARE[self.operator](comparable, self.constant)
        return Judgement(holds, f"{self.text} {'holds' if holds else 'does not hold'}")


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            odd = text[position:].lstrip()[:1]
            hint = "; use == to compare" if odd == "=" else ""
            raise ConditionError(f"'{odd}' can't stand in a condition{hint}")
        assert match.lastgroup is not None
        tokens.append((match.lastgroup, match[match.lastgroup]))
        position = match.end()
    return tokens


def _comparison(text: str, path: str, rest: list[tuple[str, str]]) -> Condition:
    kind, compare = rest[0]
    if kind != "operator":
        more = " or (only one comparison is allowed)" if compare in ("and", "or") else ""
        raise ConditionError(f"'{compare}' stands where ==, !=, >, >=, < or <= is expected{more}")
    if len(rest) == 1:
        raise ConditionError(f"nothing stands after {compare}; write a number, a word or quoted text")
    if len(rest) > 2:
        raise ConditionError("only one comparison is allowed; put the second into a check of its own")
    constant = _constant(*rest[1])
    if compare in _ORDERED and not isinstance(constant, (Decimal, date)):
        raise ConditionError(f"{compare} compares numbers and dates; use == or != for words")
    return Condition(text, path, operator=compare, constant=constant)


def _constant(kind: str, text: str) -> Constant:
    if kind == "quoted":
        return text[1:-1]
    if kind == "operator":
        raise ConditionError(f"'{text}' stands where a number, a word or quoted text is expected")
    if NUMBER.match(text):
        return Decimal(text)
    if _DATE.match(text):
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ConditionError(f"'{text}' is no day of the calendar") from None
    if text[0] in "+-0123456789":
        raise ConditionError(f"'{text}' is neither a number nor a date; put text into quotes")
    return text == "true" if text in ("true", "false") else text


def _truth(value: Any) -> bool:
    """Systems say no in several ways: false, 0, empty, and the words for it."""
    if isinstance(value, str):
        return value.strip().casefold() not in ("", "false", "no", "0")
    return bool(value)


def _like(value: Any, constant: Constant | None) -> Any:
    """Read a value as the constant's kind; None where it can't be."""
    if isinstance(constant, bool):
        if isinstance(value, str) and value.strip().casefold() in ("true", "false", "yes", "no"):
            return value.strip().casefold() in ("true", "yes")
        return value if isinstance(value, bool) else None
    if isinstance(constant, Decimal):
        return as_decimal(value)
    if isinstance(constant, date):
        try:
            return value if type(value) is date else date.fromisoformat(str(value).strip()[:10])
        except ValueError:
            return None
    return str(value) if isinstance(value, (str, int, Decimal)) and not isinstance(value, bool) else None
