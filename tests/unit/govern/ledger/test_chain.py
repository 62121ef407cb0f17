"""The chain finds every change to rows that were written honestly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from steward.govern.ledger.chain import Walk, entry_digest, link_digest, shared_digest
from steward.govern.ledger.contracts import (
    GENESIS,
    Checkpoint,
    Detail,
    Entry,
    Head,
    Link,
    Signature,
    Verdict,
    Written,
)
from steward.govern.ledger.errors import BadEntry
from steward.govern.ledger.merkle import root_of
from steward.govern.ledger.signatures import checkpoint_message

_START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
_PUBLIC = _KEY.public_key().public_bytes_raw()
_words = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=12)
_details = st.dictionaries(_words, st.one_of(_words, st.integers(), st.booleans(), st.none()), max_size=4)
_entries = st.lists(st.builds(Entry, _words, _words, _words, _details), min_size=2, max_size=8)
Rows = list[tuple[Link, Written]]


def written(entry: Entry, number: int) -> Written:
    at, id = _START + timedelta(seconds=number), UUID(int=number)
    digest = entry_digest(entry, id=id, at=at)
    return Written(id, at, entry.actor, entry.deed, entry.subject, entry.details, digest)


def chained(entries: list[Entry]) -> Rows:
    rows: Rows = []
    previous = GENESIS
    for position, entry in enumerate(entries, start=1):
        kept = written(entry, position)
        digest = link_digest(position=position, entry=kept.id, digest=kept.digest, previous=previous)
        rows.append((Link(position, kept.id, 2, previous, digest), kept))
        previous = digest
    return rows


def signed(rows: Rows, *, key: Ed25519PrivateKey = _KEY, first: int = 1) -> Checkpoint:
    root = root_of([link.digest for link, _ in rows[first - 1 :]])
    nothing = Signature(key.public_key().public_bytes_raw(), b"")
    head = Checkpoint(first, rows[-1][0].position, _START, rows[-1][0].digest, root, nothing)
    return replace(head, signature=replace(nothing, signature=key.sign(checkpoint_message(head))))


def judged(rows: Rows, *remembered: Head, checkpoint: Checkpoint | None = None) -> Verdict:
    walk = Walk(remembered, public_key=_PUBLIC)
    for link, entry in rows:
        walk.take(link, entry, checkpoint if checkpoint and checkpoint.position == link.position else None)
    walk.ends(checkpoint)
    return walk.verdict()


class TestWalk:
    @given(_entries)
    def test_honest_chain_is_whole(self, entries: list[Entry]) -> None:
        rows = chained(entries)
        last = rows[-1][0]
        assert judged(rows, Head(last.position, last.digest)) == Verdict(
            True, len(rows), None, None, last.digest
        )

    @given(_entries, st.data())
    def test_one_changed_field_of_an_entry_is_found_where_it_is(
        self, entries: list[Entry], data: st.DataObject
    ) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 1))
        link, entry = rows[place]
        changed = data.draw(
            st.sampled_from(
                [
                    replace(entry, actor=entry.actor + "x"),
                    replace(entry, deed="x" + entry.deed),
                    replace(entry, subject=entry.subject + "x"),
                    replace(entry, details={**entry.details, "more": 1}),
                    replace(entry, at=entry.at + timedelta(microseconds=1)),
                    replace(entry, id=UUID(int=99)),
                    replace(entry, digest=bytes([entry.digest[0] ^ 1]) + entry.digest[1:]),
                ]
            )
        )
        rows[place] = link, changed
        assert judged(rows).first_bad_position == link.position

    @given(_entries, st.data())
    def test_one_changed_field_of_a_link_is_found_where_it_is(
        self, entries: list[Entry], data: st.DataObject
    ) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 1))
        link, entry = rows[place]
        changed = data.draw(
            st.sampled_from(
                [
                    replace(link, entry=UUID(int=99)),
                    replace(link, form=1),
                    replace(link, previous=bytes([link.previous[0] ^ 1]) + link.previous[1:]),
                    replace(link, digest=bytes([link.digest[0] ^ 1]) + link.digest[1:]),
                ]
            )
        )
        rows[place] = changed, entry
        assert judged(rows).first_bad_position == link.position

    def test_entry_rewritten_with_its_digest_is_found(self) -> None:
        rows = chained([Entry("a", "b.c", "d:1", {}), Entry("a", "b.c", "d:2", {})])
        rows[0] = rows[0][0], written(Entry("z", "b.c", "d:1", {}), 1)
        verdict = judged(rows)
        assert (verdict.first_bad_position, verdict.entry) == (1, UUID(int=1))

    @given(_entries, st.data())
    def test_removed_row_is_found(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 2))
        verdict = judged(rows[:place] + rows[place + 1 :])
        assert verdict.first_bad_position == place + 1
        assert "missing" in str(verdict.reason)

    def test_removed_entry_is_found(self) -> None:
        walk = Walk()
        walk.take(chained([Entry("a", "b.c", "d:1", {})])[0][0], None)
        assert walk.verdict().reason == "the entry of row 1 is missing"

    @given(_entries, st.data())
    def test_removed_row_with_closed_ranks_is_found(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 2))
        closed = [(replace(link, position=link.position - 1), entry) for link, entry in rows[place + 1 :]]
        assert judged(rows[:place] + closed).first_bad_position == place + 1

    @given(_entries, st.data())
    def test_exchanged_rows_are_found(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(0, len(rows) - 2))
        (one, first), (other, second) = rows[place], rows[place + 1]
        rows[place] = replace(other, position=one.position), second
        rows[place + 1] = replace(one, position=other.position), first
        assert judged(rows).first_bad_position == place + 1

    @given(_entries, st.data())
    def test_inserted_row_is_found_where_it_is(self, entries: list[Entry], data: st.DataObject) -> None:
        rows = chained(entries)
        place = data.draw(st.integers(1, len(rows) - 1))
        previous = rows[place][0].previous
        forged = written(Entry("account:1", "made.up", "x:1", {}), 77)
        digest = link_digest(position=place + 1, entry=forged.id, digest=forged.digest, previous=previous)
        extra = Link(place + 1, forged.id, 2, previous, digest), forged
        moved = [(replace(link, position=link.position + 1), entry) for link, entry in rows[place:]]
        verdict = judged([*rows[:place], extra, *moved])
        assert verdict.first_bad_position == place + 1
        assert "was put in" in str(verdict.reason)

    @given(_entries)
    def test_cut_end_shows_beside_a_head_seen_before(self, entries: list[Entry]) -> None:
        rows = chained(entries)
        head = Head(len(rows), rows[-1][0].digest)
        assert judged(rows[:-1]).ok
        verdict = judged(rows[:-1], head)
        assert verdict.first_bad_position == len(rows)
        assert "was seen before" in str(verdict.reason)

    def test_rewritten_chain_shows_beside_a_head_seen_before(self) -> None:
        first = Entry("a", "b.c", "d:1", {})
        old, new = chained([first, first]), chained([first, replace(first, actor="z"), first])
        assert judged(new, Head(2, old[-1][0].digest)).first_bad_position == 2

    def test_row_of_a_foreign_type_counts_as_changed(self) -> None:
        rows = chained([Entry("a", "b.c", "d:1", {"n": 1})])
        bent: dict[str, Detail] = {"n": 1.5}  # type: ignore[dict-item] # what a tampered row may hold
        rows[0] = rows[0][0], replace(rows[0][1], details=bent)
        assert judged(rows).first_bad_position == 1

    def test_empty_ledger_is_whole(self) -> None:
        assert judged([]) == Verdict(True, 0, None, None, GENESIS)

    def test_row_from_before_batches_is_checked_by_its_one_digest(self) -> None:
        entry = Entry("a", "b.c", "d:1", {"n": 1})
        digest = shared_digest(entry, position=1, at=_START, previous=GENESIS)
        kept = Written(UUID(int=1), _START, "a", "b.c", "d:1", {"n": 1}, digest)
        link = Link(1, kept.id, 1, GENESIS, digest)
        assert judged([(link, kept)]).ok
        assert judged([(link, replace(kept, subject="d:2"))]).first_bad_position == 1


class TestSignedHeads:
    rows = chained([Entry("a", "b.c", f"d:{number}", {}) for number in range(5)])

    def test_right_one_is_counted(self) -> None:
        verdict = judged(self.rows, checkpoint=signed(self.rows))
        assert (verdict.ok, verdict.checkpoints, verdict.signed_to) == (True, 1, 5)

    def test_cut_end_shows_beside_the_signed_head(self) -> None:
        verdict = judged(self.rows[:3], checkpoint=signed(self.rows))
        assert (verdict.first_bad_position, verdict.reason) == (
            4,
            "the ledger ends at position 3, but 5 was signed",
        )

    def test_chain_rewritten_after_signing_is_found(self) -> None:
        other = chained([Entry("z", "b.c", f"d:{number}", {}) for number in range(5)])
        assert "other rows" in str(judged(other, checkpoint=signed(self.rows)).reason)

    def test_foreign_key_is_found(self) -> None:
        foreign = signed(self.rows, key=Ed25519PrivateKey.from_private_bytes(b"f" * 32))
        assert "isn't this installation's" in str(judged(self.rows, checkpoint=foreign).reason)

    @pytest.mark.parametrize(
        "change", [{"at": _START + timedelta(seconds=1)}, {"position": 9}, {"first": 2}, {"root": bytes(32)}]
    )
    def test_changed_one_is_found(self, change: dict[str, object]) -> None:
        bent = replace(signed(self.rows), **change)  # type: ignore[arg-type] # each change fits its field
        verdict = judged(self.rows, checkpoint=bent)
        assert not verdict.ok
        assert verdict.first_bad_position == bent.position


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
