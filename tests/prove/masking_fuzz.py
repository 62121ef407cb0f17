"""Messages that a grammar mixes, masked and turned back; and hostile repeats, timed at growing lengths."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from tests.prove.results import Ledgered, Report
from tests.prove.written_forms import ACCOUNT, BIRTH, CODE, Value, bare, values

from steward.govern.privacy.contracts import Span, TokenUse
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.folding import fold
from steward.govern.privacy.fragments import Before
from steward.govern.privacy.tokens import joined, literals_in, replaced, restored

NAME = "masking"
CLAIM = """
Messages mixed by a grammar from words, personal values in all their written forms, look-alikes of tokens,
every plane of Unicode, half surrogates, NULs and long runs are masked without a crash; each comes back as it
was typed, a value that is written in two ways in the form that came first. Twice the text never costs three
times the time, whatever is repeated.
"""
NOTES = (
    "The rules and the writing of tokens are Steward's own; the vault's table is a dictionary here. The same "
    "property holds over PostgreSQL in `tests/integration/govern/test_vault.py`.",
    "Each repeat is timed at two lengths, one four times the other, in processor time, the best of several "
    "tries; words that wake every rule stand at its end.",
)
ROUNDS = 100
MESSAGES_A_ROUND = 1_000
SHORTEST = 2_500
MOST_GROWTH = 3.0
"""Times the cost may grow when the length doubles: 2 is linear, 4 is quadratic, noise is in between."""
TRIES = 3
PATIENT_TRIES = 9
_CLASSES = (
    "a", "Z", "7", "0", "O", " ", "\n", "\t", ".", ",", "-", "_", "/", "\\", "@", "#", "+", "=", "%", "&",
    "<", ">", "(", "[", "]", "{", '"', "'", ":", ";", "|", "*", "$", "\x00", "\u00a0", "\u200b", "\u0301",
    "\u00e9", "\u0435", "\uff14", "\U0001d7d2", "\ud800",
)  # fmt: skip
_PIECES = (
    "born ", "1st born ", "at ", "dot ", " at a dot ", "card is 4 ", "GB82 ", "GB", "one ", "double ",
    "my name is ", "1/1/", "pin ", "code is ", "iban ", "password is ", "&#", "&#5", "<a ", "<a href=",
    "%4", "\\u00", "=3", "[EMAIL_1", "[A", "1, ", "12 March ", "march ", "12 High Street ", "jo.", "jo@",
    "a@b.", "sk-", "eyJ", "<!-- ", "order 1", "a b ", "1.1.", "::", "ext 1", "account ", "I live at ",
    "Mr A ", "it's 4 then ", "email a.a ",
)  # fmt: skip
_TRIGGERS = (
    " my card iban email account sort code born password pin passport order 1 one two three at x @ y dot z"
)
"""Ends every repeat, so that no rule is skipped because nothing speaks for it."""
_WORDS = (
    "I was charged twice please help me with this bill thanks and my order hasn't come yet what now "
    "the card is gone since Monday at 5 pm £20 €30 order 48213 in 2024 call me back is it true"
).split()
_LIKE_TOKENS = (
    "[EMAIL_1]",
    "[CARD_12]",
    "[LITERAL_1]",
    "[FRAGMENT_3]",
    "[EMAIL_",
    "_1]",
    "[",
    "]",
    "[[CARD_1]]",
)
_ODD = (
    "\x00", "\ud800", "\udfff", "\u202e", "\ufeff", "\u0301" * 40, "\U000e0041", "\U0010ffff", "\r", "ß",
    "İ", "ﬃ",
)  # fmt: skip


async def run(
    directory: Path, *, seed: int, rounds: int = ROUNDS, units: Sequence[str] | None = None
) -> Report:
    """Mask messages, then time the repeats of `units`: every class, pair and piece by default."""
    kept = Ledgered.open(directory)
    for number in range(len(kept.rounds), rounds):
        kept.add(await asyncio.to_thread(fuzz, seed * 100_003 + number, MESSAGES_A_ROUND))
    growth = await asyncio.to_thread(grow, all_units() if units is None else units)
    kept.rounds[-1]["problems"] = [*kept.rounds[-1]["problems"], *growth.problems]
    return report(kept, seed, growth)


# ------------------------------------------------------------ messages


@dataclass(slots=True)
class Message:
    """A message and the values planted in it by name."""

    text: str
    planted: list[tuple[Value, str]] = field(default_factory=list)


class Tokens:
    """One customer's tokens: the same value has the same one, its first form comes back."""

    def __init__(self) -> None:
        self.forms: dict[TokenUse, str] = {}
        self._numbers: dict[tuple[str, str], TokenUse] = {}
        self._counts = Counter[str]()

    def use(self, span: Span, text: str) -> TokenUse:
        """Return the token of a span."""
        place = (span.kind, span.value)
        if place not in self._numbers:
            self._counts[span.kind] += 1
            self._numbers[place] = TokenUse(span.kind, self._counts[span.kind])
            self.forms[self._numbers[place]] = text[span.start : span.end]
        return self._numbers[place]


