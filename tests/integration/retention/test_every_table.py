"""No table keeps personal data that nobody purges: found by looking at the migrated schema itself."""

from __future__ import annotations

from collections.abc import Mapping

import psycopg
import pytest

from steward.app.retaining import purgers_of
from steward.base.clock import FixedClock
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.vault import Vault
from steward.govern.retention.contracts import DataKind
from steward.supply.assistant.schema.governance import Retention

NOT_OF_CUSTOMERS: Mapping[str, str] = {
    "account": "Members of staff; the ledger and reviews name them for as long as these are kept.",
    "account_scope": "What an account may do; goes with its account.",
    "api_key": "Keys of programs and who made them; a digest, never the key.",
    "recovery_code": "Digests of a member of staff's codes; go with the account.",
    "erasure": "Names no one: the ground, who asked, and the certificate.",
    "erasure_customer": "Ids of erased customers, which lead nowhere; they keep one from being erased twice.",
    "ledger_entry": "Append-only; holds ids and digests. No purger could take a row, and none has to.",
    "sealed_master_key": "The installation's master keys, sealed by a key service.",
    "signing_key": "The installation's own keys, sealed by the master key.",
}
"""Tables that look personal and that no purger claims, each with the reason."""
_LOOKS_PERSONAL = """
    with recursive people as (
        select c.oid from pg_class c where c.oid in ('customer'::regclass, 'account'::regclass,
            'conversation'::regclass, 'turn'::regclass)
        union
        select k.conrelid from pg_constraint k join people p on p.oid = k.confrelid where k.contype = 'f'
    )
    select c.relname::text from pg_class c
    where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace
      and (c.oid in (select oid from people) or exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          and (a.attname ~ '(^|_)(customer|conversation|turn|message|account|subject|reviewer)(_id)?$'
               or a.attname ~ '(_sealed|^sealed|^body|^transcript|^texts)$'
               or a.attname in ('name', 'email', 'phone', 'address', 'login', 'comment') and c.relname !~
                  '^(release|trusted|kpi|eval|signing|passage|knowledge)')))
    order by 1"""
_KNOWLEDGE = {"passage"}
"""Tables whose `body` is a company's published knowledge."""


def personal_tables(connection: psycopg.Connection[tuple[object, ...]]) -> set[str]:
    return {str(row[0]) for row in connection.execute(_LOOKS_PERSONAL.encode())} - _KNOWLEDGE


@pytest.fixture
def claimed(fixed_clock: FixedClock) -> set[str]:
    purgers = purgers_of(Vault(MasterKey(b"m" * 32), fixed_clock))
    return {table for purger in purgers for table in purger.tables}


class TestEveryTable:
    def test_with_personal_data_is_claimed_or_named_with_a_reason(
        self, owner_url: str, claimed: set[str]
    ) -> None:
        with psycopg.connect(owner_url) as connection:
            found = personal_tables(connection)
        assert {"message", "vault_token", "review", "feedback", "shadow_turn"} <= found
        assert found - claimed - set(NOT_OF_CUSTOMERS) == set(), (
            "a table keeps personal data: add it to its package's purger (app/retaining.py lists them)"
        )

    def test_a_forgotten_one_would_be_found(self, owner_url: str, claimed: set[str]) -> None:
        with psycopg.connect(owner_url) as connection:
            connection.execute("create table diary (customer_id uuid, note text)")
            connection.execute("create table page (id int, comment_sealed bytea)")
            connection.execute("create table leaf (id int, of uuid references conversation)")
            assert personal_tables(connection) - claimed - set(NOT_OF_CUSTOMERS) == {"diary", "page", "leaf"}
            connection.rollback()

    def test_that_is_claimed_or_named_exists(self, owner_url: str, claimed: set[str]) -> None:
        with psycopg.connect(owner_url) as connection:
            rows = connection.execute(
                "select name from unnest(%s::text[]) name where to_regclass(name) is null",
                (sorted(claimed | set(NOT_OF_CUSTOMERS)),),
            ).fetchall()
        assert [row[0] for row in rows if row[0] not in {"account_scope", "recovery_code"}] == []


class TestPurgers:
    def test_have_names_of_their_own_and_cover_every_kind(self, fixed_clock: FixedClock) -> None:
        purgers = purgers_of(Vault(MasterKey(b"m" * 32), fixed_clock))
        assert len({purger.name for purger in purgers}) == len(purgers)
        assert {purger.kind for purger in purgers} - {None} == set(DataKind) - {DataKind.LEDGER}

    def test_the_folder_knows_the_same_kinds(self) -> None:
        for kind in DataKind:
            assert Retention.model_validate({"data": kind.value, "days": 1}).days == 1
