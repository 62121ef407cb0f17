"""Only a fresh token, signed by a trusted key for this assistant, names a customer."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from steward.base.clock import FixedClock
from steward.govern.access.customer_tokens import CustomerTokens, Trust
from steward.govern.access.errors import BadCustomerToken, BadSharedSecret
from steward.govern.access.principal import PrincipalKind

_NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
_SHARED = b"s" * 32
_OWN = b"k" * 32


def tokens(*, shared: bool = True, clock: FixedClock | None = None) -> CustomerTokens:
    return CustomerTokens(
        {"own": _OWN},
        clock or FixedClock(_NOW),
        assistant="northline",
        trust=Trust(shared_secret=_SHARED if shared else None),
    )


def signed(claims: dict[str, Any], secret: bytes = _SHARED, **header: str) -> str:
    parts = [{"alg": "HS256", "typ": "JWT", **header}, claims]
    body = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    algorithm = {"HS512": hashlib.sha512}.get(header.get("alg", ""), hashlib.sha256)
    mac = base64.urlsafe_b64encode(hmac.digest(secret, body, algorithm)).rstrip(b"=")
    return (body + b"." + mac).decode()


def claims(**changes: Any) -> dict[str, Any]:
    expiry = int((_NOW + timedelta(hours=1)).timestamp())
    return {"iss": "shop.example", "sub": "c-42", "aud": "northline", "exp": expiry, **changes}


class TestVerify:
    async def test_own_token_comes_back_with_its_values(self) -> None:
        token = tokens().issue_demo("c-1", {"name": "Maya Patel", "account": "NL-100200"})
        said = await tokens().verify(token)
        assert said.reference == "c-1"
        assert said.issuer == "steward"
        assert said.values == {"name": "Maya Patel", "account": "NL-100200"}
        assert said.expires_at == _NOW + timedelta(hours=8)

    async def test_site_signs_with_the_shared_secret(self) -> None:
        said = await tokens().verify(signed(claims(name="Jo", age=44, vip=True, tags=["a"])))
        assert (said.reference, said.issuer) == ("c-42", "shop.example")
        assert said.values == {"name": "Jo", "age": "44"}

    async def test_expired_token_is_refused(self) -> None:
        clock = FixedClock(_NOW)
        token = tokens().issue_demo("c-1", {}, lifetime=timedelta(minutes=5))
        clock.advance(timedelta(minutes=6))
        with pytest.raises(BadCustomerToken, match="has expired"):
            await tokens(clock=clock).verify(token)

    @pytest.mark.parametrize("missing", ["iss", "sub", "aud", "exp"])
    async def test_every_required_claim_is_required(self, missing: str) -> None:
        said = claims()
        del said[missing]
        with pytest.raises(BadCustomerToken, match="isn't valid"):
            await tokens().verify(signed(said))

    @pytest.mark.parametrize(
        ("changes", "header"),
        [
            ({"aud": "other"}, {}),
            ({"sub": 7}, {}),
            ({"exp": "soon"}, {}),
            ({}, {"alg": "none"}),
            ({}, {"alg": "HS512"}),
            ({}, {"alg": "RS256"}),
        ],
    )
    async def test_wrong_claim_or_algorithm_is_refused(self, changes: Any, header: Any) -> None:
        with pytest.raises(BadCustomerToken, match=r"isn't (valid|signed)"):
            await tokens().verify(signed(claims(**changes), **header))

    async def test_foreign_signature_is_refused(self) -> None:
        with pytest.raises(BadCustomerToken, match="isn't valid"):
            await tokens().verify(signed(claims(), b"x" * 32))

    async def test_site_cannot_speak_as_this_installation(self) -> None:
        with pytest.raises(BadCustomerToken, match="didn't sign it"):
            await tokens().verify(signed(claims(iss="steward")))

    async def test_without_a_shared_secret_only_own_keys_count(self) -> None:
        with pytest.raises(BadCustomerToken, match="trusts"):
            await tokens(shared=False).verify(signed(claims()))

    @pytest.mark.parametrize("junk", ["", "a.b.c", "é.é.é", "x" * 9_000, "....", "e30.e30.", "W10.W10.W10"])
    async def test_junk_is_refused(self, junk: str) -> None:
        with pytest.raises(BadCustomerToken, match="token"):
            await tokens().verify(junk)


class TestPrincipal:
    async def test_customer_may_use_conversations_only(self) -> None:
        principal = await tokens().principal(tokens().issue_demo("c-1", {"name": "Maya"}))
        assert principal.kind is PrincipalKind.CUSTOMER
        assert principal.name == "customer"
        assert {str(permission) for permission in principal.permissions} == {
            "conversation:use",
            "feedback:give",
        }


class TestSharedSecret:
    async def test_short_secret_is_refused(self) -> None:
        with pytest.raises(BadSharedSecret, match="at least 32 bytes"):
            CustomerTokens(
                {"own": _OWN}, FixedClock(_NOW), assistant="a", trust=Trust(shared_secret=b"short")
            )
