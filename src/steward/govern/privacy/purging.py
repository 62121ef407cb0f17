"""What the vault keeps of a customer, how it expires and goes, and finding customers by reference."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from steward.base.db.contracts import ReadSession
from steward.govern.privacy.contracts import CustomerId, Purpose
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.vault import Vault
from steward.govern.retention.contracts import DataKind, Record
from steward.govern.retention.purging import UNHELD, SqlPurger, Statement

_FIND = "select id from customer where reference_digest = any(%s)"
_SPENT = f"""
    v.created_at < %(before)s and octet_length(v.value_sealed) > 0
    and {UNHELD.format(customer="v.customer_id")}
    and not exists (select from conversation c where c.customer_id = v.customer_id
                    and (c.state = 'open' or c.last_at >= %(before)s))"""
_DUE = f"select count(*) from vault_token v where {_SPENT}"
# The row stays without its value as long as messages may name its token: a number isn't given twice.
_EMPTY = f"""
    with due as (
        select v.customer_id, v.kind, v.number from vault_token v where {_SPENT} limit %(limit)s
    ), emptied as (
        update vault_token v set value_sealed = '', value_digest = uuid_send(gen_random_uuid())
        from due where (v.customer_id, v.kind, v.number) = (due.customer_id, due.kind, due.number)
        returning 1)
    select count(*) from emptied"""
# Lifted holds go with their customer: the ledger tells of them, and they would keep the row for ever.
_LEAVE = f"""
    with due as (
        select c.id from customer c
        where c.created_at < %(before)s and {UNHELD.format(customer="c.id")}
          and not exists (select from conversation o where o.customer_id = c.id)
        limit %(limit)s for update skip locked
    ), lifted as (delete from legal_hold h using due where h.customer_id = due.id
    ), gone as (delete from customer c using due where c.id = due.id returning 1)
    select count(*) from gone"""


class KnownCustomers:
    """Finds customers by what the company calls them."""

    def __init__(self, master_key: MasterKey) -> None:
        self._master_key = master_key

    async def find_customers(self, session: ReadSession, reference: str) -> Sequence[UUID]:
        """Return the customers of a reference: who proved it, and who only typed it."""
        digests = [
            self._master_key.digest(label, reference.encode(errors="surrogatepass"))
            for label in ("customer.verified", "customer")
        ]
        return [row[0] for row in await session.all(_FIND, (digests,))]


def vault_purger(vault: Vault) -> SqlPurger:
    """Return the purger of customers, their keys and the values behind tokens; it erases last."""

    async def export(session: ReadSession, customer_id: UUID) -> Sequence[Record]:
        customer = CustomerId(customer_id)
        rows = await session.all(
            """select kind, number, created_at from vault_token
               where customer_id = %s and octet_length(value_sealed) > 0 order by kind, number""",
            (customer_id,),
        )
        return [
            {
                "kind": kind,
                "value": await vault.unmask(
                    session, customer, f"[{kind}_{number}]", purpose=Purpose.OWN_WORDS, actor="customer"
                ),
                "since": at.isoformat(),
            }
            for kind, number, at in rows
        ]

    return SqlPurger(
        name="vault",
        kind=DataKind.VAULT,
        holds="The values that stand behind tokens (e-mail, card, name), sealed, and the key that seals.",
        tables=("customer", "customer_key", "vault_token"),
        erasing=(
            Statement("vault_token", "delete from vault_token where customer_id = %(customer)s"),
            Statement("customer_key", "delete from customer_key where customer_id = %(customer)s"),
            Statement("customer", "delete from customer where id = %(customer)s"),
        ),
        due_sql=_DUE,
        expiring=(_EMPTY, _LEAVE),
        export_with=export,
    )
