"""The vault: customers, their keys, and the values behind tokens."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog

from steward.base.clock import Clock
from steward.base.db.contracts import ReadSession, WriteSession
from steward.base.errors import Unavailable
from steward.base.ids import new_id
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger
from steward.govern.privacy import queries
from steward.govern.privacy.bulk import mask_conversation
from steward.govern.privacy.contracts import (
    CustomerId,
    Kind,
    MaskedText,
    Purpose,
    RevealReason,
    Span,
    TokenUse,
)
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.errors import CustomerErased, WrongMasterKey
from steward.govern.privacy.external import Elsewhere
from steward.govern.privacy.fragments import (
    CONTINUING_KINDS,
    NOTHING,
    WHOLE_KINDS,
    Before,
    left_open,
)
from steward.govern.privacy.key_queries import FOREIGN_KEY
from steward.govern.privacy.master_key import MasterKey
from steward.govern.privacy.sealing import CustomerKey
from steward.govern.privacy.tokens import joined, literals_in, replaced, restored, tokens_in

_VALUE = "vault_token.value"
_KEY_LASTS = timedelta(seconds=60)
"""How long a process may go on reading for a customer whom another process erased."""
_ATTEMPTS = 5

_log = structlog.get_logger(__name__)


class Vault:
    """Masks texts and turns tokens back, each customer's under that customer's own key."""

    def __init__(
        self,
        master_key: MasterKey,
        clock: Clock,
        *,
        remembered_keys: int = 5_000,
        renew: Callable[[], Awaitable[None]] | None = None,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        """Take the installation's master key.

        Args:
            master_key: wraps customers' keys.
            clock: tells the time.
            remembered_keys: how many unwrapped customers' keys stay in memory.
            renew: reads the master keys again; called where a key is wrapped by one that isn't known yet.
            elsewhere: recognisers besides the release's own rules.
        """
        self._master_key = master_key
        self._renew = renew
        self._elsewhere = elsewhere
        self._clock = clock
        self._ledger = Ledger(clock)
        self._remembered_keys = remembered_keys
        self._keys: OrderedDict[CustomerId, tuple[CustomerKey, datetime]] = OrderedDict()

    async def check(self, session: ReadSession) -> None:
        """Refuse to go on when this database was sealed under another master key.

        Raises:
            WrongMasterKey: it was.
        """
        row = await session.one(FOREIGN_KEY, [list(self._master_key.ids)])
        if row is not None:
            raise WrongMasterKey(self._master_key.id, row[0])

    async def open_customer(
        self, session: WriteSession, *, reference: str | None, verified: bool
    ) -> CustomerId:
        """Return the customer of a reference, made on first sight.

        A verified reference and the same words unverified are two customers: typing somebody's
        number doesn't open their conversations. Without a reference each call makes a new customer.
        A customer who was erased and comes back is a new one.
        """
        if reference is None:
            made = await self._create(session, None, verified=verified)
            if made is None:
                raise AssertionError("a customer without a reference meets no other")
            return made
        digest = self._master_key.digest("customer.verified" if verified else "customer", reference.encode())
        for _ in range(_ATTEMPTS):
            row = await session.one(queries.CUSTOMER_BY_REFERENCE, [digest])
            if row is None:
                made = await self._create(session, digest, verified=verified)
                if made is not None:
                    return made
                continue
            customer_id = CustomerId(row[0])
            if row[1] is not None:
                await self._unwrapped(customer_id, bytes(row[1]))
                return customer_id
            await session.execute(queries.FORGET_REFERENCE, [customer_id])
        raise Unavailable(
            "A customer couldn't be opened because others opened it at the same time; try again."
        )

    async def find_verified(self, session: ReadSession, reference: str) -> CustomerId | None:
        """Return the verified customer of a reference; nobody is made by being looked for."""
        digest = self._master_key.digest("customer.verified", reference.encode())
        row = await session.one(queries.VERIFIED_CUSTOMER, [digest])
        return None if row is None else CustomerId(row[0])

    async def key_for(self, session: ReadSession, customer_id: CustomerId) -> CustomerKey:
        """Return a customer's key.

        Raises:
            CustomerErased: the key was dropped, or there is no such customer.
            WrongMasterKey: it was wrapped by another master key.
        """
        held = self._keys.get(customer_id)
        if held is not None and self._clock.now() - held[1] < _KEY_LASTS:
            self._keys.move_to_end(customer_id)
            return held[0]
        row = await session.one(queries.WRAPPED_KEY, [customer_id])
        if row is None:
            self._keys.pop(customer_id, None)
            raise CustomerErased(customer_id)
        return await self._unwrapped(customer_id, bytes(row[0]))

    def forget(self, customer_id: CustomerId) -> None:
        """Drop a customer's key from memory; whoever deletes its row calls this."""
        self._keys.pop(customer_id, None)

    async def look_ahead(self, text: str) -> None:
        """Have recognisers elsewhere look at a text before the transaction that masks it.

        Raises:
            RecogniserUnavailable: they don't answer, and texts are refused then.
        """
        if self._elsewhere is not None:
            await self._elsewhere.find(text)

    async def mask(
        self,
        session: WriteSession,
        customer_id: CustomerId,
        text: str,
        *,
        detector: Detector,
        known: Sequence[tuple[str, str]] = (),
        before: Before = NOTHING,
        not_theirs: Sequence[tuple[int, int]] = (),
    ) -> MaskedText:
        """Return a text with a token for each personal value, the values kept in the vault.

        The same value gives the same token for this customer, however it is written; it comes back
        in the form in which it was written first. A text without anything personal costs no SQL.

        Args:
            session: the transaction that stores the masked text, so that both are stored or neither.
            customer_id: whose words they are.
            text: as typed.
            detector: the release's masking rules.
            known: the customer's own values (kind or claim name, value), masked literally.
            before: what was said before, masked. Pieces of a value that was begun there are masked, and
                what they make together is kept as a value too.
            not_theirs: stretches (start, end) of the text in which a name is somebody else's and stays.

        Raises:
            CustomerErased: the customer has no key.
            RecogniserUnavailable: recognisers elsewhere don't answer, and texts are refused then.
        """
        elsewhere = () if self._elsewhere is None else await self._elsewhere.find(text)
        found = detector.find(text, known=known, before=before, elsewhere=elsewhere)
        if not_theirs:
            found = tuple(span for span in found if not _is_name_within(span, not_theirs))
        spans = joined(found, literals_in(text), text)
        if not spans:
            return MaskedText(text, (), 0)
        key = await self.key_for(session, customer_id)
        written = [(span.kind, span.value, text[span.start : span.end]) for span in spans]
        wholes = await self._wholes(session, customer_id, spans, text, detector=detector, before=before)
        uses = await self._tokens_for(session, customer_id, key, [*written, *wholes])
        own, whole = uses[: len(spans)], uses[len(spans) :]
        return MaskedText(
            replaced(text, spans, own),
            tuple(dict.fromkeys(own)),
            len(spans),
            completed=tuple(dict.fromkeys(whole)),
        )

    async def unmask(
        self, session: ReadSession, customer_id: CustomerId, text: str, *, purpose: Purpose, actor: str
    ) -> str:
        """Return a text with values in place of this customer's tokens; unknown tokens stay.

        A text without a token costs no SQL.

        Args:
            session: where to read.
            customer_id: whose values they are.
            text: a masked text.
            purpose: why; a reveal to a person goes through `reveal`.
            actor: for whom, as the ledger names callers.

        Raises:
            CustomerErased: the customer has no key.
            ValueError: the purpose is a desk reveal.
        """
        if purpose is Purpose.DESK_REVEAL:
            raise ValueError("a desk reveal must be in the ledger: call reveal")
        uses = tokens_in(text)
        if not uses:
            return text
        _log.debug(
            "vault.unmasked", customer=str(customer_id), purpose=purpose, actor=actor, tokens=len(uses)
        )
        return restored(text, await self._values(session, customer_id, uses))

    async def reveal(
        self,
        session: WriteSession,
        customer_id: CustomerId,
        text: str,
        *,
        actor: str,
        subject: str,
        reason: RevealReason,
        note: str = "",
    ) -> str:
        """Return a text with values in place of tokens for a person's eyes, and write that in the ledger.

        Args:
            session: the transaction that holds the ledger's row: no row, no values.
            customer_id: whose values they are.
            text: a masked text.
            actor: who sees them, as the ledger names callers.
            subject: where they stand, as `message:<id>`.
            reason: why, from the closed list.
            note: why in the person's words. It's masked for good: the ledger forgets nothing.

        Raises:
            CustomerErased: the customer has no key.
        """
        uses = tokens_in(text)
        values = await self._values(session, customer_id, uses) if uses else {}
        details = {
            "customer": str(customer_id),
            "tokens": " ".join(str(use) for use in values),
            "reason": reason.value,
        }
        if note.strip():
            details["note"] = mask_conversation([" ".join(note.split())], Detector()).texts[0]
        await self._ledger.append(session, Entry(actor, "personal.revealed", subject, details))
        return restored(text, values)

    async def _create(
        self, session: WriteSession, reference: bytes | None, *, verified: bool
    ) -> CustomerId | None:
        customer_id = CustomerId(new_id(self._clock))
        wrapped = self._master_key.wrap(CustomerKey.fresh_secret(), customer_id.bytes)
        made = await session.execute(
            queries.CREATE_CUSTOMER,
            {
                "id": customer_id,
                "reference": reference,
                "verified": verified,
                "now": self._clock.now(),
                "master_key": self._master_key.id,
                "wrapped": wrapped,
            },
        )
        if not made:
            return None
        self._remember(customer_id, wrapped)
        return customer_id

    async def _unwrapped(self, customer_id: CustomerId, wrapped: bytes) -> CustomerKey:
        """Open a customer's key; a rotation elsewhere may have wrapped it by a key that is new here."""
        try:
            return self._remember(customer_id, wrapped)
        except WrongMasterKey:
            if self._renew is None:
                raise
            await self._renew()
            return self._remember(customer_id, wrapped)

    def _remember(self, customer_id: CustomerId, wrapped: bytes) -> CustomerKey:
        key = CustomerKey(self._master_key.unwrap(wrapped, customer_id.bytes))
        self._keys[customer_id] = (key, self._clock.now())
        self._keys.move_to_end(customer_id)
        if len(self._keys) > self._remembered_keys:
            self._keys.popitem(last=False)
        return key

    async def _wholes(
        self,
        session: ReadSession,
        customer_id: CustomerId,
        spans: Sequence[Span],
        text: str,
        *,
        detector: Detector,
        before: Before,
    ) -> list[tuple[str, str, str]]:
        """Return (kind, value, as written) of what the first piece and those left open before it make.

        Only a text that continues a value reads the earlier pieces.
        """
        if spans[0].kind not in CONTINUING_KINDS or not (tokens := left_open(before)):
            return []
        uses = tokens_in("".join(tokens))
        values = await self._values(session, customer_id, uses)
        written = " ".join([*(values.get(use, "") for use in uses), text[spans[0].start : spans[0].end]])
        return [
            (span.kind, span.value, span.value) for span in detector.find(written) if span.kind in WHOLE_KINDS
        ]

    async def _tokens_for(
        self,
        session: WriteSession,
        customer_id: CustomerId,
        key: CustomerKey,
        values: Sequence[tuple[str, str, str]],
    ) -> list[TokenUse]:
        """Return the token of each value (kind, normal form, as written), made where there was none."""
        written: dict[tuple[str, bytes], str] = {}
        places: list[tuple[str, bytes]] = []
        for kind, value, form in values:
            place = (kind, key.digest(kind, value.encode(errors="surrogatepass")))
            written.setdefault(place, form)
            places.append(place)
        numbers: dict[tuple[str, bytes], int] = {}
        for _ in range(_ATTEMPTS):
            asked = [place for place in written if place not in numbers]
            if not asked:
                return [TokenUse(place[0], numbers[place]) for place in places]
            rows = await session.all(
                queries.TOKENS_FOR,
                {
                    "customer": customer_id,
                    "kinds": [kind for kind, _ in asked],
                    "digests": [digest for _, digest in asked],
                    "sealed": [key.seal(_bytes(written[place]), _VALUE) for place in asked],
                    "now": self._clock.now(),
                },
            )
            numbers.update({asked[row[0] - 1]: row[1] for row in rows})
        raise Unavailable("Personal data couldn't be put away because of others at the same time; try again.")

    async def _values(
        self, session: ReadSession, customer_id: CustomerId, uses: Sequence[TokenUse]
    ) -> dict[TokenUse, str]:
        key = await self.key_for(session, customer_id)
        rows = await session.all(
            queries.VALUES_OF,
            {
                "customer": customer_id,
                "kinds": [use.kind for use in uses],
                "numbers": [use.number for use in uses],
            },
        )
        return {
            TokenUse(kind, number): key.open(bytes(sealed), _VALUE).decode(errors="surrogatepass")
            for kind, number, sealed in rows
        }


def _bytes(text: str) -> bytes:
    # Half surrogate pairs can't be stored as text, yet a value is bytes here and keeps them.
    return text.encode(errors="surrogatepass")


def _is_name_within(span: Span, stretches: Sequence[tuple[int, int]]) -> bool:
    return span.kind == Kind.NAME and any(start <= span.start and span.end <= end for start, end in stretches)
