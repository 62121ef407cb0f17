"""An account that is limited to categories sees and touches only what belongs to them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import httpx2
import psycopg
import pytest
from tests.integration.edge.test_permissions import CALLS, SOME_ID

from steward.base.clock import FixedClock
from steward.base.db.pool import PooledDatabase
from steward.edge.application import build_app
from steward.edge.callers import SESSION_COOKIE
from steward.edge.contracts import Services
from steward.edge.declarations import Declared
from steward.govern.access.keys import KeyKind
from steward.govern.access.permissions import Permission, Role
from steward.govern.ledger.service import Ledger
from steward.serve.conversations.overview import Overview
from steward.serve.desk.requests import select_waiting
from steward.serve.turn.reach import RECORDS
from steward.serve.workflows.approvals import Approvals

CATEGORIES = ("billing", "technical", None)


@dataclass(frozen=True, slots=True)
class Records:
    """A conversation that waits, its turn, and an approval."""

    conversation_id: UUID
    turn_id: UUID
    approval_id: UUID


@pytest.fixture
def records(
    admin_connection: psycopg.Connection[tuple[object, ...]], fixed_clock: FixedClock
) -> dict[str | None, Records]:
    """One of each by category, written straight into the tables."""
    now, made = fixed_clock.now(), {}
    admin_connection.execute("set session_replication_role = replica")
    for category in CATEGORIES:
        one = Records(uuid4(), uuid4(), uuid4())
        run, customer = uuid4(), uuid4()
        admin_connection.execute(
            """insert into conversation (id, customer_id, assistant, release_id, channel, verified, category,
                                         opened_at, last_at)
               values (%s, %s, 'northline', 'r', 'web', false, %s, %s, %s)""",
            (one.conversation_id, customer, category, now, now),
        )
        admin_connection.execute(
            """insert into handover (id, conversation_id, queue, reason, asked_at)
               values (%s, %s, 'q', 'asked', %s)""",
            (uuid4(), one.conversation_id, now),
        )
        place(
            admin_connection,
            "turn",
            id=one.turn_id,
            conversation_id=one.conversation_id,
            started_at=now,
            outcome="answered",
            arm="baseline",
        )
        place(
            admin_connection,
            "workflow_run",
            id=run,
            conversation_id=one.conversation_id,
            customer_id=customer,
            state="awaiting_approval",
        )
        place(admin_connection, "approval", id=one.approval_id, run_id=run, role="agent", state="waiting")
        made[category] = one
    return made


def place(connection: psycopg.Connection[tuple[object, ...]], table: str, **values: Any) -> None:
    """Insert a row, with something of the right type in each further column that must be filled."""
    fillers = {
        "text": "'x'",
        "uuid": "gen_random_uuid()",
        "bytea": "'\\x00'::bytea",
        "timestamp with time zone": "now()",
        "boolean": "false",
        "jsonb": "'{}'::jsonb",
        "ARRAY": "'{}'",
    }
    needed = connection.execute(
        """select column_name, data_type from information_schema.columns
           where table_name = %s and table_schema = 'public' and is_nullable = 'NO'
             and column_default is null""",
        (table,),
    ).fetchall()
    rest = {str(name): fillers.get(str(kind), "0") for name, kind in needed if name not in values}
    columns = ", ".join([*values, *rest])
    slots = ", ".join([*("%s" for _ in values), *rest.values()])
    connection.execute(f"insert into {table} ({columns}) values ({slots})".encode(), list(values.values()))


@pytest.fixture
async def limited(services: Services) -> AsyncIterator[tuple[httpx2.AsyncClient, UUID]]:
    """A signed-in operator of billing, and the account's id."""
    account = await services.access.accounts.create(
        login="bill",
        name="Bill",
        role=Role.OPERATOR,
        password="a long password",
        actor="system",
        categories=["billing"],
    )
    opened = await services.access.sessions.open(account)
    app = build_app(replace(services, overview=Overview(services.database)))
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://steward.test",
        headers={"x-csrf-token": opened.csrf_token},
        cookies={SESSION_COOKIE: opened.token},
    ) as client:
        client.headers["x-form-token"] = opened.csrf_token
        yield client, account.id


RECORD_CALLS = [call for call in CALLS if any(f"{{{name}}}" in call.path for name in RECORDS)]


async def answer(client: httpx2.AsyncClient, call: Declared, records: Records) -> int:
    """Make a call about the records and return its status."""
    path = call.path
    for name in RECORDS:
        path = path.replace(f"{{{name}}}", str(getattr(records, name)))
    form = {"csrf_token": client.headers["x-form-token"]} if call.is_page else None
    response = await client.request(call.method, path, data=form)
    return int(response.status_code)


