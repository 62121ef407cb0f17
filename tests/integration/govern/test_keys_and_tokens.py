"""Keys with sites, an end and a successor; tokens for one use; keys that others publish, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from steward.base.clock import FixedClock
from steward.base.db.contracts import Database
from steward.govern.access.customer_tokens import CustomerTokens, Trust
from steward.govern.access.errors import (
    BadCustomerToken,
    BadKey,
    BadOrigin,
    BadProvider,
    BadSignIn,
    KeyEnded,
    ProviderUnreachable,
    RateLimited,
    WrongOrigin,
)
from steward.govern.access.identity_provider import Client, IdentityProvider
from steward.govern.access.keys import ApiKeys, KeyKind
from steward.govern.access.limits import RateLimits
from steward.govern.access.permissions import Permission
from steward.govern.access.verifying_keys import PublishedKeys
from steward.govern.privacy.master_key import MasterKey

MASTER = MasterKey(b"m" * 32)
ONE, TWO = (RSAKey.generate_key(2048, {"kid": name}) for name in ("one", "two"))


class Site:
    """What a site answers, by path, and how often it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.documents: dict[str, Any] = {}
        self.asked: list[str] = []

    def publish(self, *keys: Any) -> None:
        """Publish public keys."""
        self.documents["/keys"] = {"keys": [key.as_dict(private=False) for key in keys]}


