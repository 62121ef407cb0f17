"""Checking certificates of erasure by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from steward.app.commands.retention import run_verify
from steward.base.digests import canonical_json
from steward.base.errors import InvalidInput
from steward.govern.retention.certificate import FORMAT, Certificate, signed_bytes
from steward.govern.retention.errors import NoCertificate
from steward.supply.releases.signing import key_text

SIGNER, ANOTHER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()


def certificate(signer: Ed25519PrivateKey = SIGNER) -> dict[str, Any]:
    """Return a certificate as it is written into a file."""
    content = canonical_json(
        {"format": FORMAT, "erasure": "e-1", "finished_at": "2026-03-02T12:00:00+00:00", "rows_gone": 12}
    )
    signature = signer.sign(signed_bytes(content))
    return Certificate(content, signer.public_key().public_bytes_raw(), signature).as_json()


def written(directory: Path, told: object) -> Path:
    file = directory / "certificate.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    return file


class TestVerify:
    def test_a_genuine_one_names_its_signer(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert run_verify(written(tmp_path, certificate()), key=None, as_json=False) == 0
        told = capsys.readouterr().out
        assert "genuine: erasure e-1, finished 2026-03-02T12:00:00+00:00, 12 rows" in told
        assert key_text(SIGNER.public_key().public_bytes_raw()) in told

    def test_the_key_that_is_asked_for_has_to_have_signed(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mine = key_text(SIGNER.public_key().public_bytes_raw())
        assert run_verify(written(tmp_path, certificate()), key=mine, as_json=True) == 0
        assert json.loads(capsys.readouterr().out)["genuine"] is True
        assert run_verify(written(tmp_path, certificate(ANOTHER)), key=mine, as_json=False) == 1
        assert "it's signed by" in capsys.readouterr().err

    def test_a_signature_of_something_else_is_found(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        told = certificate()
        told["signature"]["signature"] = certificate(ANOTHER)["signature"]["signature"]
        assert run_verify(written(tmp_path, told), key=None, as_json=False) == 1
        assert "its signature doesn't fit what it says" in capsys.readouterr().err

    def test_what_was_changed_around_the_signed_words_is_found(self, tmp_path: Path) -> None:
        file = written(tmp_path, certificate() | {"rows_gone": 1200})
        with pytest.raises(NoCertificate, match="says other things than what was signed"):
            run_verify(file, key=None, as_json=False)

    @pytest.mark.parametrize(
        "told", [[], {}, {"format": FORMAT}, {"format": FORMAT, "signature": {"content": 1}}]
    )
    def test_anything_else_is_refused(self, tmp_path: Path, told: object) -> None:
        with pytest.raises(NoCertificate, match="This is no certificate of an erasure in JSON"):
            run_verify(written(tmp_path, told), key=None, as_json=False)

    def test_a_file_that_is_no_json_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "page.html"
        file.write_text("<!doctype html>")
        with pytest.raises(InvalidInput, match=r"page\.html can't be read as JSON"):
            run_verify(file, key=None, as_json=False)
        with pytest.raises(InvalidInput, match=r"nowhere\.json can't be read as JSON"):
            run_verify(tmp_path / "nowhere.json", key=None, as_json=False)
