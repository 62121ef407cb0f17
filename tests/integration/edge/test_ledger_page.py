"""The ledger's page: filters, proof of an entry, and files to take away."""

from __future__ import annotations

import hashlib
from uuid import UUID

import httpx2
import psycopg
import pytest
from tests.conftest import TestDatabase
from tests.integration.edge.conftest import MASTER

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import Services
from steward.govern.access.permissions import Role
from steward.govern.ledger.chaining import Chainer
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.proofs import verify_lines
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.master_key import MasterKey
from steward.govern.retention.exporting import select_exports
from steward.supply.releases.signing import Signing

SECRET = "a long enough password"


@pytest.fixture
async def officer(client: httpx2.AsyncClient, services: Services) -> httpx2.AsyncClient:
    """Somebody of compliance, signed in."""
    account = await services.access.accounts.create(
        login="carla", name="Carla", role=Role.COMPLIANCE, password=SECRET, actor="system"
    )
    client.cookies.set(SESSION_COOKIE, (await services.access.sessions.open(account)).token)
    return client


@pytest.fixture
def chainer(database: Database, fixed_clock: FixedClock) -> Chainer:
    return Chainer(database, fixed_clock, signer=signing(database, fixed_clock, MASTER))


def signing(database: Database, clock: FixedClock, master_key: MasterKey) -> Signing:
    return Signing(database, master_key=master_key, clock=clock, ledger=Ledger(clock))


async def written(services: Services, subject: str = "rollout:1") -> UUID:
    async with services.database.write() as session:
        entry = Entry("system", "rollout.promoted", subject, {"reason": "it is safe", "evidence": '{"n": 1}'})
        return await services.ledger.append(session, entry)


class TestList:
    async def test_shows_what_waits_and_what_is_signed(
        self, officer: httpx2.AsyncClient, services: Services, chainer: Chainer
    ) -> None:
        await written(services)
        assert "waiting" in (await officer.get("/console/ledger")).text
        await chainer.finish()
        page = await officer.get("/console/ledger")
        assert "every entry is linked" in page.text
        assert "A candidate answers everybody" in page.text

    async def test_tells_that_rows_were_changed_before_they_were_signed(
        self,
        officer: httpx2.AsyncClient,
        services: Services,
        chainer: Chainer,
        clean_database: TestDatabase,
    ) -> None:
        await written(services)
        await chainer.link()
        assert "No head is signed any more" not in (await officer.get("/console/ledger")).text
        async with await psycopg.AsyncConnection.connect(clean_database.admin_url) as admin:
            await admin.execute("set local session_replication_role = replica")
            await admin.execute("update ledger_entry set actor = 'x' where deed = 'rollout.promoted'")
        page = await officer.get("/console/ledger")
        assert "No head is signed any more: the entry of row" in page.text
        assert "was changed after it was written" in page.text

    async def test_filters_by_deed_subject_and_period(
        self, officer: httpx2.AsyncClient, services: Services
    ) -> None:
        await written(services)
        for query in ("deed=account", "subject=rollout:2", "until=2020-01-01", "actor=account:x"):
            assert "rollout.promoted</small>" not in (await officer.get(f"/console/ledger?{query}")).text
        found = await officer.get("/console/ledger?deed=rollout.promoted&subject=rollout:1&actor=system")
        assert "rollout.promoted</small>" in found.text

    async def test_a_wrong_day_is_refused(self, officer: httpx2.AsyncClient) -> None:
        assert (await officer.get("/console/ledger?since=yesterday")).status_code == 400

    @pytest.mark.parametrize(
        ("address", "status"),
        [
            ("/console/ledger?until=9999-12-31", 400),
            ("/console/ledger/export?until=9999-12-31", 400),
            ("/console/ledger?deed=%00", 400),
            ("/console/releases/%00", 404),
            ("/v1/admin/releases/%00/diff/1", 404),
        ],
    )
    async def test_what_no_text_or_day_can_be_is_refused(
        self, address: str, status: int, officer: httpx2.AsyncClient
    ) -> None:
        assert (await officer.get(address)).status_code == status


class TestEntry:
    async def test_proof_can_be_taken_away_and_checked(
        self, officer: httpx2.AsyncClient, services: Services, chainer: Chainer, database: Database
    ) -> None:
        entry = await written(services)
        assert "waits to be linked" in (await officer.get(f"/console/ledger/{entry}")).text
        assert (await officer.get(f"/console/ledger/{entry}/proof")).status_code == 404
        await chainer.finish()
        page = await officer.get(f"/console/ledger/{entry}")
        assert "fit together" in page.text
        file = await officer.get(f"/console/ledger/{entry}/proof")
        assert "attachment" in file.headers["content-disposition"]
        assert verify_lines([file.text], public_key=await services.ledger_signer.public_key()).ok

    async def test_unknown_one_is_not_found(self, officer: httpx2.AsyncClient) -> None:
        assert (await officer.get(f"/console/ledger/{UUID(int=5)}")).status_code == 404


class TestExport:
    async def test_is_whole_and_noted(
        self, officer: httpx2.AsyncClient, services: Services, chainer: Chainer
    ) -> None:
        await written(services)
        await chainer.finish()
        file = await officer.get("/console/ledger/export")
        verdict = verify_lines(file.text.splitlines(), public_key=await services.ledger_signer.public_key())
        assert (verdict.ok, verdict.rows) == (True, 3)
        async with services.database.read() as session:
            newest = await services.ledger.recent(session, limit=1)
            (listed,) = await select_exports(session)
        assert newest[0].deed == "ledger.exported"
        assert (listed.kind, listed.records) == ("ledger", len(file.text.splitlines()))
        assert listed.digest == hashlib.sha256(file.content).digest()
        assert listed.made_by == newest[0].actor
