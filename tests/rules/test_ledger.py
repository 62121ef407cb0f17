"""Whatever code writes into the ledger is documented, in code and on a page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from steward.govern.ledger.deeds import DEEDS

ROOT = Path(__file__).parents[2]
_DEED = re.compile(r"[a-z_]+\.[a-z_]+")
_WRITERS = {"Entry", "_record", "note", "_change", "pause"}
"""Calls whose arguments name a deed, or the verb of one."""


def test_each_deed_in_code_has_its_sentence() -> None:
    missing = {deed: path.name for deed, path in written() if deed not in DEEDS}
    assert missing == {}, "describe them in govern/ledger/deeds.py"


def test_each_deed_stands_on_the_page() -> None:
    page = (ROOT / "docs" / "reference" / "ledger.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `([a-z_.]+)` \| (.+) \|$", page, re.MULTILINE))
    assert told == dict(DEEDS)


def test_deeds_are_found_in_the_code_at_all() -> None:
    assert {"release.served", "personal.revealed", "key.revoked"} <= {deed for deed, _ in written()}


def written() -> Iterator[tuple[str, Path]]:
    """Yield the deeds that calls name in full, with their modules."""
    for path in sorted((ROOT / "src" / "steward").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and name_of(call) in _WRITERS:
                values = [*call.args, *(keyword.value for keyword in call.keywords)]
                for value in values:
                    yield from ((deed, path) for deed in deeds_in(value))


def deeds_in(value: ast.expr) -> Iterator[str]:
    match value:
        case ast.Constant(value=str(text)) if _DEED.fullmatch(text):
            yield text
        case ast.IfExp(body=body, orelse=orelse):
            yield from deeds_in(body)
            yield from deeds_in(orelse)


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