def fuzz(seed: int, messages: int) -> dict[str, object]:
    """Mask that many messages; return what was counted and what went wrong."""
    chance, detector, known = random.Random(seed), Detector(mask=[("account", r"\bNL-\d{6}\b")]), values()
    counts, problems = Counter[str](), list[str]()
    said: list[str] = []
    slowest = 0.0
    for number in range(messages):
        message = write(chance, known)
        before = Before(tuple(said[-3:]), chance.choice(("", "What's your card number?", "How many?")))
        begun = time.process_time()
        try:
            masked = mask(message.text, detector, before)
        except Exception as error:  # noqa: BLE001 # a crash is what it looks for
            problems.append(f"message {number} of seed {seed}: {type(error).__name__}")
            continue
        slowest = max(slowest, (time.process_time() - begun) / max(200, len(message.text)) * 1e6)
        problems += [f"message {number} of seed {seed}: {problem}" for problem in check(message, masked)]
        counts.update(messages=1, characters=len(message.text), spans=len(masked.spans))
        counts.update(planted=len(message.planted))
        said.append(masked.text)
    return {**counts, "slowest_us": slowest, "problems": problems}


@dataclass(frozen=True, slots=True)
class Masked:
    """A message masked in memory."""

    text: str
    spans: tuple[Span, ...]
    tokens: Tokens


def mask(text: str, detector: Detector, before: Before) -> Masked:
    """Mask a text as the vault does, with a customer of its own."""
    tokens = Tokens()
    spans = joined(detector.find(text, before=before), literals_in(text), text)
    return Masked(replaced(text, spans, [tokens.use(span, text) for span in spans]), spans, tokens)


def check(message: Message, masked: Masked) -> Iterator[str]:
    """Yield what is wrong with a masked message."""
    end = 0
    expected: list[str] = []
    for span in masked.spans:
        if not end <= span.start < span.end <= len(message.text):
            yield f"a span of {span.kind} lies outside, is empty or overlaps"
            return
        expected += (
            message.text[end : span.start],
            masked.tokens.forms[masked.tokens.use(span, message.text)],
        )
        end = span.end
    if restored(masked.text, masked.tokens.forms) != "".join([*expected, message.text[end:]]):
        yield "it doesn't come back"
    plain = bare(masked.text)
    for value, name in message.planted:
        if any(needle in plain for needle in value.needles):
            yield f"a {value.kind} ({name}) is left"


def write(chance: random.Random, known: Sequence[Value]) -> Message:
    """Write one message."""
    message = Message("")
    parts: list[str] = []
    for _ in range(chance.choice((1, 2, 3, 3, 4, 6, 10))):
        dice = chance.random()
        if dice < 0.45:
            parts.append(" ".join(chance.choices(_WORDS, k=chance.randint(1, 12))))
        elif dice < 0.70:
            value = chance.choice(known)
            name, form = chance.choice(list(value.forms.items()))
            says_too_little = value.kind in (ACCOUNT, CODE, BIRTH)
            parts.append(value.announced + form if says_too_little or chance.random() < 0.5 else form)
            message.planted.append((value, name))
        elif dice < 0.80:
            parts.append(chance.choice(_LIKE_TOKENS))
        elif dice < 0.88:
            parts.append(chance.choice(_ODD))
        elif dice < 0.97:
            parts.append("".join(chr(_code_point(chance)) for _ in range(chance.randint(1, 20))))
        else:
            parts.append(chance.choice((*_CLASSES, *_PIECES)) * chance.randint(50, 1_500))
    message.text = chance.choice((", ", "\n", ". ")).join(parts)
    return message


