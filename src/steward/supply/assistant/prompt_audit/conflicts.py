"""Rules of a prompt that can't both be followed, and rules that the rest of the folder contradicts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from steward.supply.assistant.folder import Folder
from steward.supply.assistant.prompt_audit.contracts import Finding, Severity
from steward.supply.assistant.prompt_audit.sentences import Line, Script

_NOT = r"(?:never|don['’]?t|do not|must not|mustn['’]?t|may not|avoid|without|no)"
_WORD = re.compile(r"[a-z]+(?:['’][a-z]+)?")
_NEVER = re.compile(rf"\b{_NOT}\b", re.IGNORECASE)
_MUST = re.compile(r"\b(?:always|must|every|only|be sure to|make sure)\b", re.IGNORECASE)
_ALIKE: Final = 0.6
"""Share of content words (Jaccard) from which two rules speak of the same thing."""
_LEAST_WORDS: Final = 3
_STOP: Final = frozenset(
    """a an and any are as at be by do for from if in is it its of on or that the them then they this to
    what when with you your always must every only never not no don't don’t avoid without should sure
    make""".split()
)
_NUMBERS: Final = {
    word: number
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
_COUNT = r"(\d+|" + "|".join(_NUMBERS) + r")"
_UNIT = r"(sentence|word|line|paragraph)s?"
_MOST = re.compile(
    rf"\b(?:at most|no more than|up to|maximum of|{_COUNT} to)\s+{_COUNT}\s+(?:short\s+)?{_UNIT}",
    re.IGNORECASE,
)
_LEAST = re.compile(rf"\b(?:at least|no fewer than|minimum of)\s+{_COUNT}\s+{_UNIT}", re.IGNORECASE)
_TYPED = re.compile(
    r"\b(?:typ(?:e|ing)|say(?:ing)?|writ(?:e|ing))\s+[\"“'‘]([^\"”'’]{2,40})[\"”'’]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Opposites:
    name: str
    one: re.Pattern[str]
    other: re.Pattern[str]
    severity: Severity
    why: str


def _re(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


_OPPOSITES: Final = (
    _Opposites(
        "grounding",
        _re(r"\b(?:only|solely|exclusively)\b.{0,60}\b(?:passages?|sources?|documents?|context)\b"),
        _re(
            r"\b(?:use|rely on|draw on|add)\b.{0,25}\b(?:own|general|common|background)\s+knowledge\b|"
            r"\b(?:best|educated)\s+guess\b"
        ),
        Severity.HIGH,
        "The model may choose the rule that lets it invent.",
    ),
    _Opposites(
        "unknown",
        _re(rf"\bsay\b.{{0,30}}\b{_NOT}\s+know\b|\b{_NOT}\s+guess\b"),
        _re(
            rf"\balways\b.{{0,20}}\b(?:answer|give an answer|provide an answer)\b|"
            rf"\b{_NOT}\s+say\b.{{0,30}}\b(?:don['’]?t|do not)\s+know\b"
        ),
        Severity.HIGH,
        "Told to answer always, a model invents what it doesn't know.",
    ),
    _Opposites(
        "promises",
        _re(rf"\b{_NOT}\b.{{0,30}}\b(?:promise|guarantee|offer)\w*\b"),
        _re(
            rf"^(?!.*\b{_NOT}\b).*\b(?:promise|guarantee|offer|assure)\b.{{0,40}}\b(?:refund|credit|"
            rf"discount|compensation|voucher|delivery|that)\b"
        ),
        Severity.HIGH,
        "The promise that slips through may bind the company.",
    ),
    _Opposites(
        "effects",
        _re(
            rf"\b{_NOT}\b.{{0,20}}\b(?:say|claim|tell|confirm)\w*\b.{{0,60}}\b(?:done|sent|changed|booked|"
            rf"refunded)\b"
        ),
        _re(
            rf"^(?!.*\b{_NOT}\b).*\b(?:confirm|tell|say)\b.{{0,50}}\b(?:has|have|was|"
            rf"were)\b.{{0,15}}\b(?:done|sent|changed|booked|refunded|cancelled|processed)\b"
        ),
        Severity.HIGH,
        "Customers rely on what never happened.",
    ),
    _Opposites(
        "disclosure",
        _re(r"\b(?:automated|virtual|ai)\b.{0,20}\bassistant\b"),
        _re(
            rf"\b(?:pretend|act as if|say)\b.{{0,30}}\b(?:you are|you['’]?re|to be|"
            rf"being)\b.{{0,10}}\b(?:a )?(?:human|person)\b|\b{_NOT}\b.{{0,30}}\b(?:say|reveal|admit|"
            rf"mention)\b.{{0,30}}\b(?:bot|ai|machine|automated)\b|\byou are a human\b"
        ),
        Severity.HIGH,
        "Customers have to be told that they talk to a machine.",
    ),
    _Opposites(
        "person",
        _re(r"\b(?:reach|hand|pass|transfer|type|typing)\w*\b.{0,40}\b(?:human|person|colleague|agent)\b"),
        _re(
            rf"\b{_NOT}\b.{{0,30}}\b(?:mention|offer|hand|pass|transfer|suggest)\w*\b.{{0,40}}\b(?:human|"
            rf"person|colleague|agent)s?\b"
        ),
        Severity.HIGH,
        "A customer who asks for a person may not be told how.",
    ),
    _Opposites(
        "questions",
        _re(rf"^(?!.*\b{_NOT}\b).*\bask\b.{{0,30}}\bquestion"),
        _re(rf"\b{_NOT}\b.{{0,15}}\bask\b.{{0,30}}\bquestion"),
        Severity.MEDIUM,
        "Whether an unclear message is asked about is left to chance.",
    ),
    _Opposites(
        "length",
        _re(r"\b(?:brief|concise|short(?:ly)?|keep it short)\b"),
        _re(r"\b(?:detailed|comprehensive|exhaustive|in depth|as much detail|at length|thorough)\b"),
        Severity.LOW,
        "Answers are long and dear on one day and short on another.",
    ),
)


def conflicts(script: Script, folder: Folder) -> Iterator[Finding]:
    """Yield pairs of rules against each other, and ways to a person that don't lead there."""
    found: set[tuple[int, int]] = set()
    for pair in _OPPOSITES:
        for finding, places in _opposed(pair, script):
            if places not in found:
                found.add(places)
                yield finding
    yield from _negated(script, found)
    yield from _counted(script)
    yield from _unheard(script, folder)


