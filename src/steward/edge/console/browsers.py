"""What a browser calls itself, as people call it."""

from __future__ import annotations

import re
from typing import Final

_NAMES: Final = (
    ("Edge", r"Edg(?:A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:HeadlessChrome|Chrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/"),
)
"""Later ones are in the words of earlier ones, so the order decides."""
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("Linux", "Linux"),
)


def browser_in_words(agent: str | None) -> str:
    """Return a browser's name, version and system; what isn't known stays as it calls itself."""
    if not agent:
        return "unknown"
    for name, pattern in _NAMES:
        found = re.search(pattern, agent)
        if found:
            system = next((f" on {shown}" for shown, word in _SYSTEMS if word in agent), "")
            return f"{name} {found[1]}{system}"
    return agent
