"""What the master key wraps is wrapped anew by a rotation: no module wraps something that it doesn't know."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
KNOWN = {
    "govern/privacy/vault.py": "customer_key",
    "govern/privacy/master_key.py": "lookup_key",
    "govern/privacy/rotation.py": "what is wrapped anew",
    "govern/access/customer_tokens.py": "signing_key",
    "govern/access/second_factor.py": "account",
    "govern/access/sign_ins.py": "console_session",
    "supply/releases/signing.py": "signing_key",
}
"""Modules that wrap by the master key, and the table whose column the rotation names."""


def test_every_module_that_wraps_is_known_to_the_rotation() -> None:
    source = ROOT / "src" / "steward"
    wrapping = set()
    for path in source.rglob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute):
                owner = ast.unparse(call.func.value)
                if call.func.attr == "wrap" and (owner == "self" or owner.endswith("master_key")):
                    wrapping.add(str(path.relative_to(source)))
    assert wrapping == set(KNOWN)


def test_every_known_table_has_a_column_in_the_rotation() -> None:
    from steward.app.master_keys import WRAPPED
    from steward.govern.privacy.rotation import OWN_COLUMNS

    tables = {column.table for column in (*OWN_COLUMNS, *WRAPPED)}
    assert tables == set(KNOWN.values()) - {"what is wrapped anew"}
