"""Searching a snapshot in a real database: ranking, and what a reader may not see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.supply.knowledge.contracts import Audience, Found, SnapshotId, SourceDocument
from steward.supply.knowledge.errors import NoSuchSnapshot
from steward.supply.knowledge.publishing import Knowledge
from steward.supply.knowledge.search import Search

Write = Callable[..., SourceDocument]
TODAY = date(2026, 3, 2)


class Base:
    """A published knowledge base that can be asked."""

    def __init__(self, database: Database, clock: FixedClock, embedder: Any) -> None:
        self._database = database
        self._knowledge = Knowledge(database, clock)
        self._embedder = embedder
        self.snapshot_id = SnapshotId("")

    async def publish(self, *documents: SourceDocument) -> None:
        published = await self._knowledge.publish(documents, embedder=self._embedder)
        self.snapshot_id = published.snapshot_id

    async def ask(
        self,
        text: str,
        *,
        audience: Audience = Audience.PUBLIC,
        groups: Sequence[str] = (),
        today: date = TODAY,
        limit: int = 5,
    ) -> Found:
        search = await Search.open(self._database, self.snapshot_id)
        vector = self._embedder.vector(text)
        return await search.find(text, vector, audience=audience, groups=groups, today=today, limit=limit)


@pytest.fixture
def base(database: Database, fixed_clock: FixedClock, embedder: Any) -> Base:
    return Base(database, fixed_clock, embedder)


def paths(found: Found) -> list[str]:
    return [passage.document_path for passage in found.passages]


class TestFind:
    async def test_the_passage_that_answers_comes_first_with_its_source(
        self, base: Base, write: Write
    ) -> None:
        await base.publish(
            write("fees.md", "# Fees\n\nA late payment costs £5.", source="https://help.example/fees"),
            write("roaming.md", "# Roaming\n\nA Travel Pass lasts 24 hours."),
        )
        found = await base.ask("what does a late payment cost")
        best = found.passages[0]
        assert (best.document_path, best.title, best.heading) == ("fees.md", "Fees", "Fees")
        assert best.body == "A late payment costs £5."
        assert best.source_url == "https://help.example/fees"
        assert best.score > found.passages[1].score
        assert 0 < best.dense <= 1
        assert 0 < best.lexical <= 1

    async def test_a_question_of_stop_words_is_answered_by_meaning_alone(
        self, base: Base, write: Write
    ) -> None:
        await base.publish(write("fees.md", "# Fees\n\nA late payment costs £5."))
        found = await base.ask("what is it?")
        assert [passage.lexical for passage in found.passages] == [0.0]

    async def test_nothing_published_is_no_evidence(self, base: Base) -> None:
        await base.publish()
        assert await base.ask("late payment") == Found((), 0.0)

    async def test_an_unrelated_question_has_weaker_evidence(self, base: Base, write: Write) -> None:
        await base.publish(
            write("fees.md", "# Fees\n\nA late payment costs £5."),
            write("roaming.md", "# Roaming\n\nA Travel Pass lasts 24 hours."),
        )
        strong = await base.ask("how much does a late payment cost")
        weak = await base.ask("who won the world cup in 1998")
        assert weak.evidence < strong.evidence / 2

    async def test_an_unknown_snapshot_is_refused(self, database: Database) -> None:
        with pytest.raises(NoSuchSnapshot, match="abc"):
            await Search.open(database, SnapshotId("abc"))


class TestWhoMayFindWhat:
    @pytest.mark.parametrize("reader", list(Audience))
    async def test_each_audience_finds_all_of_its_own_and_nothing_above(
        self, base: Base, write: Write, reader: Audience
    ) -> None:
        await base.publish(
            *(
                write(
                    f"{level.name}-{number}.md",
                    f"# Refunds {level.name} {number}\n\nRefund rule {number}.",
                    audience=level,
                )
                for level in Audience
                for number in range(10)
            )
        )
        found = await base.ask("refund rule", audience=reader, limit=100)
        expected = {
            f"{level.name}-{number}.md" for level in Audience if level <= reader for number in range(10)
        }
        assert set(paths(found)) == expected
        # A filter after ranking would return fewer than asked for.
        assert len((await base.ask("refund rule", audience=reader, limit=10)).passages) == 10

    async def test_a_document_with_groups_needs_one_of_them(self, base: Base, write: Write) -> None:
        await base.publish(
            write("all.md", "# Offers\n\nThe offer for everybody."),
            write("staff.md", "# Offers\n\nThe offer for staff and partners.", groups=("staff", "partners")),
        )
        assert set(paths(await base.ask("offer"))) == {"all.md"}
        assert set(paths(await base.ask("offer", groups=("trade",)))) == {"all.md"}
        assert set(paths(await base.ask("offer", groups=("partners", "trade")))) == {"all.md", "staff.md"}

    @pytest.mark.parametrize(
        ("today", "found"),
        [
            (date(2026, 2, 28), False),
            (date(2026, 3, 1), True),
            (date(2026, 3, 31), True),
            (date(2026, 4, 1), False),
        ],
    )
    async def test_a_document_is_found_only_while_it_is_valid(
        self, base: Base, write: Write, today: date, found: bool
    ) -> None:
        await base.publish(
            write(
                "offer.md",
                "# Offer\n\nMarch offer.",
                valid_from=date(2026, 3, 1),
                valid_until=date(2026, 3, 31),
            )
        )
        assert bool((await base.ask("march offer", today=today)).passages) is found

    async def test_an_old_snapshot_still_finds_what_it_held(self, base: Base, write: Write) -> None:
        await base.publish(write("fees.md", "# Fees\n\nA late payment costs £5."))
        old = base.snapshot_id
        await base.publish(write("fees.md", "# Fees\n\nA late payment costs £7."))
        assert "£7" in (await base.ask("late payment")).passages[0].body
        assert len((await base.ask("late payment")).passages) == 1
        base.snapshot_id = old
        assert [passage.body for passage in (await base.ask("late payment")).passages] == [
            "A late payment costs £5."
        ]
