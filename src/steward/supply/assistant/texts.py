"""Texts with values in braces: `I'll refund {duplicate.amount_text} to card {duplicate.card_last4}.`

A doubled brace stands for one. Values are put in once and never read again, so braces inside a
customer's words stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from steward.base.errors import InvalidInput
from steward.supply.assistant.values import PATH, as_text, look_up

_PART: Final = re.compile(rf"\{{\{{|\}}\}}|\{{(?P<path>{PATH})\}}|(?P<odd>[{{}}])")


class TextError(InvalidInput):
    """A text has a brace that belongs to no value."""


class ValueMissing(InvalidInput):
    """A text or an argument names a value that isn't there."""

    def __init__(self, path: str) -> None:
        super().__init__(f"the value {{{path}}} is missing, so the text that names it can't be written")
        self.path = path


def placeholders(template: str) -> tuple[str, ...]:
    """Return the paths of the values that a text names, in order, each once.

    Raises:
        TextError: a brace belongs to no value.
    """
    found: dict[str, None] = {}
    for match in _PART.finditer(template):
        if match["odd"]:
            near = template[match.start() : match.start() + 20].split()[0]
            raise TextError(
                f"the brace at '{near}' encloses no value's name; double it ({{{{) to write a brace"
            )
        if match["path"]:
            found[match["path"]] = None
    return tuple(found)


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Return the text with its values put in.

    Yes and no stand for booleans, `3 November 2026` for dates, and decimals keep their digits.

    Raises:
        TextError: a brace belongs to no value.
        ValueMissing: a value isn't there, or is a group instead of one of its fields.
    """
    placeholders(template)
    return _PART.sub(lambda match: _put(match, values), template)


def argument(template: str | int | bool, values: Mapping[str, Any]) -> Any:
    """Return the value of a call's argument.

    A template that is one value in braces gives that value in its own type, or None where it is
    missing (the argument is then left out of the call); anything else is filled as a text.

    Raises:
        TextError: a brace belongs to no value.
        ValueMissing: a value inside a longer text isn't there.
    """
    if not isinstance(template, str):
        return template
    whole = _PART.fullmatch(template)
    if whole is not None and whole["path"]:
        return look_up(values, whole["path"])
    return fill(template, values)


def _put(match: re.Match[str], values: Mapping[str, Any]) -> str:
    path = match["path"]
    if not path:
        return match[0][0]
    value = look_up(values, path)
    if value is None or isinstance(value, Mapping):
        raise ValueMissing(path)
    return as_text(value)
