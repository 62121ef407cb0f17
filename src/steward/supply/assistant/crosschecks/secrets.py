"""Secrets never stand in a folder: finds what looks like one that was pasted, without repeating it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault
from steward.supply.assistant.yaml_nodes import Path

_TEXT_KINDS: Final = (".yaml", ".md", ".markdown", ".txt", ".html", ".htm", ".csv")
# Forms that the issuers publish; each is specific enough to be right in prose as well.
_PASTED: Final = re.compile(
    r"""(?<![A-Za-z0-9])(?:
        sk-[A-Za-z0-9_\-]{20,}                        # OpenAI, Anthropic
      | (?:AKIA|ASIA)[0-9A-Z]{16}                     # AWS
      | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_\w{30,}
      | xox[abprs]-[A-Za-z0-9\-]{10,}                 # Slack
      | AIza[0-9A-Za-z_\-]{35}                        # Google
      | (?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}      # Stripe
      | eyJ[A-Za-z0-9_\-]{10,}\.eyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}  # a signed token
      | -----BEGIN[ ][A-Z ]{0,20}PRIVATE[ ]KEY-----
    )""",
    re.VERBOSE,
)
_IN_ADDRESS: Final = re.compile(r"https?://[^/\s:@'\"]{1,100}:[^/\s@'\"]{3,200}@")
# In settings only: a long run of mixed letters and digits that no name or sentence has.
_LONG: Final = re.compile(
    r"(?<![\w/+=\-])(?=[^\s]*[0-9])(?=[^\s]*[a-z])(?=[^\s]*[A-Z])[A-Za-z0-9+/_\-]{36,}={0,2}(?![\w.])"
)
_SECRET_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,63}\Z")


def check_secrets(draft: Draft) -> Iterator[Fault]:
    """Yield a fault for each secret that seems to be written into a file."""
    for path, content in draft.files.items():
        if path.lower().endswith(_TEXT_KINDS):
            yield from _scan(draft, path, content.decode("utf-8", "replace"))
    for index, model in enumerate(draft.assistant.models if draft.assistant else ()):
        yield from _name(draft, "assistant.yaml", ("models", index, "secret"), model.secret)
    for index, system in enumerate(draft.connectors.systems if draft.connectors else ()):
        yield from _name(draft, "connectors.yaml", ("systems", index, "secret"), system.secret)


def _scan(draft: Draft, path: str, text: str) -> Iterator[Fault]:
    patterns = [_PASTED, _IN_ADDRESS]
    if path.endswith(".yaml"):
        patterns.append(_LONG)
    for number, line in enumerate(text.splitlines(), start=1):
        for pattern in patterns:
            found = pattern.search(line)
            if found is not None:
                said = (
                    f"this looks like a secret ({found[0][:4]}…, {len(found[0])} characters); take it out, "
                    "replace it where it was issued, and name an environment variable instead"
                )
                yield Fault(draft.shown(path), number, found.start() + 1, said)
                break


def _name(draft: Draft, file: str, path: Path, name: str | None) -> Iterator[Fault]:
    if name is not None and not _SECRET_NAME.match(name):
        said = "secret must be the name of an environment variable or of a secrets file, never the value"
        yield draft.fault(file, path, said)
