"""Settings of sign-in and customers' tokens, as the how-to pages have them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from steward.app.identity import customer_trust
from steward.app.settings import read_settings
from steward.base.clock import SystemClock
from steward.govern.access.errors import BadProvider, BadVerifyingKey
from steward.govern.access.permissions import Role
from steward.govern.access.role_mapping import RoleMapping

HOWTO = Path(__file__).resolve().parents[3] / "docs" / "howto"


def written(page: str) -> list[str]:
    """Return the blocks of settings on a page."""
    return re.findall(r"```toml\n(.*?)```", (HOWTO / page).read_text(encoding="utf-8"), re.DOTALL)


class TestPages:
    def test_the_providers_settings_are_read(self, tmp_path: Path) -> None:
        provider, passwords, factors = written("sign-in-with-your-identity-provider.md")
        (tmp_path / "steward.toml").write_text(passwords + factors + provider)
        settings = read_settings({}, data_dir=tmp_path)
        assert not settings.local_accounts
        assert settings.second_factor_roles == (Role.ADMIN, Role.COMPLIANCE)
        mapping = RoleMapping.of(settings.oidc_role_claim, settings.oidc_roles)
        both = mapping.assign({"groups": ["billing-desk", "service-desk"]})
        assert both is not None
        assert both.categories == frozenset({"billing", "payments", "technical"})

    def test_a_key_of_customers_tokens_is_read(self, tmp_path: Path) -> None:
        keys, address = written("let-customers-prove-who-they-are.md")
        public = RSAKey.generate_key(2048).as_pem(private=False).decode()
        whole = re.sub(r"-----BEGIN.*-----END PUBLIC KEY-----\n", lambda _: public, keys, flags=re.DOTALL)
        (tmp_path / "steward.toml").write_text(address + whole)
        settings = read_settings({}, data_dir=tmp_path)
        trust = customer_trust(settings, SystemClock())
        assert len(trust.keys) == 2
        assert trust.issuers == {"shop.example"}


class TestCustomerTrust:
    def test_what_cant_verify_is_told(self, tmp_path: Path) -> None:
        bad_key = read_settings({}, data_dir=tmp_path, customer_token_keys={"k": "no key"})
        with pytest.raises(BadVerifyingKey, match="'k' in customer_token_keys"):
            customer_trust(bad_key, SystemClock())
        bad_url = read_settings({}, data_dir=tmp_path, customer_token_keys_url="http://shop.example/keys")
        with pytest.raises(BadProvider, match="https"):
            customer_trust(bad_url, SystemClock())
