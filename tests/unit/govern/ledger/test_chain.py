"""The chain finds every change to rows that were written honestly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.govern.ledger.chain import Walk, digest_of
from steward.govern.ledger.contracts import GENESIS, Detail, Entry, Head, Row, Verdict
from steward.govern.ledger.errors import BadEntry

_START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
_words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
_details = st.dictionaries(_words, st.one_of(_words, st.integers(), st.booleans(), st.none()), max_size=4)
_entries = st.lists(st.builds(Entry, _words, _words, _words, _details), min_size=2, max_size=8)


def chained(entries: list[Entry]) -> list[Row]:
    rows: list[Row] = []
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        at = _START + timedelta(seconds=position)
        digest = digest_of(entry, position=position, at=at, previous=previous)
        rows.append(
            Row(position, at, entry.actor, entry.deed, entry.subject, entry.details, previous, digest)
        )
        previous = digest
    return rows


def judged(rows: list[Row], remembered: Head | None = None) -> Verdict:
    walk = Walk(remembered)
    for row in rows:
        walk.take(row)
    return walk.verdict()


class TestWalk:
    @given(_entries)
    def test_honest_chain_is_whole(self, entries: list[Entry]) -> None:
        rows = chained(entries)
        verdict = judged(rows, Head(len(rows), rows[-1].digest))
        assert verdict == Verdict(True, len(rows), None, None, rows[-1].digest)

    @given(_entries, st.data())
    def test_one_changed_field_is_found_where_it_is(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 1))
        row = rows[place]
        changed = data.draw(
            st.sampled_from(
                [
                    replace(row, actor=row.actor + "x"),
                    replace(row, deed="x" + row.deed),
                    replace(row, subject=row.subject + "x"),
                    replace(row, details={**row.details, "more": 1}),
                    replace(row, at=row.at + timedelta(microseconds=1)),
                    replace(row, digest=bytes([row.digest[0] ^ 1]) + row.digest[1:]),
                    replace(row, previous=bytes([row.previous[0] ^ 1]) + row.previous[1:]),
                ]
            )
        )
        verdict = judged([*rows[:place], changed, *rows[place + 1 :]])
        assert not verdict.ok
        assert verdict.first_bad_position == row.position

    @given(_entries, st.data())
    def test_removed_row_is_found(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 2))
        verdict = judged(rows[:place] + rows[place + 1 :])
        assert not verdict.ok
        assert "missing" in str(verdict.reason)

    @given(_entries, st.data())
    def test_removed_row_with_closed_ranks_is_found(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 2))
        closed = [replace(row, position=row.position - 1) for row in rows[place + 1 :]]
        assert judged(rows[:place] + closed).first_bad_position == place + 1

    @given(_entries, st.data())
    def test_exchanged_rows_are_found(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 2))
        one, other = rows[place], rows[place + 1]
        rows[place], rows[place + 1] = (
            replace(other, position=one.position),
            replace(one, position=other.position),
        )
        assert judged(rows).first_bad_position == place + 1

    @given(_entries, st.data())
    def test_inserted_row_is_found(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 1))
        previous = rows[place].previous
        forged = Entry("account:1", "made.up", "x:1", {})
        digest = digest_of(forged, position=place + 1, at=_START, previous=previous)
        extra = Row(place + 1, _START, forged.actor, forged.deed, forged.subject, {}, previous, digest)
        moved = [replace(row, position=row.position + 1) for row in rows[place:]]
        verdict = judged([*rows[:place], extra, *moved])
        assert verdict.first_bad_position == place + 2

    @given(_entries)
    def test_cut_end_shows_only_beside_the_head_seen_before(self, entries: list[Entry]) -> None:
        rows = chained(entries)
        head = Head(len(rows), rows[-1].digest)
        assert judged(rows[:-1]).ok
        verdict = judged(rows[:-1], head)
        assert verdict.first_bad_position == len(rows)
        assert "was seen before" in str(verdict.reason)

    def test_rewritten_chain_shows_beside_the_head_seen_before(self) -> None:
        first = Entry("a", "b.c", "d:1", {})
        old, new = chained([first, first]), chained([first, replace(first, actor="z"), first])
        verdict = judged(new, Head(2, old[-1].digest))
        assert verdict.first_bad_position == 2

    def test_row_of_a_foreign_type_counts_as_changed(self) -> None:
        rows = chained([Entry("a", "b.c", "d:1", {"n": 1})])
        bent: dict[str, Detail] = {"n": 1.5}  # type: ignore[dict-item] # what a tampered row may hold
        assert judged([replace(rows[0], details=bent)]).first_bad_position == 1

    def test_empty_ledger_is_whole(self) -> None:
        assert judged([]) == Verdict(True, 0, None, None, GENESIS)


class TestEntry:
    def test_empty_deed_is_refused(self) -> None:
        with pytest.raises(BadEntry, match="deed is empty"):
            Entry("a", "", "c", {})

    @pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
    def test_text_that_cannot_be_stored_is_refused(self, text: str) -> None:
        with pytest.raises(BadEntry, match="holds"):
            Entry("a", "b", "c", {"d": text})

    def test_float_is_refused(self) -> None:
        with pytest.raises(BadEntry, match="not a str, int, bool or None"):
            Entry("a", "b", "c", {"d": 0.5})  # type: ignore[dict-item] # the wrong type is the point
