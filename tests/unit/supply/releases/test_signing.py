"""Public keys as people copy them, and what a signature proves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.supply.releases.errors import BadKey
from steward.supply.releases.signing import (
    Signature,
    is_signed,
    key_id_of,
    key_text,
    public_of,
    read_key,
    release_message,
)

# RFC 8032, section 7.1, test 1.
RFC_SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"


class TestKeyText:
    @given(key=st.binary(min_size=32, max_size=32))
    def test_comes_back(self, key: bytes) -> None:
        assert read_key(f"  {key_text(key)}\n") == key

    @pytest.mark.parametrize(
        "text", ["", "ed25519:", "ed25519:AAAA", "ssh-ed25519 AAAA", "A" * 44, "ed25519:ü"]
    )
    def test_other_texts_are_refused(self, text: str) -> None:
        with pytest.raises(BadKey, match="isn't a public release key"):
            read_key(text)

    def test_the_public_part_is_the_standards(self) -> None:
        assert public_of(RFC_SECRET).hex() == RFC_PUBLIC
        assert key_id_of(public_of(RFC_SECRET)) == "21fe31dfa154a261"


class TestIsSigned:
    def test_only_the_key_and_message_that_it_is_of(self) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        message = release_message("a" * 64)
        made = Ed25519PrivateKey.from_private_bytes(RFC_SECRET).sign(message)
        signature = Signature(public_of(RFC_SECRET), made)
        assert is_signed(signature, message)
        assert not is_signed(signature, release_message("b" * 64))
        assert not is_signed(replace(signature, public_key=public_of(b"x" * 32)), message)
        assert not is_signed(replace(signature, public_key=b"short"), message)
