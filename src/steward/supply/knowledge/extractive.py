"""Answers a question in the knowledge base's own sentences.

From the passages that a search found it picks one to four quotations: the sentences whose words,
place and kind of fact fit the question best. Steps and lists are quoted whole, with the line that
introduces them; a sentence that leans on the one before it brings that one along. Every quotation
stands word for word in its passage, so an answer can be wrong for a question, but never invented.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from steward.base.language.sentences import is_list_item, sentences
from steward.supply.knowledge.contracts import TRAIL, Passage
from steward.supply.knowledge.facts import fact_fit
from steward.supply.knowledge.lexical import Statistics, feature_of, terms

LONGEST_LIST = 9
"""Items of a list that is quoted whole; of a longer one only the items that fit."""

# Shares of a sentence's score, chosen by reading answers to the sample's own evaluation cases.
_WORDS, _PASSAGE, _LEAD, _FACT = 0.25, 0.50, 0.10, 0.15
# A further quotation must come this close to the best one: from its passage, its document, another.
_SAME_PASSAGE, _SAME_DOCUMENT, _ELSEWHERE = 0.80, 0.90, 0.97
# It must also hold this share of the question's words that the best one holds, a table's row nearly
# all of them; the sentence right after the best one needn't.
_OWN_WORDS, _OWN_WORDS_OF_ROW = 0.6, 0.95
# What a heading says is said of every sentence below it, at a discount.
_HEADING_CREDIT = 0.6

_ROW = re.compile(r"[^:;.]{1,40}: [^;]+; [^:;.]{1,40}: ")
_LEANING = re.compile(
    r"(?:it|its|it's|they|their|them|this|that|these|those|he|she|his|her|then|otherwise|elsewhere|"
    r"also|but|and|so|such|both|neither|either|instead|however|if not|if so|the same|"
    r"(?:after|above|without) that|"
    r"there(?! (?:is|are|'s)))\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quoted:
    """Words of a passage, one sentence or a whole list, with the passage they stand in.

    `under` is the heading to name before a list that has no introduction of its own.
    """

    sentence: str
    passage_index: int
    score: float
    under: str | None = None


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is quoted or left out as a whole. `place` counts from the passage's start."""

    text: str
    passage: int
    place: int
    leans: bool = False
    under: str | None = None
    own: float = 0.0
    score: float = 0.0


def answer_sentences(
    question: str, passages: Sequence[Passage], *, statistics: Statistics, limit: int = 3
) -> tuple[Quoted, ...]:
    """Return up to `limit` quotations that answer a question, in the order in which to say them.

    Args:
        question: the customer's words.
        passages: what a search found, best first.
        statistics: how rare words are, from the same search.
        limit: quotations at most, 1 to 4; a list counts as one, what a quotation leans on doesn't count.
    """
    units = [unit for index, passage in enumerate(passages) for unit in _units(passage, index)]
    if not units:
        return ()
    asked = {term: statistics.rarity(feature_of(term)) for term in set(terms(question))}
    scored = [_scored(unit, passages, asked, question) for unit in units]
    return tuple(
        Quoted(unit.text, unit.passage, unit.score, unit.under)
        for unit in _in_order(_chosen(scored, passages, limit), passages)
    )


def _units(passage: Passage, index: int) -> list[_Unit]:
    """Cut a passage into what can be quoted: sentences, and lists with their introduction."""
    units: list[_Unit] = []
    lines = passage.body.split("\n")
    position = 0
    while position < len(lines):
        line = lines[position]
        if is_list_item(line):
            end = position
            while end < len(lines) and is_list_item(lines[end]):
                end += 1
            units.extend(_list_units(lines[position:end], units, passage, index))
            position = end
            continue
        for sentence in sentences(line):
            leans = bool(units) and _LEANING.match(sentence) is not None
            units.append(_Unit(sentence, index, len(units), leans))
        position += 1
    return units


