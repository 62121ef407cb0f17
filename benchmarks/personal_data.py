"""Measure what is recognised as personal on public data, what is masked wrongly, and what it costs.

    python -m benchmarks.personal_data --data DATA_PATH [--presidio PYTHON] [--quick] [--json]

DATA_PATH holds `pii/`, `intent/` and `logs/` of compressed JSON lines. Figures come from templates, dialogues
and texts that training didn't see (`benchmarks/personal_rows.py`). `--presidio` names the Python of an
environment with `presidio-analyzer`; its default recognisers then run on the same rows.

What counts as personal in the generated sentences: `PERSONAL`. Companies, job titles, nationalities, ages,
web sites, dates and places that belong to no address are none: masking them would take from a
question what it is about. Their characters count neither for nor against; the figure over all labelled
types stands beside it.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine
from benchmarks.figures import Figure
from benchmarks.personal_numbers import numbers
from benchmarks.personal_presidio import Presidio
from benchmarks.personal_rows import Row, chat, is_trained, messages, synthetic, tweets
from steward.base.language.names import NameTagger
from steward.base.language.shipped import shipped
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.fragments import Before
from steward.govern.privacy.tagged import TaggedNames

PERSONAL = frozenset(
    {
        "PERSON", "ADDRESS", "STREET_ADDRESS", "ZIP_CODE", "CREDIT_CARD", "PHONE_NUMBER", "EMAIL_ADDRESS",
        "US_SSN", "US_DRIVER_LICENSE", "IP_ADDRESS",
    }
)  # fmt: skip
"""Types of the generated sentences that count."""
MESSAGES = (
    "banking77_train", "clinc150_full_trainval", "hint3_curekart_train", "hint3_powerplay11_train",
    "hint3_sofmattress_train", "hint3_sofmattress_test",
)  # fmt: skip
TRAINED_ON = frozenset({"banking77_train", "clinc150_full_trainval"})
TWELVE_WORDS = "Hi, why was my last broadband bill so much higher than before?"
FOUR_IDENTIFIERS = "I'm Jo Kim, card 4111 1111 1111 1111, phone 07700 900123, mail jo.kim@example.com, thanks"
PUBLISHED = (
    "presidio-research, evaluation on its generated sentences: stock P .685 R .603, tuned P .870 R .839"
)
NAMED = frozenset({"NAME", "ADDRESS"})

Spans = Sequence[tuple[int, int, str]]
Finder = Callable[[Sequence[Row]], list[Spans]]


@dataclass(frozen=True, slots=True)
class Goals:
    """What is asked of a kind of rows: by type, and of all types together."""

    types: Mapping[str, float]
    overall: float | None = None


CHAT_GOALS = Goals({"PERSON": 0.70, "ACCOUNT_NUMBER": 0.99, "PIN": 0.99}, 0.80)


def main(arguments: Sequence[str] | None = None) -> list[Figure]:
    """Run what the command line asks for; print and return the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data")
    parser.add_argument("--presidio", type=Path, help="Python of an environment with presidio-analyzer")
    parser.add_argument("--quick", action="store_true", help="a sixth of the messages, fewer repetitions")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    asked = parser.parse_args(arguments)
    detector = shipped_detector()
    figures = measured(asked.data, lambda rows: found_by(detector, rows), "steward", quick=asked.quick)
    figures += with_question(asked.data, detector)
    figures += checked_numbers(detector, count=40 if asked.quick else 200)
    figures += times(lambda text: detector.find(text), "steward", rounds=200 if asked.quick else 2000)
    if asked.presidio:
        with Presidio(asked.presidio) as other:
            figures += measured(asked.data, other.find_all, "presidio, blank pipeline", quick=asked.quick)
            figures += [
                Figure("time", name, other.p50_ms(text), whose="presidio, blank pipeline")
                for name, text in (
                    ("12 words, p50 ms", TWELVE_WORDS),
                    ("4 identifiers, p50 ms", FOUR_IDENTIFIERS),
                )
            ]
    if asked.json:
        told = [figure.as_json() for figure in figures]
        print(json.dumps({"machine": machine.describe(), "published": PUBLISHED, "figures": told}, indent=1))
    else:
        print_table(figures)
    return figures


