"""An OpenID Connect provider: discovery, the code's exchange with PKCE, and what its id tokens say.

OpenID Connect Core 1.0 (sections 3.1.2 and 3.1.3.7), Discovery 1.0, RP-Initiated Logout 1.0,
Back-Channel Logout 1.0, PKCE (RFC 7636, S256 alone), and the issuer in the response (RFC 9207).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from steward.base.clock import Clock
from steward.govern.access.errors import BadProvider, BadSignIn, ProviderUnreachable
from steward.govern.access.logout_tokens import Logout, logout_of
from steward.govern.access.verifying_keys import ALGORITHMS, PublishedKeys, checked_url, read_json

_FRESH = timedelta(hours=1)
_LEEWAY_S = 60
_LONGEST_S = 24 * 3600
_TIMEOUT_S = 10.0
_MOST_TOKEN_LETTERS = 64 * 1024
_SIGNING = frozenset(algorithm for algorithms in ALGORITHMS.values() for algorithm in algorithms)
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}


@dataclass(frozen=True, slots=True)
class Client:
    """This installation as the provider knows it.

    Attributes:
        issuer: the provider's issuer identifier, exactly as it names itself.
        client_id: what the provider calls this installation.
        client_secret: None for a public client, which PKCE alone protects.
        redirect_uri: where the provider sends people back to.
        scopes: what is asked for; `openid` always is.
    """

    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...] = ("openid", "profile", "email")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What discovery told."""

    authorization: str
    token: str
    keys: str
    userinfo: str | None
    end_session: str | None
    posts_secret: bool
    names_issuer: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the provider vouches for them."""

    subject: str
    claims: Mapping[str, Any] = field(repr=False)
    id_token: str = field(repr=False)


class IdentityProvider:
    """Speaks with one provider. Reads nothing before the first sign-in."""

    def __init__(self, client: Client, clock: Clock) -> None:
        """Take who we are to the provider.

        Raises:
            BadProvider: the issuer is neither https nor on this machine.
        """
        checked_url(client.issuer)
        self.client = client
        self._clock = clock
        self._endpoints: Endpoints | None = None
        self._keys: PublishedKeys | None = None
        self._read_at: datetime | None = None

    @property
    def issuer(self) -> str:
        """The provider's issuer identifier."""
        return self.client.issuer

    async def authorization_url(self, *, state: str, nonce: str, verifier: str) -> str:
        """Return the address at the provider where a person signs in.

        Raises:
            ProviderUnreachable: discovery fails.
        """
        endpoints = await self._discovered()
        scopes = dict.fromkeys(("openid", *self.client.scopes))
        query = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.client.redirect_uri,
            "scope": " ".join(scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
        }
        return _with_query(endpoints.authorization, query)

    async def redeem(self, code: str, *, verifier: str, nonce: str, issuer: str | None) -> Identity:
        """Exchange a code for who the person is.

        Args:
            code: what the provider sent through the browser.
            verifier: PKCE's secret of this sign-in.
            nonce: what the id token has to repeat.
            issuer: the issuer named in the provider's response, where it names one.

        Raises:
            BadSignIn: the provider refuses the code, or its token isn't to be trusted.
            ProviderUnreachable: it doesn't answer.
        """
        endpoints = await self._discovered()
        if (issuer is not None or endpoints.names_issuer) and issuer != self.issuer:
            raise BadSignIn("another provider answered")
        answer = await self._exchange(endpoints, code, verifier)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str) or len(id_token) > _MOST_TOKEN_LETTERS:
            raise BadSignIn("the provider sent no id token")
        claims = await self.read_id_token(id_token, nonce=nonce, access_token=access_token)
        if endpoints.userinfo is not None and isinstance(access_token, str):
            further = await read_json(endpoints.userinfo, bearer=access_token)
            if further.get("sub") != claims["sub"]:
                raise BadSignIn("the provider tells of somebody else")
            claims = {**further, **claims}
        return Identity(claims["sub"], claims, id_token)

    async def read_id_token(
        self, id_token: str, *, nonce: str, access_token: object = None
    ) -> dict[str, Any]:
        """Return the claims of an id token that the provider signed for us and for this sign-in.

        Raises:
            BadSignIn: signature, issuer, audience, time, nonce or algorithm is wrong.
            ProviderUnreachable: the provider's keys can't be read.
        """
        claims, header = await self._verified(
            id_token,
            exp={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        self._check(claims, nonce=nonce)
        if isinstance(access_token, str) and "at_hash" in claims:
            _check_hash(claims["at_hash"], access_token, header["alg"])
        return claims

    async def read_logout_token(self, token: str) -> Logout:
        """Return whose logins the provider ends by a token that it signed for us.

        Raises:
            BadSignIn: signature, issuer, audience or time is wrong, or it's no logout token.
            ProviderUnreachable: the provider's keys can't be read.
        """
        if len(token) > _MOST_TOKEN_LETTERS:
            raise BadSignIn("the token is too long")
        claims, header = await self._verified(token, jti={"essential": True})
        return logout_of(claims, header, now=self._clock.now())

    async def _verified(self, token: str, **rules: Any) -> tuple[dict[str, Any], Mapping[str, Any]]:
        """Return claims and header of a token that the provider signed for us.

        Args:
            token: as it came.
            rules: what of its claims has to be there, beside issuer, audience and the time it was made.

        Raises:
            BadSignIn: signature, algorithm, or one of these is wrong, or it has expired.
            ProviderUnreachable: the provider's keys can't be read.
        """
        from joserfc import jws, jwt
        from joserfc.errors import ExpiredTokenError, JoseError

        await self._discovered()
        assert self._keys is not None
        try:
            header = jws.extract_compact(token.encode()).headers()
            algorithm, key_id = header.get("alg"), header.get("kid")
            if algorithm not in _SIGNING or not isinstance(algorithm, str):
                raise BadSignIn("the token is signed in a way that isn't accepted")
            if key_id is not None and not isinstance(key_id, str):
                raise BadSignIn("the token names its key by something other than text")
            key = await self._keys.find(key_id, algorithm)
            if key is None:
                raise BadSignIn("the token is signed by a key that the provider doesn't publish")
            claims: dict[str, Any] = jwt.decode(token, key, algorithms=[algorithm]).claims
            self._rules(rules).validate(claims)
        except ExpiredTokenError as error:
            raise BadSignIn("the token has expired") from error
        except (JoseError, ValueError, TypeError) as error:
            raise BadSignIn("the token isn't valid for this sign-in") from error
        return claims, header

    async def end_session_url(self, id_token: str | None, *, back_to: str) -> str | None:
        """Return the address at the provider where the login ends there too, None where it has none."""
        endpoints = await self._discovered()
        if endpoints.end_session is None:
            return None
        query = {"client_id": self.client.client_id, "post_logout_redirect_uri": back_to}
        return _with_query(endpoints.end_session, query | ({"id_token_hint": id_token} if id_token else {}))

    def _rules(self, further: Mapping[str, Any]) -> Any:
        from joserfc.jwt import JWTClaimsRegistry

        return JWTClaimsRegistry(
            now=lambda: int(self._clock.now().timestamp()),
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client.client_id},
            iat={"essential": True},
            **further,
        )

    def _check(self, claims: Mapping[str, Any], *, nonce: str) -> None:
        """Check what the library's rules leave open: several audiences, the nonce's type, old tokens."""
        audience = claims["aud"] if isinstance(claims["aud"], list) else [claims["aud"]]
        party = claims.get("azp")
        if (len(audience) > 1 and party is None) or party not in {None, self.client.client_id}:
            raise BadSignIn("the token is for another client")
        if not isinstance(claims["nonce"], str) or not hmac.compare_digest(
            claims["nonce"].encode(), nonce.encode()
        ):
            raise BadSignIn("the token belongs to another sign-in")
        if int(self._clock.now().timestamp()) - claims["iat"] > _LONGEST_S:
            raise BadSignIn("the token is older than a day")

    async def _exchange(self, endpoints: Endpoints, code: str, verifier: str) -> dict[str, Any]:
        import httpx2

        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.client.redirect_uri,
            "code_verifier": verifier,
        }
        headers = {"Accept": "application/json"}
        secret = self.client.client_secret
        if secret is None:
            form["client_id"] = self.client.client_id
        elif endpoints.posts_secret:
            form |= {"client_id": self.client.client_id, "client_secret": secret}
        else:
            headers["Authorization"] = _basic(self.client.client_id, secret)
        try:
            async with httpx2.AsyncClient(timeout=_TIMEOUT_S) as http:
                response = await http.post(endpoints.token, data=form, headers=headers)
            value = response.json()
        except (httpx2.HTTPError, ValueError) as error:
            raise ProviderUnreachable("the provider doesn't answer with JSON") from error
        if response.status_code >= 500:
            raise ProviderUnreachable(f"the provider answers with {response.status_code}")
        if response.status_code != 200 or not isinstance(value, dict):
            raise BadSignIn("the provider didn't accept the code")
        return value

    async def _discovered(self) -> Endpoints:
        now = self._clock.now()
        if self._endpoints is not None and self._read_at is not None and now - self._read_at < _FRESH:
            return self._endpoints
        document = await read_json(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        endpoints = _endpoints(document, self.issuer)
        if self._endpoints is None or self._endpoints.keys != endpoints.keys:
            self._keys = PublishedKeys(endpoints.keys, self._clock)
        self._endpoints, self._read_at = endpoints, now
        return endpoints


def challenge_of(verifier: str) -> str:
    """Return PKCE's challenge of a verifier (RFC 7636, section 4.2, S256)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _endpoints(document: Mapping[str, Any], issuer: str) -> Endpoints:
    if document.get("issuer") != issuer:
        raise BadProvider(
            f"it calls itself {document.get('issuer')!r}; set oidc_issuer to exactly that if you trust it"
        )
    try:
        needed = [document[f"{name}_endpoint"] for name in ("authorization", "token")]
        addresses = [checked_url(str(url)) for url in (*needed, document["jwks_uri"])]
    except KeyError as error:
        raise BadProvider(f"its configuration has no {error.args[0]}") from None
    methods = document.get("code_challenge_methods_supported")
    if methods is not None and "S256" not in methods:
        raise BadProvider("it doesn't support PKCE with S256")
    ways = document.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    return Endpoints(
        authorization=addresses[0],
        token=addresses[1],
        keys=addresses[2],
        userinfo=_optional(document, "userinfo_endpoint"),
        end_session=_optional(document, "end_session_endpoint"),
        posts_secret="client_secret_basic" not in ways and "client_secret_post" in ways,
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _optional(document: Mapping[str, Any], name: str) -> str | None:
    value = document.get(name)
    return checked_url(value) if isinstance(value, str) else None


def _check_hash(said: object, access_token: str, algorithm: str) -> None:
    """OpenID Connect Core 3.1.3.8; Ed25519's hash is SHA-512."""
    digest = _HASHES.get(algorithm[2:], hashlib.sha512)(access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not isinstance(said, str) or not hmac.compare_digest(said.encode(), half):
        raise BadSignIn("the token belongs to another access token")


def _basic(client_id: str, secret: str) -> str:
    """RFC 6749, section 2.3.1: both parts are form-encoded first."""
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _with_query(url: str, values: Mapping[str, str]) -> str:
    return f"{url}{'&' if urlsplit(url).query else '?'}{urlencode(values)}"
