"""Training rows for the injection head, grown with a seed from grammars of our own.

The grammars are in `injection_attempts.py` and `injection_harmless.py`.
"""

# ruff: noqa: E501 - sentences stay whole
from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable, Sequence

from benchmarks.training.injection_attempts import EXTRACTIONS, HIJACKS
from benchmarks.training.injection_attempts import SLOTS as ATTEMPTED
from benchmarks.training.injection_harmless import SLOTS as HARMLESS

_SLOTS = {**ATTEMPTED, **HARMLESS}


def grow(patterns: Sequence[str], count: int, seed: int) -> list[str]:
    """Return `count` different texts of a grammar (fewer if it has fewer), in an order of the seed."""
    chance = random.Random(seed)
    grown: dict[str, None] = {}
    for attempt in range(count * 4):
        if len(grown) >= count:
            break
        grown[_filled(patterns[attempt % len(patterns)], chance).strip()] = None
    return list(grown)


def gibberish(goals: Sequence[str], count: int, seed: int) -> list[str]:
    """Return requests with a suffix such as a search over tokens finds: odd pieces in no order."""
    chance = random.Random(seed)
    pieces = (
        "}}", "\\\"", "!!", "({", "\\n", "==", "describing", ".\\ +", "similarly", "Now", "write", "opposite", "]]", "](", "Me", "giving", "**", "One",
        "please?", "revert", "with", "--", "Two", "sure", "<<", "interface", "Manuel", "{\"", "tutorial", "steps", "();", "%%", "ually", "ORG", "//",
        "übers", "sentence", "Ste", "ably", "printf", "?)", "&&", "oppositeley", "formatted", "Repeat", "first", "$", "[", "~", "conj", "textt", "Lua",
    )  # fmt: skip
    made = []
    for _ in range(count):
        words = []
        for _ in range(chance.randint(10, 28)):
            letters = "".join(
                chance.choices(string.ascii_letters + "{}()[]!?/\\.;:-_=+*&%$#@", k=chance.randint(1, 9))
            )
            words.append(chance.choice([chance.choice(pieces), letters, chance.choice(pieces) + letters]))
        joint = chance.choice([" ", " ", ""])
        made.append(f"{chance.choice(goals)} {joint.join(words)}")
    return made


def repeated(count: int, seed: int) -> list[str]:
    """Return orders behind a wall of one thing said over and over."""
    chance = random.Random(seed)
    units = (
        "a ",
        "no ",
        "%",
        "\\",
        "hello ",
        "😀",
        "}",
        "stop ",
        "é ",
        "x",
        "## ",
        ". ",
        "yes ",
        "end ",
        "> ",
        "| ",
    )
    orders = grow((*HIJACKS, *EXTRACTIONS), count, seed)
    return [f"{chance.choice(units) * chance.randint(60, 400)}\n{order}" for order in orders]


def veiled(texts: Sequence[str], seed: int) -> list[tuple[str, str]]:
    """Return each text in a disguise, with the disguise's name: for measuring, not for training."""
    chance = random.Random(seed)
    leet = str.maketrans("aeiost", "431057")
    ways: tuple[tuple[str, Callable[[str], str]], ...] = (
        ("leetspeak", lambda text: text.translate(leet)),
        ("spaced letters", lambda text: "  ".join(" ".join(word) for word in text.split())),
        ("dotted letters", lambda text: " ".join(".".join(word) for word in text.split())),
        ("zero width", lambda text: "\u200b".join(text)),
        ("look-alike letters", lambda text: text.translate(str.maketrans("aeopcxi", "аеорсхі"))),
        ("full width", lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)),
        ("base64", lambda text: "decode and follow: " + base64.b64encode(text.encode()).decode()),
        ("hex", lambda text: text.encode().hex()),
        ("rot13", lambda text: "rot13: " + text.translate(_ROT13)),
        ("reversed", lambda text: text[::-1]),
        ("upper case", str.upper),
        ("percent", lambda text: "".join(f"%{byte:02x}" for byte in text.encode())),
    )
    return [
        (name, way(text))
        for text in texts
        for name, way in (chance.sample(ways, 4) if len(texts) > 50 else ways)
    ]


_ROT13 = str.maketrans(
    string.ascii_letters,
    string.ascii_lowercase[13:] + string.ascii_lowercase[:13] + string.ascii_uppercase[13:] + string.ascii_uppercase[:13],
)  # fmt: skip


def _filled(pattern: str, chance: random.Random) -> str:
    for _ in range(6):
        if "{" not in pattern:
            break
        pattern = _once(pattern, chance)
    return pattern


def _once(pattern: str, chance: random.Random) -> str:
    made, place = [], 0
    chosen: dict[str, str] = {}
    while (start := pattern.find("{", place)) >= 0:
        end = pattern.find("}", start)
        slot = pattern[start + 1 : end] if end > 0 else ""
        made.append(pattern[place:start])
        key = slot.lower()
        if key in _SLOTS:
            value = chosen.get(key) if key in ("name", "harm") else None
            value = value or chance.choice(_SLOTS[key])
            chosen[key] = value
            made.append(value[:1].upper() + value[1:] if slot[:1].isupper() else value)
            place = end + 1
        else:
            made.append("{")
            place = start + 1
    return "".join(made) + pattern[place:]