def shipped_detector() -> Detector:
    """Return the rules with the shipped tagger, without any assistant's own patterns and words."""
    return Detector(recognisers=[TaggedNames(NameTagger.from_bytes(shipped()["names"]))])


def found_by(detector: Detector, rows: Sequence[Row]) -> list[Spans]:
    """Return what the detector finds in each text on its own."""
    return [[(span.start, span.end, span.kind) for span in detector.find(row.text)] for row in rows]


def measured(data: Path, find: Finder, whose: str, *, quick: bool) -> list[Figure]:
    """Measure one finder on every set of rows."""
    rows = [row for row in synthetic(data) if not is_trained(row.group)]
    figures = generated(rows, find(rows), whose)
    rows = [row for row in chat(data) if row.spans and not is_trained(row.group)]
    figures += recalled("chat", rows, find(rows), whose, CHAT_GOALS)
    rows = [row for row in tweets(data) if not is_trained(row.group)]
    figures += names_in_posts(rows, find(rows), whose)
    return figures + false_alarms(data, find, whose, quick=quick)


def generated(rows: Sequence[Row], found: Sequence[Spans], whose: str) -> list[Figure]:
    """Score characters (F2: recall counts four times) and whole spans by type."""
    personal, every = Counter[str](), Counter[str]()
    for row, spans in zip(rows, found, strict=True):
        masked = places(spans)
        labelled = places(row.spans)
        wanted = places([span for span in row.spans if span[2] in PERSONAL])
        personal.update(right=len(masked & wanted), missed=len(wanted - masked), wrong=len(masked - labelled))
        every.update(
            right=len(masked & labelled), missed=len(labelled - masked), wrong=len(masked - labelled)
        )
    figures = []
    for name, counts, target in (("personal types", personal, 0.85), ("all labelled types", every, None)):
        figures += [
            Figure("generated", f"F2, {name}", f2(counts), target, count=len(rows), whose=whose),
            Figure("generated", f"precision, {name}", ratio(counts, "wrong"), count=len(rows), whose=whose),
            Figure("generated", f"recall, {name}", ratio(counts, "missed"), count=len(rows), whose=whose),
        ]
    return figures + recalled("generated", rows, found, whose, Goals({"CREDIT_CARD": 1.0}))


def recalled(
    what: str, rows: Sequence[Row], found: Sequence[Spans], whose: str, goals: Goals
) -> list[Figure]:
    """Return the share of spans of which every letter and digit is masked, by type and over all."""
    hits: dict[str, list[bool]] = defaultdict(list)
    for row, spans in zip(rows, found, strict=True):
        masked = places(spans)
        for start, end, kind in row.spans:
            hits[kind].append(
                all(place in masked for place in range(start, end) if row.text[place].isalnum())
            )
    figures = [
        Figure(
            what,
            f"recall of {kind}",
            statistics.mean(hit),
            goals.types.get(kind),
            count=len(hit),
            whose=whose,
        )
        for kind, hit in sorted(hits.items())
    ]
    if goals.overall is not None:
        every = [hit for of_kind in hits.values() for hit in of_kind]
        overall = Figure(
            what, "recall of all", statistics.mean(every), goals.overall, count=len(every), whose=whose
        )
        figures.insert(0, overall)
    return figures


def with_question(data: Path, detector: Detector) -> list[Figure]:
    """Measure the chat once more, with what the other side had asked before each turn."""
    rows = [row for row in chat(data) if row.spans and not is_trained(row.group)]
    found = [
        [(span.start, span.end, span.kind) for span in detector.find(row.text, before=Before((), row.before))]
        for row in rows
    ]
    return recalled("chat, question known", rows, found, "steward", CHAT_GOALS)


