"""The suite of signed tokens: every way to forge, stretch or reuse a customer's token is refused."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from steward.base.clock import FixedClock
from steward.govern.access.customer_tokens import CustomerTokens, Trust
from steward.govern.access.errors import BadCustomerToken, BadProvider, BadVerifyingKey
from steward.govern.access.verifying_keys import GivenKeys, PublishedKeys, chosen, fits

_NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
RSA = RSAKey.generate_key(2048, {"kid": "r1"})
SECOND = RSAKey.generate_key(2048, {"kid": "r2"})
EC = ECKey.generate_key("P-256", {"kid": "e1"})
ED = OKPKey.generate_key("Ed25519", {"kid": "o1"})


def pem(key: Any) -> str:
    """Return a key's public half as the settings hold it."""
    return str(key.as_pem(private=False).decode())


PUBLIC = {"r1": pem(RSA), "e1": pem(EC), "o1": pem(ED)}


def tokens(*, clock: FixedClock | None = None, **trust: Any) -> CustomerTokens:
    """Return what verifies tokens, trusting the three keys."""
    return CustomerTokens(
        {"own": b"k" * 32},
        clock or FixedClock(_NOW),
        assistant="northline",
        trust=Trust(keys=(GivenKeys(PUBLIC),), **trust),
    )


def claims(**changes: Any) -> dict[str, Any]:
    """Return claims of a token that lasts an hour; a change to None leaves one out."""
    now = int(_NOW.timestamp())
    whole = {"iss": "shop.example", "sub": "c-42", "aud": "northline", "iat": now, "exp": now + 3600}
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def signed(said: dict[str, Any], key: Any = RSA, *, alg: str = "RS256", kid: str | None = "r1") -> str:
    """Return a token that a key signed."""
    header = {"alg": alg} | ({"kid": kid} if kid is not None else {})
    return jwt.encode(header, said, key, algorithms=[alg])


def by_hand(header: dict[str, Any], said: dict[str, Any], secret: bytes | None) -> str:
    """Return a token that no library would make; without a secret it is unsigned."""
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (header, said)]
    body = b".".join(parts)
    mac = b"" if secret is None else hmac.digest(secret, body, hashlib.sha256)
    return (body + b"." + base64.urlsafe_b64encode(mac).rstrip(b"=")).decode()


def at(seconds: float) -> int:
    """Return the time some seconds from now."""
    return int((_NOW + timedelta(seconds=seconds)).timestamp())


class TestSigned:
    @pytest.mark.parametrize(
        ("key", "alg", "kid"),
        [
            (RSA, "RS256", "r1"),
            (RSA, "PS384", "r1"),
            (EC, "ES256", "e1"),
            (ED, "Ed25519", "o1"),
        ],
    )
    async def test_a_trusted_key_proves_the_customer(self, key: Any, alg: str, kid: str) -> None:
        said = await tokens().verify(signed(claims(name="Jo"), key, alg=alg, kid=kid))
        assert (said.reference, said.issuer, said.values) == ("c-42", "shop.example", {"name": "Jo"})

    async def test_the_only_key_needs_no_name(self) -> None:
        only = CustomerTokens(
            {}, FixedClock(_NOW), assistant="northline", trust=Trust(keys=(GivenKeys({"r1": pem(RSA)}),))
        )
        assert (await only.verify(signed(claims(), kid=None))).reference == "c-42"
        with pytest.raises(BadCustomerToken, match="isn't signed by a key"):
            await tokens().verify(signed(claims(), kid=None))

    async def test_clocks_may_be_half_a_minute_apart(self) -> None:
        assert await tokens().verify(signed(claims(exp=at(-29))))
        assert await tokens().verify(signed(claims(nbf=at(29), iat=at(29), exp=at(3600))))


