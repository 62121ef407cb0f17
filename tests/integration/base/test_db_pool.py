"""The pool on real PostgreSQL."""

from __future__ import annotations

from steward.base.db.pool import PooledDatabase

INSERT = "insert into signing_key values ('a', 'b', %s, now(), null)"


class TestSessions:
    async def test_a_write_commits_when_its_block_ends(self, database: PooledDatabase) -> None:
        async with database.write() as session:
            touched = await session.execute(INSERT, (b"x",))
        async with database.read() as session:
            rows = await session.all("select id, sealed from signing_key")
        assert (touched, rows) == (1, [("a", b"x")])