def names_in_posts(rows: Sequence[Row], found: Sequence[Spans], whose: str) -> list[Figure]:
    """Measure names of persons in public posts; what else is masked as a name counts against."""
    figures = [
        figure
        for figure in recalled("posts", rows, found, whose, Goals({"person": 0.50}))
        if figure.measure.endswith("person")
    ]
    right = wrong = 0
    for row, spans in zip(rows, found, strict=True):
        wanted = places([span for span in row.spans if span[2] == "person"])
        for start, end, kind in spans:
            if kind in ("NAME", "PERSON"):
                touched = bool(wanted & set(range(start, end)))
                right, wrong = right + touched, wrong + (not touched)
    if right + wrong:
        share = right / (right + wrong)
        figures.append(Figure("posts", "precision of names", share, count=right + wrong, whose=whose))
    return figures


def false_alarms(data: Path, find: Finder, whose: str, *, quick: bool) -> list[Figure]:
    """Return the share of ordinary messages in which something is masked, and where it is a name or address.

    Margins were set with a look at HINT3 curekart and powerplay11. Some messages hold personal data in
    truth: the assistant is given a name, a customer leaves a number.
    """
    figures = []
    for name in MESSAGES:
        rows = messages(data, name)
        if name in TRAINED_ON:
            rows = [row for row in rows if not is_trained(row.group)]
        if quick:
            rows = random.Random(0).sample(rows, len(rows) // 6)
        found = find(rows)
        touched = statistics.mean(bool(spans) for spans in found)
        named = statistics.mean(any(kind in NAMED for _, _, kind in spans) for spans in found)
        figures += [
            Figure(name, "messages with a mask", touched, count=len(rows), whose=whose),
            Figure(
                name, "messages with a name masked", named, 0.02, at_most=True, count=len(rows), whose=whose
            ),
        ]
    return figures


def checked_numbers(detector: Detector, *, count: int) -> list[Figure]:
    """Return the recall of made numbers whose check digits hold, in the ways they are written."""
    figures = []
    for name, texts in numbers(count).items():
        hits = [
            all(place in places([(span.start, span.end, span.kind) for span in detector.find(text)])
                for place in range(start, end) if text[place].isalnum())
            for text, start, end in texts
        ]  # fmt: skip
        figures.append(
            Figure("made numbers", f"recall of {name}", statistics.mean(hits), 1.0, count=len(hits))
        )
    return figures


def times(find: Callable[[str], object], whose: str, *, rounds: int) -> list[Figure]:
    """Return the median time of one text, in milliseconds of one thread."""
    figures = []
    for name, text, target in (
        ("12 words, p50 ms", TWELVE_WORDS, 1.0),
        ("4 identifiers, p50 ms", FOUR_IDENTIFIERS, None),
    ):
        spent = []
        for _ in range(rounds):
            began = time.perf_counter()
            find(text)
            spent.append(1000 * (time.perf_counter() - began))
        figures.append(
            Figure("time", name, statistics.median(spent), target, at_most=True, count=rounds, whose=whose)
        )
    return figures


def places(spans: Spans) -> set[int]:
    """Return the places of all characters in spans."""
    return {place for start, end, _ in spans for place in range(start, end)}


def f2(counts: Mapping[str, int]) -> float:
    """Return F with recall weighed twice (van Rijsbergen 1979)."""
    whole = 5 * counts["right"] + 4 * counts["missed"] + counts["wrong"]
    return 5 * counts["right"] / whole if whole else 0.0


def ratio(counts: Mapping[str, int], against: str) -> float:
    """Return the share of what is right in it and another count."""
    whole = counts["right"] + counts[against]
    return counts["right"] / whole if whole else 0.0


def print_table(figures: Sequence[Figure]) -> None:
    """Print the machine, then one line a figure."""
    print(json.dumps(machine.describe()))
    print(f"published elsewhere: {PUBLISHED}")
    for figure in figures:
        name = f"{figure.dataset:<24}{figure.measure:<36}"
        print(f"{figure.whose:<26}{name}{figure.value:>8.4f} {figure.count or '':>6}  {figure.asked}")


if __name__ == "__main__":
    main()