class TestRecords:
    def test_there_are_such_calls(self) -> None:
        paths = {call.path for call in RECORD_CALLS}
        assert {
            "/v1/admin/conversations/{conversation_id}",
            "/v1/admin/turns/{turn_id}",
            "/v1/admin/turns/{turn_id}/reviews",
            "/v1/admin/handovers/{conversation_id}/take",
            "/v1/admin/approvals/{approval_id}",
            "/console/conversations/{conversation_id}/reveal",
            "/console/conversations/{conversation_id}/take",
            "/console/turns/{turn_id}",
        } <= paths

    @pytest.mark.parametrize("call", RECORD_CALLS, ids=lambda call: f"{call.method} {call.path}")
    async def test_other_categories_arent_there(
        self,
        call: Declared,
        limited: tuple[httpx2.AsyncClient, UUID],
        records: dict[str | None, Records],
    ) -> None:
        client, _ = limited
        if not call.admits_role(Role.OPERATOR):
            assert await answer(client, call, records["technical"]) == 403
            return
        # What is in reach gets as far as the services, which these tests don't have.
        assert await answer(client, call, records["billing"]) != 404
        for category in ("technical", None):
            assert await answer(client, call, records[category]) == 404
        nowhere = Records(UUID(SOME_ID), UUID(SOME_ID), UUID(SOME_ID))
        assert await answer(client, call, nowhere) == 404

    async def test_what_one_holds_stays_in_reach(
        self,
        limited: tuple[httpx2.AsyncClient, UUID],
        records: dict[str | None, Records],
        admin_connection: psycopg.Connection[tuple[object, ...]],
    ) -> None:
        client, account = limited
        call = Declared("GET", "/v1/admin/conversations/{conversation_id}", None)
        assert await answer(client, call, records["technical"]) == 404
        admin_connection.execute(
            "update conversation set speaker = 'human', speaker_account = %s where category = 'technical'",
            (account,),
        )
        assert await answer(client, call, records["technical"]) == 500


class TestLists:
    async def test_conversations_of_other_categories_arent_listed(
        self, limited: tuple[httpx2.AsyncClient, UUID], records: dict[str | None, Records]
    ) -> None:
        client, _ = limited
        listed = (await client.get("/v1/admin/conversations")).json()["conversations"]
        assert [line["id"] for line in listed] == [str(records["billing"].conversation_id)]

    async def test_nobody_of_them_waits(
        self, database: PooledDatabase, records: dict[str | None, Records]
    ) -> None:
        async with database.read() as session:
            some = await select_waiting(session, categories=frozenset({"billing"}))
            everybody = await select_waiting(session)
        assert [line.conversation_id for line in some] == [records["billing"].conversation_id]
        assert len(everybody) == 3

    async def test_nothing_of_them_waits_for_approval(
        self, services: Services, records: dict[str | None, Records]
    ) -> None:
        approvals = Approvals(
            database=services.database,
            vault=services.vault,
            ledger=Ledger(services.clock),
            clock=services.clock,
        )
        assert await approvals.waiting(categories=frozenset({"payments"})) == ()


class TestKeys:
    async def test_a_limited_account_hands_out_no_key(
        self, services: Services, limited: tuple[httpx2.AsyncClient, UUID]
    ) -> None:
        client, _ = limited
        form = {"csrf_token": client.headers["x-form-token"], "name": "k", "kind": "secret"}
        answer = await client.post("/console/site/keys", data={**form, "scope:conversation:read": "on"})
        assert answer.status_code == 403
        old = await services.access.keys.issue(
            name="old", kind=KeyKind.SECRET, actor="system", scopes={Permission.CONVERSATION_READ}
        )
        assert (await client.post(f"/console/site/keys/{old.key.id}/rotate", data=form)).status_code == 403
        assert [key.id for key in await services.access.keys.listed()] == [old.key.id]

    async def test_nobody_hands_out_more_than_they_may(self, services: Services) -> None:
        account = await services.access.accounts.create(
            login="olga", name="Olga", role=Role.OPERATOR, password="a long password", actor="system"
        )
        opened = await services.access.sessions.open(account)
        form = {"csrf_token": opened.csrf_token, "name": "k", "kind": "secret"}
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=build_app(services)),
            base_url="http://steward.test",
            cookies={SESSION_COOKIE: opened.token},
        ) as client:
            own = await client.post("/console/site/keys", data={**form, "scope:conversation:read": "on"})
            more = await client.post("/console/site/keys", data={**form, "scope:conversation:use": "on"})
            endless = await client.post(
                "/console/site/keys", data={**form, "scope:conversation:read": "on", "days": "00001999999999"}
            )
        assert (own.status_code, more.status_code, endless.status_code) == (200, 403, 400)
        assert "conversation:use" in more.text


class TestWholeInstallation:
    @pytest.mark.parametrize(
        "address",
        [
            "/v1/admin/rollouts",
            f"/v1/admin/rollouts/{SOME_ID}/rollback",
            f"/v1/admin/rollouts/{SOME_ID}/approvals/0",
            "/v1/admin/releases/1/labels",
        ],
    )
    async def test_a_limited_account_changes_nothing_for_all_categories(
        self, address: str, limited: tuple[httpx2.AsyncClient, UUID]
    ) -> None:
        client, _ = limited
        answer = await client.post(address, json={"reason": "r"})
        assert (answer.status_code, "permission" in answer.text) == (403, True)
        assert (await client.get("/v1/admin/conversations")).status_code == 200