def _list_units(items: Sequence[str], before: list[_Unit], passage: Passage, index: int) -> list[_Unit]:
    introduction = before.pop() if before and before[-1].text.endswith(":") else None
    place = introduction.place if introduction else len(before)
    leans = bool(introduction and introduction.leans)
    under = None if introduction or before else passage.heading.split(TRAIL)[-1]
    if len(items) <= LONGEST_LIST:
        lines = [introduction.text, *items] if introduction else list(items)
        return [_Unit("\n".join(lines), index, place, leans, under)]
    head = f"{introduction.text}\n" if introduction else ""
    return [_Unit(head + item, index, place + offset, leans, under) for offset, item in enumerate(items)]


def _scored(unit: _Unit, passages: Sequence[Passage], asked: Mapping[str, float], question: str) -> _Unit:
    passage = passages[unit.passage]
    whole = sum(asked.values()) or 1.0
    words = set(terms(unit.text))
    above = set(terms(passage.heading))
    own = sum(weight for term, weight in asked.items() if term in words) / whole
    headed = sum(weight for term, weight in asked.items() if term in above) / whole
    inherited = sum(weight for term, weight in asked.items() if term in above - words) / whole
    near = passage.score / (max(each.score for each in passages) or 1.0)
    score = (
        _WORDS * (own + _HEADING_CREDIT * inherited)
        + _PASSAGE * near
        + _LEAD * headed * (unit.place == 0)
        + _FACT * fact_fit(question, unit.text)
    )
    return replace(unit, own=own, score=score)


def _chosen(units: Sequence[_Unit], passages: Sequence[Passage], limit: int) -> list[_Unit]:
    """Pick the best unit, then those that come close to it; never the same words twice."""
    ranked = sorted(units, key=lambda unit: (-unit.score, unit.passage, unit.place))
    best = ranked[0]
    by_place = {(unit.passage, unit.place): unit for unit in units}
    chosen: list[_Unit] = []
    count = 0
    for unit in ranked:
        if count == limit:
            break
        if _said(unit, chosen) or (unit is not best and not _adds(unit, best, passages)):
            continue
        chosen.extend(needed for needed in _with_support(unit, by_place) if not _said(needed, chosen))
        count += 1
    return chosen


def _adds(unit: _Unit, best: _Unit, passages: Sequence[Passage]) -> bool:
    """Tell whether a further unit comes close enough to the best one to be quoted beside it."""
    same_passage = unit.passage == best.passage
    same_document = passages[unit.passage].document_path == passages[best.passage].document_path
    close = _SAME_PASSAGE if same_passage else _SAME_DOCUMENT if same_document else _ELSEWHERE
    if unit.score < best.score * close:
        return False
    if _ROW.match(unit.text):
        return unit.own >= _OWN_WORDS_OF_ROW * best.own
    if not same_document:
        return unit.own >= best.own
    return unit.own >= _OWN_WORDS * best.own or (same_passage and unit.place == best.place + 1)


def _with_support(unit: _Unit, by_place: dict[tuple[int, int], _Unit]) -> list[_Unit]:
    """Return a unit after those it leans on."""
    needed = [unit]
    while needed[0].leans:
        before = by_place.get((unit.passage, needed[0].place - 1))
        if before is None:
            break
        needed.insert(0, before)
    return needed


def _said(unit: _Unit, chosen: Sequence[_Unit]) -> bool:
    """Tell whether chosen units already say nearly all of a unit's words."""
    words = set(terms(unit.text))
    for other in chosen:
        if other.text == unit.text:
            return True
        shared = words & set(terms(other.text))
        if other.passage != unit.passage and words and len(shared) >= 0.7 * len(words):
            return True
    return False


def _in_order(units: Sequence[_Unit], passages: Sequence[Passage]) -> list[_Unit]:
    """Order documents by their best unit, and a document's units as they were written."""
    best: dict[str, float] = {}
    for unit in units:
        path = passages[unit.passage].document_path
        best[path] = max(best.get(path, 0.0), unit.score)

    def place(unit: _Unit) -> tuple[float, str, int, int]:
        passage = passages[unit.passage]
        return (-best[passage.document_path], passage.document_path, passage.ordinal, unit.place)

    return sorted(units, key=place)
