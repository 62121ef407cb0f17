"""Publishing snapshots into a real database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.supply.knowledge.contracts import Audience, SourceDocument
from steward.supply.knowledge.errors import UnknownKind, UnreadableDocument
from steward.supply.knowledge.publishing import Knowledge, Progress

Write = Callable[..., SourceDocument]
FEES = "# Fees\n\nA late payment costs £5.\n\n## Refunds\n\nWe pay a refund within 5 working days.\n"
ROAMING = "# Roaming\n\nA Travel Pass costs £5 a day.\n"


@pytest.fixture
def knowledge(database: Database, fixed_clock: FixedClock) -> Knowledge:
    return Knowledge(database, fixed_clock)


class TestPublish:
    async def test_unchanged_documents_are_not_embedded_again(
        self, knowledge: Knowledge, embedder: Any, write: Write
    ) -> None:
        documents = [write("fees.md", FEES), write("roaming.md", ROAMING)]
        first = await knowledge.publish(documents, embedder=embedder)
        assert (first.documents, first.passages, first.embedded) == (2, 3, 3)
        second = await knowledge.publish(list(reversed(documents)), embedder=embedder)
        assert second.snapshot_id == first.snapshot_id
        assert second.embedded == 0
        assert len(embedder.texts) == 3

    async def test_a_changed_section_is_the_only_one_embedded_again(
        self, knowledge: Knowledge, embedder: Any, write: Write
    ) -> None:
        await knowledge.publish([write("fees.md", FEES), write("roaming.md", ROAMING)], embedder=embedder)
        embedder.texts.clear()
        changed = FEES.replace("5 working days", "3 working days")
        published = await knowledge.publish(
            [write("fees.md", changed), write("roaming.md", ROAMING)], embedder=embedder
        )
        assert published.embedded == 1
        assert embedder.texts == ["Fees › Refunds\nWe pay a refund within 3 working days."]

    async def test_changed_metadata_makes_another_snapshot_without_embedding(
        self, knowledge: Knowledge, embedder: Any, write: Write
    ) -> None:
        first = await knowledge.publish([write("fees.md", FEES)], embedder=embedder)
        second = await knowledge.publish(
            [write("fees.md", FEES, audience=Audience.AGENT, valid_until=date(2027, 1, 1))], embedder=embedder
        )
        assert second.snapshot_id != first.snapshot_id
        assert second.embedded == 0

    async def test_another_encoder_embeds_everything(
        self, knowledge: Knowledge, embedder: Any, write: Write
    ) -> None:
        first = await knowledge.publish([write("fees.md", FEES)], embedder=embedder)
        embedder.digest = "words-64-other"
        second = await knowledge.publish([write("fees.md", FEES)], embedder=embedder)
        assert (second.snapshot_id == first.snapshot_id, second.embedded) == (False, 2)

    async def test_two_publishers_at_once_make_one_snapshot(
        self, knowledge: Knowledge, embedder: Any, write: Write, database: Database
    ) -> None:
        documents = [write("fees.md", FEES), write("roaming.md", ROAMING)]
        both = await asyncio.gather(
            *(knowledge.publish(documents, embedder=embedder) for _ in range(2)),
            knowledge.publish([write("roaming.md", ROAMING)], embedder=embedder),
        )
        assert both[0].snapshot_id == both[1].snapshot_id
        async with database.read() as session:
            assert await session.one("select count(*) from knowledge_snapshot") == (2,)
            assert await session.one("select count(*) from snapshot_passage") == (4,)
            assert await session.one("select count(*) from passage") == (3,)

    async def test_an_unreadable_document_stores_nothing(
        self, knowledge: Knowledge, embedder: Any, write: Write, database: Database
    ) -> None:
        with pytest.raises(UnknownKind, match=r"prices.xlsx.*supported are \.csv"):
            await knowledge.publish([write("fees.md", FEES), write("prices.xlsx", "1")], embedder=embedder)
        with pytest.raises(UnreadableDocument, match=r"empty\.md"):
            await knowledge.publish([write("empty.md", "# Only a title")], embedder=embedder)
        async with database.read() as session:
            assert await session.one("select count(*) from knowledge_document") == (0,)

    async def test_progress_is_told(self, knowledge: Knowledge, embedder: Any, write: Write) -> None:
        told: list[Progress] = []
        await knowledge.publish([write("fees.md", FEES)], embedder=embedder, progress=told.append)
        assert told == [Progress("reading documents", 1, 1), Progress("embedding passages", 2, 2)]

    async def test_no_documents_make_an_empty_snapshot(self, knowledge: Knowledge, embedder: Any) -> None:
        published = await knowledge.publish([], embedder=embedder)
        assert published.passages == 0