def _code_point(chance: random.Random) -> int:
    return chance.choice((chance.randrange(0x80), chance.randrange(0x3000), chance.randrange(0x110000)))


# ------------------------------------------------------------ growth


@dataclass(slots=True)
class Growth:
    """How cost grew over all repeats. Costs are microseconds of processor time for a character."""

    units: int = 0
    worst: float = 0.0
    worst_unit: str = ""
    dearest_us: float = 0.0
    dearest_unit: str = ""
    problems: list[str] = field(default_factory=list)


def all_units() -> tuple[str, ...]:
    """Return what is repeated: classes of characters, pairs of them, beginnings of what rules look for."""
    pairs = tuple("".join(pair) for pair in product(_CLASSES, repeat=2))
    return tuple(dict.fromkeys((*_CLASSES, *pairs, *_PIECES, *(f"{piece}{piece[:2]}" for piece in _PIECES))))


def grow(units: Sequence[str]) -> Growth:
    """Time every unit, repeated to three lengths, through the whole of masking."""
    detector, found = Detector(), Growth(units=len(units))
    for unit in units:
        growth, cost_us = growth_of(detector.find, unit, tries=TRIES)
        if growth > MOST_GROWTH:
            growth, cost_us = growth_of(detector.find, unit, tries=PATIENT_TRIES)
        if growth > MOST_GROWTH:
            found.problems.append(f"{unit!r} repeated costs {growth:.1f} times as much at twice the length")
        if growth > found.worst:
            found.worst, found.worst_unit = growth, unit
        if cost_us > found.dearest_us:
            found.dearest_us, found.dearest_unit = cost_us, unit
    return found


def growth_of(
    find: Callable[[str], object], unit: str, *, tries: int, clock: Callable[[], float] = time.process_time
) -> tuple[float, float]:
    """Return how cost grows per doubling (from the shortest to four times it), and its cost at the longest.

    Folding keeps what one character stands for in a cache; it's warm before the clock runs.
    """
    texts = [unit * (SHORTEST * times // len(unit)) + _TRIGGERS for times in (1, 4)]
    fold(texts[0])
    costs = []
    for text in texts:
        best = float("inf")
        for _ in range(tries):
            begun = clock()
            find(text)
            best = min(best, clock() - begun)
        costs.append(max(best, 2e-4))
    return (costs[1] / costs[0]) ** 0.5, costs[1] / len(texts[1]) * 1e6


def report(kept: Ledgered, seed: int, growth: Growth) -> Report:
    """Put the figures together."""
    totals = {name: sum(kept.all_of(name)) for name in ("messages", "characters", "planted", "spans")}
    return Report(
        name=NAME,
        title="Masking of a hundred thousand mixed messages",
        claim=CLAIM,
        command=f"python -m tests.prove {NAME} --seed {seed}",
        seed=seed,
        figures=[
            ("messages", f"{totals['messages']:,} with {totals['characters']:,} characters"),
            ("values planted, places masked", f"{totals['planted']:,}, {totals['spans']:,}"),
            ("dearest message", f"{max(kept.all_of('slowest_us')):.1f} µs a character"),
            ("repeats timed", f"{growth.units:,}, at {SHORTEST:,} and {4 * SHORTEST:,} characters"),
            ("worst growth at twice the length", f"{growth.worst:.2f} ({growth.worst_unit!r})"),
            ("dearest repeat", f"{growth.dearest_us:.1f} µs a character ({growth.dearest_unit!r})"),
        ],
        notes=NOTES,
        problems=sorted(kept.problems),
    )