class TestRefused:
    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"exp": at(-31)}, "has expired"),
            ({"nbf": at(31)}, "isn't valid yet"),
            ({"iat": at(31)}, "isn't valid yet"),
            ({"aud": "southline"}, "isn't valid for this assistant"),
            ({"aud": ["southline", "eastline"]}, "isn't valid for this assistant"),
            ({"aud": None}, "isn't valid for this assistant"),
            ({"iss": None}, "isn't valid for this assistant"),
            ({"sub": None}, "isn't valid for this assistant"),
            ({"exp": None}, "isn't valid for this assistant"),
            ({"sub": ""}, "isn't valid for this assistant"),
            ({"iss": "steward"}, "names an issuer that didn't sign it"),
            ({"exp": at(24 * 3600 + 31)}, "lasts longer than the 24 h"),
            ({"iat": at(-3600), "exp": at(23 * 3600 + 60)}, "lasts longer than the 24 h"),
            ({"iat": None, "exp": at(25 * 3600)}, "lasts longer than the 24 h"),
            ({"exp": 10**400}, "isn't a time"),
            ({"once": True}, "no jti"),
            ({"once": "yes", "jti": "7"}, "no jti"),
            ({"once": True, "jti": ""}, "isn't valid for this assistant|no jti"),
            ({"once": True, "jti": "x" * 201}, "no jti"),
        ],
    )
    async def test_wrong_claims(self, changes: dict[str, Any], problem: str) -> None:
        with pytest.raises(BadCustomerToken, match=problem):
            await tokens().verify(signed(claims(**changes)))

    async def test_an_issuer_that_isnt_listed(self) -> None:
        strict = tokens(issuers=frozenset({"bank.example"}))
        assert await strict.verify(signed(claims(iss="bank.example")))
        with pytest.raises(BadCustomerToken, match="isn't trusted here"):
            await strict.verify(signed(claims()))

    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "", "HS256", "HS512", "RS1", "ES256"])
    async def test_no_signature_and_other_algorithms(self, alg: str) -> None:
        with pytest.raises(BadCustomerToken, match=r"isn't (signed|valid)"):
            await tokens().verify(by_hand({"alg": alg, "kid": "r1"}, claims(), None))

    @pytest.mark.parametrize("kid", ["r1", "e1", "o1", None])
    @pytest.mark.parametrize("shared", [None, b"s" * 32])
    async def test_a_public_key_is_no_secret(self, kid: str | None, shared: bytes | None) -> None:
        header = {"alg": "HS256"} | ({} if kid is None else {"kid": kid})
        for text in {*PUBLIC.values(), *(text.strip() for text in PUBLIC.values())}:
            with pytest.raises(BadCustomerToken, match=r"isn't (signed|valid)"):
                await tokens(shared_secret=shared).verify(by_hand(header, claims(), text.encode()))

    async def test_a_key_verifies_its_own_algorithms_only(self) -> None:
        for key, alg, kid in ((RSA, "RS256", "e1"), (EC, "ES256", "r1"), (ED, "Ed25519", "r1")):
            with pytest.raises(BadCustomerToken, match=r"isn't (signed|valid)"):
                await tokens().verify(signed(claims(), key, alg=alg, kid=kid))

    async def test_this_installations_key_takes_its_own_algorithm_only(self) -> None:
        own = OctKey.import_key(b"k" * 32)
        stolen_name = signed(claims(), RSA, kid="own")
        with pytest.raises(BadCustomerToken, match=r"isn't (signed|valid)"):
            await tokens().verify(stolen_name)
        with pytest.raises(BadCustomerToken, match=r"isn't (signed|valid)"):
            await tokens().verify(
                jwt.encode({"alg": "HS512", "kid": "own"}, claims(), own, algorithms=["HS512"])
            )
        with pytest.raises(BadCustomerToken, match="issuer that didn't sign it"):
            await tokens().verify(
                jwt.encode({"alg": "HS256", "kid": "own"}, claims(), own, algorithms=["HS256"])
            )

    @pytest.mark.parametrize("kid", ["r9", "", "../r1", "r1\x00", 7, ["r1"], {"kid": "r1"}])
    async def test_an_unknown_key(self, kid: Any) -> None:
        token = signed(claims(), SECOND, kid="r2")
        _, body, signature = token.split(".")
        header = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).rstrip(b"=")
        with pytest.raises(BadCustomerToken, match="token"):
            await tokens().verify(f"{header.decode()}.{body}.{signature}")

    async def test_a_foreign_signature_under_a_known_name(self) -> None:
        with pytest.raises(BadCustomerToken, match="isn't valid"):
            await tokens().verify(signed(claims(), SECOND, kid="r1"))

    @pytest.mark.parametrize("place", [0, 1, 2])
    async def test_any_part_tampered_with(self, place: int) -> None:
        parts = signed(claims()).split(".")
        for index in range(0, len(parts[place]), max(1, len(parts[place]) // 12)):
            letter = "A" if parts[place][index] != "A" else "B"
            changed = parts[place][:index] + letter + parts[place][index + 1 :]
            with pytest.raises(BadCustomerToken, match="token"):
                await tokens().verify(".".join([*parts[:place], changed, *parts[place + 1 :]]))

    async def test_a_key_that_the_token_brings_along(self) -> None:
        header = {"alg": "RS256", "kid": "r9", "jwk": SECOND.as_dict(private=False)}
        with pytest.raises(BadCustomerToken, match="token"):
            await tokens().verify(jwt.encode(header, claims(), SECOND, algorithms=["RS256"]))
        address = {"alg": "RS256", "kid": "r9", "jku": "https://evil.example/keys.json"}
        with pytest.raises(BadCustomerToken, match="token"):
            await tokens().verify(jwt.encode(address, claims(), SECOND, algorithms=["RS256"]))

    async def test_a_token_of_one_use_is_no_bearer(self) -> None:
        token = signed(claims(once=True, jti="7"))
        assert (await tokens().verify(token)).once == "7"
        with pytest.raises(BadCustomerToken, match="may start one conversation only"):
            await tokens().principal(token)


class TestKeys:
    @pytest.mark.parametrize("text", ["", "no key", RSA.as_pem(private=True).decode()])
    def test_what_isnt_a_public_key_is_refused(self, text: str) -> None:
        with pytest.raises(BadVerifyingKey, match="'mine' in customer_token_keys"):
            GivenKeys({"mine": text})

    def test_a_short_key_is_refused(self) -> None:
        with pytest.warns(SecurityWarning, match="2048 bits"):
            short = pem(RSAKey.generate_key(1024))
        with (
            pytest.warns(SecurityWarning, match="2048 bits"),
            pytest.raises(BadVerifyingKey, match="isn't a public RSA"),
        ):
            GivenKeys({"mine": short})

    def test_a_key_is_only_for_what_it_says(self) -> None:
        enciphering = RSAKey.import_key({**RSA.as_dict(private=False), "use": "enc"})
        assert not fits(enciphering, "RS256")
        other = RSAKey.import_key({**RSA.as_dict(private=False), "alg": "PS256"})
        assert (fits(other, "RS256"), fits(other, "PS256")) == (False, True)
        assert chosen({"a": RSA, "b": SECOND}, None, "RS256") is None

    @pytest.mark.parametrize(
        "url", ["http://keys.example/set", "ftp://keys.example", "https://u@k.example", ""]
    )
    def test_keys_come_over_https_only(self, url: str) -> None:
        with pytest.raises(BadProvider, match="https"):
            PublishedKeys(url, FixedClock(_NOW))
