"""The master key and customers' keys: made once, opened only in their place."""

from __future__ import annotations

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.govern.privacy.errors import BadMasterKey, SealBroken, WrongMasterKey
from steward.govern.privacy.master_key import MasterKey, write_file
from steward.govern.privacy.sealing import CustomerKey

_GIVEN = base64.b64encode(b"g" * 32).decode()


class TestLoad:
    def test_first_use_makes_a_private_file_that_stays(self, tmp_path: Path) -> None:
        made = MasterKey.load(tmp_path / "data", {})
        file = tmp_path / "data" / "master.key"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert MasterKey.load(tmp_path / "data", {}).id == made.id
        assert [path.name for path in file.parent.iterdir()] == ["master.key"]

    def test_many_at_once_agree_on_one_key(self, tmp_path: Path) -> None:
        with ThreadPoolExecutor(8) as pool:
            keys = list(pool.map(lambda _: MasterKey.load(tmp_path, {}).id, range(16)))
        assert len(set(keys)) == 1

    def test_environment_wins_and_writes_nothing(self, tmp_path: Path) -> None:
        assert MasterKey.load(tmp_path, {"STEWARD_MASTER_KEY": _GIVEN}).id == MasterKey(b"g" * 32).id
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        ("value", "problem"), [("%%%", "isn't base64"), ("YWJj", "has 3 bytes instead of 32")]
    )
    def test_unusable_value_is_named_and_not_shown(self, tmp_path: Path, value: str, problem: str) -> None:
        with pytest.raises(BadMasterKey, match=problem) as caught:
            MasterKey.load(tmp_path, {"STEWARD_MASTER_KEY": value})
        assert value not in str(caught.value)
        assert "STEWARD_MASTER_KEY" in str(caught.value)

    def test_unreadable_place_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(BadMasterKey, match="can't be read or made"):
            MasterKey.load(tmp_path / "file", {})


class TestWriteFile:
    def test_place_that_takes_no_file_is_named_and_no_key_shown(self, tmp_path: Path) -> None:
        with pytest.raises(BadMasterKey, match="can't be written") as caught:
            write_file(tmp_path / "nowhere" / "master.key", [b"g" * 32])
        assert _GIVEN not in str(caught.value)


class TestWrap:
    def test_comes_back_in_its_context_only(self) -> None:
        key = MasterKey(b"a" * 32)
        wrapped = key.wrap(b"secret", b"one")
        assert key.unwrap(wrapped, b"one") == b"secret"
        with pytest.raises(SealBroken, match="doesn't open"):
            key.unwrap(wrapped, b"other")

    def test_another_master_key_is_named(self) -> None:
        wrapped = MasterKey(b"a" * 32).wrap(b"secret", b"one")
        with pytest.raises(WrongMasterKey, match="put the old key back"):
            MasterKey(b"b" * 32).unwrap(wrapped, b"one")

    def test_digests_differ_by_label_and_key(self) -> None:
        one, other = MasterKey(b"a" * 32), MasterKey(b"b" * 32)
        digests = {
            one.digest("x", b"y"),
            one.digest("xy", b""),
            one.digest("", b"xy"),
            other.digest("x", b"y"),
        }
        assert len(digests) == 4


class TestCustomerKey:
    @given(st.binary(max_size=200), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
    def test_what_is_sealed_opens(self, plain: bytes, context: str) -> None:
        key = CustomerKey(b"k" * 32)
        sealed = key.seal(plain, context)
        assert key.open(sealed, context) == plain
        assert sealed != key.seal(plain, context)

    @given(st.integers(0, 60), st.integers(1, 255))
    def test_any_changed_byte_breaks_the_seal(self, place: int, change: int) -> None:
        key = CustomerKey(b"k" * 32)
        sealed = bytearray(key.seal(b"x" * 32, "message.body"))
        sealed[place] ^= change
        with pytest.raises(SealBroken, match=r"'message[.]body' doesn't open"):
            key.open(bytes(sealed), "message.body")

    @pytest.mark.parametrize("junk", [b"", b"\x01", b"\x01short", b"\x02" + bytes(40)])
    def test_junk_is_refused(self, junk: bytes) -> None:
        with pytest.raises(SealBroken, match="doesn't open"):
            CustomerKey(b"k" * 32).open(junk, "x")

    def test_other_customer_and_place_stay_closed(self) -> None:
        sealed = CustomerKey(b"k" * 32).seal("words", "message.body")
        with pytest.raises(SealBroken, match="doesn't open"):
            CustomerKey(b"l" * 32).open(sealed, "message.body")
        with pytest.raises(SealBroken, match="doesn't open"):
            CustomerKey(b"k" * 32).open(sealed, "message.events")

    def test_no_text_form_shows_a_secret(self) -> None:
        for key in (CustomerKey(b"k" * 32), MasterKey(b"k" * 32)):
            assert "kkk" not in repr(key)
