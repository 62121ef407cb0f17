"""`steward release diff`: what changed between two releases, in words, in behaviour and in cost."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Any

from steward.app.commands.console import print_json
from steward.app.commands.release import with_foundation
from steward.app.foundation import Foundation
from steward.improve.evals.contracts import CaseComparison, GateResult
from steward.improve.evals.records import Records
from steward.supply.releases.contracts import Release, short_id
from steward.supply.releases.difference import Change, Difference, FileChange

WIDTH = 100
NEVER_COMPARED = "Their answers were never compared; `steward eval compare` does it."


def run_diff(before: str, after: str, *, as_json: bool, data_dir: Path | None) -> int:
    """Say what changed between two releases."""

    async def work(foundation: Foundation) -> int:
        old, new = await foundation.releases.find(before), await foundation.releases.find(after)
        difference = await foundation.releases.diff(old.id, new.id)
        records = Records(
            database=foundation.store.database, clock=foundation.clock, ledger=foundation.ledger
        )
        gate = await records.gate(new.id, old.id)
        if as_json:
            print_json(_as_json(difference, gate))
        else:
            print("\n".join(_lines(old, new, difference, gate)))
        return 0

    return with_foundation(data_dir, work)


def _lines(old: Release, new: Release, difference: Difference, gate: GateResult | None) -> Iterator[str]:
    yield f"from  {_shown(old)}"
    yield f"to    {_shown(new)}"
    if old.id == new.id:
        yield "\nthe same release"
        return
    yield from _words(difference.changes)
    yield "\nanswers"
    yield from _behaviour(gate)
    yield "\ncost"
    yield from _wrapped(_cost(difference, gate))
    yield "\nfiles"
    yield from (f"  {_file(change)}" for change in difference.files)


def _shown(release: Release) -> str:
    return (
        f"{release.assistant} release {release.number} ({short_id(release.id)}), "
        f"{release.created_at:%Y-%m-%d %H:%M} UTC"
    )


def _words(changes: Sequence[Change]) -> Iterator[str]:
    if not changes:
        yield "\nnothing that shapes behaviour changed"
    for area, sentences in groupby(changes, key=lambda change: change.area):
        yield f"\n{area.value}"
        for change in sentences:
            yield from _wrapped(change.sentence)


def _behaviour(gate: GateResult | None) -> Iterator[str]:
    if gate is None:
        yield from _wrapped(NEVER_COMPARED)
        return
    differing = [case for case in gate.cases if case.runnable and not case.same_answer]
    same = sum(case.runnable and case.same_answer for case in gate.cases)
    verdict = "passed" if gate.passed else "did not pass"
    yield from _wrapped(
        f"The newer release {verdict} the evaluation of {gate.at:%Y-%m-%d %H:%M}: {same} of "
        f"{len(gate.cases)} cases are answered alike, {len(differing)} otherwise."
    )
    for reason in gate.reasons:
        yield from _wrapped(reason)
    for case in differing:
        yield from _case(case)


def _case(case: CaseComparison) -> Iterator[str]:
    yield f"\n  {case.case}  (passed {case.baseline_passed}/{case.baseline_runs} before, "\
        f"{case.candidate_passed}/{case.candidate_runs} now)"  # fmt: skip
    for place in range(max(len(case.baseline_texts), len(case.candidate_texts))):
        if place < len(case.asks):
            yield from _wrapped(case.asks[place], first="    asked   ")
        was, becomes = _at(case.baseline_texts, place), _at(case.candidate_texts, place)
        if was == becomes:
            yield from _wrapped(was, first="    both    ")
        else:
            yield from _wrapped(was, first="    before  ")
            yield from _wrapped(becomes, first="    now     ")


def _at(texts: Sequence[str], place: int) -> str:
    return texts[place] if place < len(texts) else "(nothing)"


def _cost(difference: Difference, gate: GateResult | None) -> str:
    if difference.cost is not None:
        return difference.cost.sentence
    if gate is not None and gate.cost_baseline is not None and gate.cost_candidate is not None:
        return (
            f"A conversation of the evaluation cost {gate.cost_candidate:.5f} instead of "
            f"{gate.cost_baseline:.5f}."
        )
    return (
        "Nothing can be said: too few conversations of the older release, or a model without a price, "
        "or one that hasn't been seen answering."
    )


def _file(change: FileChange) -> str:
    if change.lines_added is None:
        return f"{change.kind:<8} {change.path}"
    return f"{change.kind:<8} {change.path}  +{change.lines_added} -{change.lines_removed}"


def _wrapped(text: str, *, first: str = "  ") -> Iterator[str]:
    rest = " " * len(first)
    for number, paragraph in enumerate(text.splitlines() or [""]):
        begin = first if number == 0 else rest
        yield from textwrap.wrap(paragraph, WIDTH, initial_indent=begin, subsequent_indent=rest) or [
            begin.rstrip()
        ]


def _as_json(difference: Difference, gate: GateResult | None) -> dict[str, Any]:
    told = asdict(difference)
    told["behaviour"] = None if gate is None else asdict(gate)
    return told
