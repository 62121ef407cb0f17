"""Who is trusted to say who somebody is: the identity provider of staff, the keys of customers' tokens."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from steward.app.foundation import Foundation
from steward.app.settings import Settings
from steward.base.clock import Clock
from steward.govern.access.customer_tokens import Trust
from steward.govern.access.errors import BadProvider
from steward.govern.access.identity_provider import Client, IdentityProvider
from steward.govern.access.role_mapping import RoleMapping
from steward.govern.access.sign_ins import SignIns
from steward.govern.access.verifying_keys import GivenKeys, PublishedKeys, VerifyingKeys

CALLBACK: Final = "/console/login/oidc/callback"
"""Where the provider sends people back to; its address is registered there."""


def customer_trust(settings: Settings, clock: Clock) -> Trust:
    """Return whose customer tokens count.

    Raises:
        BadVerifyingKey: a configured key isn't a public key.
        BadProvider: the keys' address is neither https nor on this machine.
    """
    keys: list[VerifyingKeys] = []
    if settings.customer_token_keys:
        keys.append(GivenKeys(settings.customer_token_keys))
    if settings.customer_token_keys_url:
        keys.append(PublishedKeys(settings.customer_token_keys_url, clock))
    secret = settings.customer_token_secret
    return Trust(
        shared_secret=secret.encode() if secret else None,
        keys=tuple(keys),
        issuers=frozenset(settings.customer_token_issuers),
        longest=timedelta(hours=settings.customer_token_hours),
    )


def sign_ins_of(foundation: Foundation) -> SignIns | None:
    """Return the sign-in with the identity provider, None where none is configured.

    Raises:
        BadProvider: settings are missing or can't work, or nobody could sign in at all.
    """
    settings = foundation.settings
    if settings.oidc_issuer is None:
        if not settings.local_accounts:
            raise BadProvider("local accounts are switched off, so oidc_issuer has to be set")
        return None
    if not settings.oidc_client_id or not settings.public_url or not settings.oidc_roles:
        raise BadProvider("oidc_issuer needs oidc_client_id, oidc_roles and public_url beside it")
    client = Client(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=settings.oidc_client_secret,
        redirect_uri=settings.public_url.rstrip("/") + CALLBACK,
        scopes=settings.oidc_scopes,
    )
    return SignIns(
        foundation.store.database,
        foundation.clock,
        provider=IdentityProvider(client, foundation.clock),
        mapping=RoleMapping.of(settings.oidc_role_claim, settings.oidc_roles),
        master_key=foundation.master_key,
        title=settings.oidc_title,
    )