def _opposed(pair: _Opposites, script: Script) -> Iterator[tuple[Finding, tuple[int, int]]]:
    one = next((line for line in script.sentences if pair.one.search(line.text)), None)
    if one is None:
        return
    for other in script.sentences:
        if other is not one and pair.other.search(other.text) and not pair.one.search(other.text):
            yield _conflict(pair.name, pair.severity, script, one, other, pair.why), _places(one, other)


def _negated(script: Script, found: set[tuple[int, int]]) -> Iterator[Finding]:
    """Yield rules about the same words of which one commands and the other forbids."""
    rules = [(line, _content(line.text), bool(_NEVER.search(line.text))) for line in script.sentences]
    for (one, words, denies), (other, others, also_denies) in combinations(rules, 2):
        both = len(words | others)
        if denies == also_denies or min(len(words), len(others)) < _LEAST_WORDS or not both:
            continue
        commands = _MUST.search(other.text if denies else one.text)
        if commands and len(words & others) / both >= _ALIKE and _places(one, other) not in found:
            why = "The model follows one of them, and nobody knows which."
            yield _conflict("rules", Severity.MEDIUM, script, one, other, why)


def _counted(script: Script) -> Iterator[Finding]:
    """Yield limits that leave no number between them."""
    mosts = [(line, match) for line in script.sentences if (match := _MOST.search(line.text))]
    for other in script.sentences:
        least = _LEAST.search(other.text)
        for one, most in mosts:
            if least and least[2].lower() == most[3].lower() and _number(least[1]) > _number(most[2]):
                why = "No answer can meet both limits."
                yield _conflict("limits", Severity.LOW, script, one, other, why)


def _unheard(script: Script, folder: Folder) -> Iterator[Finding]:
    """Yield words that customers are told to type for a person and that bring nobody."""
    heard = {word.casefold() for word in folder.guardrails.override_words}
    for line in script.sentences:
        for word in _TYPED.findall(line.text):
            if re.search(r"\b(?:human|person|colleague|reach)", line.text) and word.casefold() not in heard:
                yield Finding(
                    code="conflict.override_word",
                    severity=Severity.HIGH,
                    file=script.file,
                    line=line.number,
                    problem=f"Customers are told to type '{word}', which isn't among the override words.",
                    why="They type it and no person comes.",
                    mend=f"Name one of the override words of guardrails.yaml, or add '{word}' there.",
                )


def _conflict(name: str, severity: Severity, script: Script, one: Line, other: Line, why: str) -> Finding:
    first, second = sorted((one, other), key=lambda line: line.number)
    return Finding(
        code=f"conflict.{name}",
        severity=severity,
        file=script.file,
        line=second.number,
        problem=f"'{_cut(second.text)}' is against line {first.number}, '{_cut(first.text)}'.",
        why=why,
        mend="Keep one of them, or say when each applies.",
    )


def _places(one: Line, other: Line) -> tuple[int, int]:
    return min(one.number, other.number), max(one.number, other.number)


def _content(text: str) -> frozenset[str]:
    words = (word.rstrip("s") for word in _WORD.findall(text.lower()) if word not in _STOP)
    return frozenset(word for word in words if len(word) > 2)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else _NUMBERS[text.lower()]


def _cut(text: str, length: int = 90) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