@contextmanager
def site() -> Iterator[Site]:
    """Serve JSON documents while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served.asked.append(self.path)
            document = served.documents.get(self.path)
            body = json.dumps(document).encode() if document is not None else b"gone"
            self.send_response(200 if document is not None else 404)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Site(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class TestSites:
    async def test_a_key_is_for_the_sites_it_names(self, database: Database, fixed_clock: FixedClock) -> None:
        keys = ApiKeys(database, fixed_clock)
        issued = await keys.issue(
            name="w",
            kind=KeyKind.PUBLIC,
            actor="system",
            origins=["https://Shop.example/", "http://[::1]:80"],
        )
        found = await ApiKeys(database, fixed_clock).find(issued.token)
        assert found.origins == ("http://[::1]:80", "https://shop.example")
        found.check_origin("https://shop.example")
        found.check_origin(None)
        for origin in ("https://evil.example", "null", "http://shop.example", "https://shop.example.evil"):
            with pytest.raises(WrongOrigin, match="isn't allowed on this site"):
                found.check_origin(origin)

    @pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/path", "*", "https://*.x", ""])
    async def test_what_isnt_an_origin_is_refused(
        self, origin: str, database: Database, fixed_clock: FixedClock
    ) -> None:
        keys = ApiKeys(database, fixed_clock)
        with pytest.raises(BadOrigin, match="isn't an origin"):
            await keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system", origins=[origin])


class TestRotation:
    async def test_both_work_for_a_while_then_the_successor_alone(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        keys = ApiKeys(database, fixed_clock)
        old = await keys.issue(
            name="ci",
            kind=KeyKind.SECRET,
            actor="system",
            scopes={Permission.KPI_READ},
            expires_at=fixed_clock.now() + timedelta(days=30),
        )
        fixed_clock.advance(timedelta(days=10))
        fresh = await keys.rotate(old.key.id, actor="account:1", grace=timedelta(hours=2))
        assert (fresh.key.name, fresh.key.scopes, fresh.key.replaces) == ("ci", old.key.scopes, old.key.id)
        assert fresh.key.expires_at == fixed_clock.now() + timedelta(days=30)
        await keys.find(old.token)
        fixed_clock.advance(timedelta(hours=2))
        with pytest.raises(BadKey, match="has expired"):
            await keys.find(old.token)
        assert (await keys.find(fresh.token)).id == fresh.key.id
        with pytest.raises(KeyEnded, match="issue a new one"):
            await keys.rotate(old.key.id, actor="account:1")
        async with database.read() as session:
            rows = await session.all("select deed, details from ledger order by id")
        assert rows[-1][0] == "key.rotated"
        assert rows[-1][1]["replaces"] == str(old.key.id)

    async def test_the_day_of_the_last_use_is_noted_once_a_day(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        keys = ApiKeys(database, fixed_clock)
        issued = await keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system")
        assert (await keys.listed())[0].last_used_on is None
        await keys.find(issued.token)
        assert (await keys.listed())[0].last_used_on == fixed_clock.now().date()
        fixed_clock.advance(timedelta(days=1))
        await keys.find(issued.token)
        assert (await keys.listed())[0].last_used_on == fixed_clock.now().date()


class TestLimits:
    async def test_one_subject_without_any_left_is_enough(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        limits, minute = RateLimits(database, fixed_clock, master_key=MASTER), timedelta(minutes=1)
        for _ in range(2):
            await limits.enforce_all({"conversation:1": 2, "address:1": 10}, window=minute)
        with pytest.raises(RateLimited, match="try again in 60 s"):
            await limits.enforce_all({"conversation:1": 2, "address:1": 10}, window=minute)
        await limits.enforce_all({"conversation:2": 2, "address:1": 10}, window=minute)
        assert (await limits.left("address:1", limit=10, window=minute)).remaining == 6
        await limits.forget("conversation:1")
        assert (await limits.left("conversation:1", limit=2, window=minute)).allowed


class TestOneUse:
    async def test_a_token_starts_once_and_another_goes_on(
        self, database: Database, fixed_clock: FixedClock
    ) -> None:
        now = int(fixed_clock.now().timestamp())
        tokens = await CustomerTokens.load(
            database, MASTER, fixed_clock, assistant="northline", trust=Trust(shared_secret=b"s" * 32)
        )
        claims = {"iss": "shop", "sub": "c-1", "aud": "northline", "exp": now + 600, "name": "Jo"}
        said = {**claims, "once": True, "jti": "7"}
        secret = OctKey.import_key(b"s" * 32)
        token = jwt.encode({"alg": "HS256"}, said, secret, algorithms=["HS256"])
        further = await tokens.redeem(await tokens.verify(token))
        assert further is not None
        fresh = await tokens.verify(further)
        assert (fresh.reference, fresh.values, fresh.once) == ("c-1", {"name": "Jo"}, None)
        for _ in range(2):
            with pytest.raises(BadCustomerToken, match="has been used already"):
                await tokens.redeem(await tokens.verify(token))
        usual = jwt.encode({"alg": "HS256"}, claims, secret, algorithms=["HS256"])
        assert await tokens.redeem(await tokens.verify(usual)) is None
        async with database.read() as session:
            rows = await session.all("select digest from used_token")
        assert [len(bytes(row[0])) for row in rows] == [32]


class TestPublishedKeys:
    async def test_a_new_key_is_found_an_old_one_forgotten_and_nobody_is_flooded(
        self, fixed_clock: FixedClock
    ) -> None:
        with site() as shop:
            shop.publish(ONE)
            keys = PublishedKeys(f"{shop.url}/keys", fixed_clock)
            assert await keys.find("one", "RS256") is not None
            for _ in range(20):
                assert await keys.find("two", "RS256") is None
            assert len(shop.asked) == 1
            shop.publish(TWO)
            fixed_clock.advance(timedelta(seconds=11))
            assert await keys.find("two", "RS256") is not None
            assert await keys.find("one", "RS256") is None
            assert len(shop.asked) == 2

    async def test_what_isnt_a_public_signing_key_is_left_out(self, fixed_clock: FixedClock) -> None:
        with site() as shop:
            secret = {"kty": "oct", "k": "c2VjcmV0", "kid": "s"}
            private = {**ONE.as_dict(private=True), "kid": "p"}
            shop.documents["/keys"] = {"keys": [secret, private, "junk", {"kty": "RSA", "kid": "x"}, 7]}
            keys = PublishedKeys(f"{shop.url}/keys", fixed_clock)
            for name, algorithm in (("s", "HS256"), ("s", "RS256"), ("p", "RS256"), ("x", "RS256")):
                fixed_clock.advance(timedelta(seconds=11))
                assert await keys.find(name, algorithm) is None

    async def test_a_site_that_is_away_is_told(self, fixed_clock: FixedClock) -> None:
        with site() as shop:
            keys = PublishedKeys(f"{shop.url}/keys", fixed_clock)
            with pytest.raises(ProviderUnreachable, match="doesn't answer with JSON"):
                await keys.find("one", "RS256")

    async def test_what_was_read_goes_on_counting_while_the_site_is_away(
        self, fixed_clock: FixedClock
    ) -> None:
        with site() as shop:
            shop.publish(ONE)
            keys = PublishedKeys(f"{shop.url}/keys", fixed_clock)
            assert await keys.find("one", "RS256") is not None
            del shop.documents["/keys"]
            fixed_clock.advance(timedelta(hours=2))
            for _ in range(5):
                assert await keys.find("one", "RS256") is not None
                assert await keys.find("invented", "RS256") is None
            assert len(shop.asked) == 2
            fixed_clock.advance(timedelta(hours=10))
            with pytest.raises(ProviderUnreachable, match="doesn't answer with JSON"):
                await keys.find("one", "RS256")
            shop.publish(ONE)
            fixed_clock.advance(timedelta(seconds=11))
            assert await keys.find("one", "RS256") is not None


class TestIdTokens:
    """What only a provider with odd habits would send; the journeys meet a real one."""

    CLIENT = Client("", "steward", None, "https://help.example/console/login/oidc/callback")

    async def read(
        self, shop: Site, clock: FixedClock, key: Any = ONE, *, alg: str = "RS256", **changes: Any
    ) -> Any:
        """Return what a provider's token with these claims says."""
        now = int(clock.now().timestamp())
        whole = {"iss": shop.url, "sub": "ann", "aud": "steward", "iat": now, "exp": now + 60, "nonce": "n"}
        claims = {name: value for name, value in {**whole, **changes}.items() if value is not None}
        token = jwt.encode({"alg": alg, "kid": "one"}, claims, key, algorithms=[alg])
        provider = IdentityProvider(self.client(shop), clock)
        return await provider.read_id_token(token, nonce="n", access_token="an access token")

    def client(self, shop: Site) -> Client:
        """Return Steward as the provider knows it."""
        return Client(shop.url, "steward", None, self.CLIENT.redirect_uri)

    def describe(self, shop: Site, **changes: Any) -> None:
        """Publish the provider's configuration and key."""
        shop.publish(ONE)
        shop.documents["/.well-known/openid-configuration"] = {
            "issuer": shop.url,
            "authorization_endpoint": f"{shop.url}/authorize",
            "token_endpoint": f"{shop.url}/token",
            "jwks_uri": f"{shop.url}/keys",
            **changes,
        }

    async def test_a_token_as_it_should_be(self, fixed_clock: FixedClock) -> None:
        half = hashlib.sha256(b"an access token").digest()[:16]
        with site() as shop:
            self.describe(shop)
            at_hash = base64.urlsafe_b64encode(half).rstrip(b"=").decode()
            assert (await self.read(shop, fixed_clock, at_hash=at_hash))["sub"] == "ann"
            assert (await self.read(shop, fixed_clock, aud=["steward", "x"], azp="steward"))["sub"] == "ann"
            assert (await self.read(shop, fixed_clock, alg="PS256"))["sub"] == "ann"

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"aud": "x"}, "isn't valid"),
            ({"aud": ["steward", "x"]}, "another client"),
            ({"azp": "x"}, "another client"),
            ({"iss": "https://evil.example"}, "isn't valid"),
            ({"nonce": "m"}, "isn't valid"),
            ({"nonce": ["n"]}, "another sign-in"),
            ({"nonce": None}, "isn't valid"),
            ({"exp": 1}, "has expired"),
            ({"exp": None}, "isn't valid"),
            ({"iat": None}, "isn't valid"),
            ({"iat": 99999999999}, "isn't valid"),
            ({"iat": 1}, "older than a day"),
            ({"sub": None}, "isn't valid"),
            ({"at_hash": "x"}, "another access token"),
        ],
    )
    async def test_a_token_that_isnt(
        self, changes: dict[str, Any], problem: str, fixed_clock: FixedClock
    ) -> None:
        with site() as shop:
            self.describe(shop)
            with pytest.raises(BadSignIn, match=problem):
                await self.read(shop, fixed_clock, **changes)

    async def test_a_secret_signs_nothing_here_nor_does_another_key(self, fixed_clock: FixedClock) -> None:
        shared = OctKey.import_key(b"s" * 32)
        with site() as shop:
            self.describe(shop)
            with pytest.raises(BadSignIn, match="isn't accepted"):
                await self.read(shop, fixed_clock, shared, alg="HS256")
            with pytest.raises(BadSignIn, match="isn't valid"):
                await self.read(shop, fixed_clock, TWO)

    @pytest.mark.parametrize(
        ("changes", "problem"),
        [
            ({"issuer": "https://evil.example"}, "calls itself"),
            ({"token_endpoint": "http://evil.example/token"}, "https address"),
            ({"code_challenge_methods_supported": ["plain"]}, "PKCE with S256"),
        ],
    )
    async def test_a_provider_that_cant_be_used(
        self, changes: dict[str, Any], problem: str, fixed_clock: FixedClock
    ) -> None:
        with site() as shop:
            self.describe(shop, **changes)
            provider = IdentityProvider(self.client(shop), fixed_clock)
            with pytest.raises(BadProvider, match=problem):
                await provider.authorization_url(state="s", nonce="n", verifier="v")
