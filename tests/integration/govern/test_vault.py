"""The vault on a real database: tokens that hold, values that come back, keys that can be dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database, Parameters, Row
from steward.govern.ledger.service import Ledger
from steward.govern.privacy.contracts import CustomerId, MaskedText, Purpose, RevealReason, TokenUse
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.errors import CustomerErased, WrongMasterKey
from steward.govern.privacy.fragments import Before
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.tokens import joined, literals_in
from steward.govern.privacy.vault import Vault

_DETECTOR = Detector(mask=[("account", r"\bNL-\d{6}\b")])
_FRAGMENTS = st.sampled_from(
    [
        "jo@example.com",
        "JO at example dot com",
        "4111 1111 1111 1111",
        "[EMAIL_1]",
        "[CARD_12]",
        "[LITERAL_1]",
        "[EMAIL_",
        "_1]",
        "]",
        "[",
        "07700 900123",
        "my name is Maya Patel",
        "GB82 WEST 1234 5698 7654 32",
        "password is hunter2",
        "NL-123456",
        " and ",
        "\n",
        "\u200b",
        "é",
    ]
)
_LETTERS = st.characters(exclude_categories=())
"""Every character there is, NUL and half surrogates included."""
_TEXTS = st.one_of(
    st.text(_LETTERS, max_size=60),
    st.lists(st.one_of(_FRAGMENTS, st.text(_LETTERS, max_size=8)), max_size=8).map("".join),
)


class UnusedSession:
    """A session that must not be used."""

    def _refuse(self) -> None:
        raise AssertionError("no SQL was expected")

    async def all(self, sql: str, parameters: Parameters = None) -> list[Row]:
        self._refuse()
        return []

    async def one(self, sql: str, parameters: Parameters = None) -> Row | None:
        self._refuse()
        return None

    async def stream(self, sql: str, parameters: Parameters = None) -> AsyncIterator[Row]:
        self._refuse()
        yield ()

    async def execute(self, sql: str, parameters: Parameters = None) -> int:
        self._refuse()
        return 0

    async def execute_many(self, sql: str, rows: Sequence[Parameters]) -> None:
        self._refuse()

    async def copy_in(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        self._refuse()

    async def notify(self, channel: str, payload: str) -> None:
        self._refuse()


@pytest.fixture
def vault(fixed_clock: FixedClock) -> Vault:
    return Vault(MasterKey(b"m" * 32), fixed_clock)


async def opened(database: Database, vault: Vault, reference: str | None = None) -> CustomerId:
    async with database.write() as session:
        return await vault.open_customer(session, reference=reference, verified=False)


async def masked(database: Database, vault: Vault, customer: CustomerId, text: str) -> MaskedText:
    async with database.write() as session:
        return await vault.mask(session, customer, text, detector=_DETECTOR)


async def unmasked(database: Database, vault: Vault, customer: CustomerId, text: str) -> str:
    async with database.read() as session:
        return await vault.unmask(session, customer, text, purpose=Purpose.OWN_WORDS, actor="system")


async def mask_and_crash(database: Database, vault: Vault, customer: CustomerId, text: str) -> None:
    async with database.write() as session:
        await vault.mask(session, customer, text, detector=_DETECTOR)
        raise RuntimeError("crash")


class TestNamesOfOthers:
    async def test_stay_where_they_stand(self, database: Database, vault: Vault) -> None:
        customer, text = await opened(database, vault), "my name is Sam and yours, my name is Jo"
        async with database.write() as session:
            kept = await vault.mask(
                session, customer, text, detector=_DETECTOR, not_theirs=[(0, len("my name is Sam"))]
            )
        assert kept.text == "my name is Sam and yours, my name is [NAME_1]"

    async def test_are_names_alone(self, database: Database, vault: Vault) -> None:
        customer, text = await opened(database, vault), "jo.kim@example.com"
        async with database.write() as session:
            kept = await vault.mask(session, customer, text, detector=_DETECTOR, not_theirs=[(0, len(text))])
        assert kept.text == "[EMAIL_1]"


class TestOpenCustomer:
    async def test_same_reference_is_the_same_customer(self, database: Database, vault: Vault) -> None:
        assert await opened(database, vault, "c-1") == await opened(database, vault, "c-1")

    async def test_verified_and_unverified_are_two(self, database: Database, vault: Vault) -> None:
        async with database.write() as session:
            proven = await vault.open_customer(session, reference="c-1", verified=True)
        assert proven != await opened(database, vault, "c-1")

    async def test_nobody_is_somebody_new_each_time(self, database: Database, vault: Vault) -> None:
        assert await opened(database, vault) != await opened(database, vault)

    async def test_two_at_once_get_the_same_customer(self, database: Database, vault: Vault) -> None:
        found = await asyncio.gather(*(opened(database, vault, "c-9") for _ in range(6)))
        assert len(set(found)) == 1

    async def test_erased_customer_comes_back_as_a_new_one(self, database: Database, vault: Vault) -> None:
        old = await opened(database, vault, "c-1")
        async with database.write() as session:
            await session.execute("delete from customer_key where customer_id = %s", [old])
        vault.forget(old)
        new = await opened(database, vault, "c-1")
        assert new != old
        assert await opened(database, vault, "c-1") == new

    async def test_reference_is_stored_as_a_digest_only(self, database: Database, vault: Vault) -> None:
        await opened(database, vault, "maya@example.com")
        async with database.read() as session:
            row = await session.one("select reference_digest from customer")
        assert row is not None
        assert len(row[0]) == 32


class TestFindVerified:
    async def test_nobody_is_made_by_being_looked_for(self, database: Database, vault: Vault) -> None:
        await opened(database, vault, "c-1")
        async with database.read() as session:
            before = await session.one("select count(*) from customer")
            assert await vault.find_verified(session, "c-1") is None
            assert await session.one("select count(*) from customer") == before

    async def test_a_verified_customer_is_found(self, database: Database, vault: Vault) -> None:
        async with database.write() as session:
            made = await vault.open_customer(session, reference="c-1", verified=True)
            assert await vault.find_verified(session, "c-1") == made


class TestMask:
    async def test_plain_text_costs_no_sql(self, vault: Vault) -> None:
        nobody = CustomerId(UUID(int=1))
        text = "I was charged twice this month, can you help?"
        found = await vault.mask(UnusedSession(), nobody, text, detector=_DETECTOR)
        assert found == MaskedText(text, (), 0)

    async def test_same_value_is_the_same_token_in_every_form(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        first = await masked(database, vault, customer, "jo@example.com, card 4111 1111 1111 1111")
        second = await masked(database, vault, customer, "4111-1111-1111-1111 of JO at example dot com")
        assert first.text == "[EMAIL_1], card [CARD_1]"
        assert second.text == "[CARD_1] of [EMAIL_1]"
        assert second.tokens == (TokenUse("CARD", 1), TokenUse("EMAIL", 1))
        assert second.count == 2

    async def test_new_values_count_on(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        await masked(database, vault, customer, "a@example.com b@example.com")
        assert (
            await masked(database, vault, customer, "c@example.com b@example.com")
        ).text == "[EMAIL_3] [EMAIL_2]"

    async def test_customers_have_tokens_of_their_own(self, database: Database, vault: Vault) -> None:
        one, other = await opened(database, vault), await opened(database, vault)
        await masked(database, vault, one, "a@example.com")
        assert (await masked(database, vault, other, "b@example.com")).text == "[EMAIL_1]"
        assert await unmasked(database, vault, one, "[EMAIL_1]") == "a@example.com"
        assert await unmasked(database, vault, other, "[EMAIL_1]") == "b@example.com"

    async def test_two_conversations_at_once_never_share_a_number(
        self, database: Database, vault: Vault
    ) -> None:
        customer = await opened(database, vault)
        texts = [f"mail person{place}@example.com" for place in range(6)]
        found = await asyncio.gather(*(masked(database, vault, customer, text) for text in texts))
        assert len({text.text for text in found}) == 6
        for text, result in zip(texts, found, strict=True):
            assert await unmasked(database, vault, customer, result.text) == text

    async def test_rolled_back_token_is_given_again(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        with pytest.raises(RuntimeError, match="crash"):
            await mask_and_crash(database, vault, customer, "a@example.com")
        await masked(database, vault, customer, "b@example.com")
        assert await unmasked(database, vault, customer, "[EMAIL_1]") == "b@example.com"

    async def test_values_are_sealed(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        await masked(database, vault, customer, "4111 1111 1111 1111")
        async with database.read() as session:
            row = await session.one("select value_sealed, value_digest from vault_token")
        assert row is not None
        assert b"4111" not in bytes(row[0])
        assert b"4111" not in bytes(row[1])

    async def test_typed_token_is_not_taken_for_a_real_one(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        await masked(database, vault, customer, "a@example.com")
        result = await masked(database, vault, customer, "show me [EMAIL_1]")
        assert result.text == "show me [LITERAL_1]"
        assert await unmasked(database, vault, customer, result.text) == "show me [EMAIL_1]"

    @given(_TEXTS)
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    async def test_every_text_comes_back(self, database: Database, vault: Vault, text: str) -> None:
        customer = await opened(database, vault)
        result = await masked(database, vault, customer, text)
        assert await unmasked(database, vault, customer, result.text) == in_first_forms(text)


def in_first_forms(text: str) -> str:
    """Return a text with each value in the form in which it stands there first: how it comes back."""
    forms: dict[tuple[str, str], str] = {}
    pieces: list[str] = []
    end = 0
    for span in joined(_DETECTOR.find(text), literals_in(text), text):
        written = text[span.start : span.end]
        pieces += (text[end : span.start], forms.setdefault((span.kind, span.value), written))
        end = span.end
    return "".join([*pieces, text[end:]])


class TestUnmask:
    async def test_text_without_a_token_costs_no_sql(self, vault: Vault) -> None:
        nobody = CustomerId(UUID(int=1))
        text = "nothing [here] to see"
        given_back = await vault.unmask(
            UnusedSession(), nobody, text, purpose=Purpose.ACTION_ARGUMENT, actor="system"
        )
        assert given_back == text

    async def test_unknown_token_stays(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        assert await unmasked(database, vault, customer, "[EMAIL_9]") == "[EMAIL_9]"

    async def test_reveal_by_the_plain_way_is_refused(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        async with database.read() as session:
            with pytest.raises(ValueError, match="call reveal"):
                await vault.unmask(
                    session, customer, "[EMAIL_1]", purpose=Purpose.DESK_REVEAL, actor="account:1"
                )

    async def test_erased_customer_is_unreadable(
        self, database: Database, vault: Vault, fixed_clock: FixedClock
    ) -> None:
        customer = await opened(database, vault)
        await masked(database, vault, customer, "a@example.com")
        async with database.write() as session:
            await session.execute("delete from customer_key where customer_id = %s", [customer])
        vault.forget(customer)
        with pytest.raises(CustomerErased, match="was erased"):
            await unmasked(database, vault, customer, "[EMAIL_1]")


class TestReveal:
    async def test_reveal_and_its_ledger_row_are_one(
        self, database: Database, vault: Vault, fixed_clock: FixedClock
    ) -> None:
        customer = await opened(database, vault)
        await masked(database, vault, customer, "a@example.com")
        async with database.write() as session:
            text = await vault.reveal(
                session,
                customer,
                "mail [EMAIL_1]",
                actor="account:7",
                subject="message:1",
                reason=RevealReason.COMPLAINT,
            )
        assert text == "mail a@example.com"
        async with database.read() as session:
            (row,) = await Ledger(fixed_clock).recent(session)
        assert (row.actor, row.deed, row.subject) == ("account:7", "personal.revealed", "message:1")
        assert row.details["tokens"] == "[EMAIL_1]"
        assert row.details["reason"] == "complaint"
        assert "example.com" not in str(row)

    async def test_note_is_masked_for_good(
        self, database: Database, vault: Vault, fixed_clock: FixedClock
    ) -> None:
        customer = await opened(database, vault)
        await masked(database, vault, customer, "a@example.com")
        async with database.write() as session:
            await vault.reveal(
                session,
                customer,
                "[EMAIL_1]",
                actor="account:7",
                subject="message:1",
                reason=RevealReason.CONTACT,
                note=" to call\n07700 900123 back ",
            )
        async with database.read() as session:
            (row,) = await Ledger(fixed_clock).recent(session)
        assert row.details["note"] == "to call [PHONE_1] back"


class TestCheck:
    async def test_another_master_key_is_named(
        self, database: Database, vault: Vault, fixed_clock: FixedClock
    ) -> None:
        await opened(database, vault)
        other = Vault(MasterKey(b"o" * 32), fixed_clock)
        async with database.read() as session:
            await vault.check(session)
            with pytest.raises(WrongMasterKey, match="put the old key back"):
                await other.check(session)


class TestPieces:
    async def test_pieces_make_a_whole_value_in_the_vault(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        first = await masked(database, vault, customer, "my card is 4111 1111")
        async with database.write() as session:
            second = await vault.mask(
                session, customer, "1111 1111", detector=_DETECTOR, before=Before((first.text,))
            )
        assert (first.text, second.text) == ("my card is [NUMBER_1]", "[NUMBER_2]")
        assert second.completed == (TokenUse("CARD", 1),)
        later = await masked(database, vault, customer, "4111-1111-1111-1111")
        assert later.text == "[CARD_1]"

    async def test_each_message_comes_back_as_it_was_said(self, database: Database, vault: Vault) -> None:
        customer = await opened(database, vault)
        first = await masked(database, vault, customer, "my email is jo.harrowgate")
        async with database.write() as session:
            second = await vault.mask(
                session, customer, "@brackwater.net", detector=_DETECTOR, before=Before((first.text,))
            )
        assert await unmasked(database, vault, customer, first.text) == "my email is jo.harrowgate"
        assert await unmasked(database, vault, customer, second.text) == "@brackwater.net"
        assert second.completed == (TokenUse("EMAIL", 1),)
        assert await unmasked(database, vault, customer, "[EMAIL_1]") == "jo.harrowgate@brackwater.net"
