"""A release as a file: fixed bytes, and one clear sentence for everything that isn't one."""

from __future__ import annotations

import io
import json
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.base.digests import canonical_json, sha256_hex
from steward.supply.releases.deriving import ARTEFACTS
from steward.supply.releases.errors import BadParcel
from steward.supply.releases.identity import Makers, id_of, manifest_of
from steward.supply.releases.parcel import (
    SIGNATURE,
    STATEMENT,
    Parcel,
    is_safe_path,
    parcel_message,
    read_parcel,
    statement_of,
    write_parcel,
)
from steward.supply.releases.signing import Signature, public_of, release_message

SECRET, OTHER_SECRET = b"s" * 32, b"t" * 32
FILES = {"assistant.yaml": b"name: spoke\n", "knowledge/pr\u00fcfung.md": b"# A\r\n", "workflows/b.yaml": b""}
MANIFEST = manifest_of("spoke", FILES, Makers(encoder="e" * 64, trainer="1", splitter="1/1"))
GOLDEN = "d04dc82d9c309f616807d8411d128ffafd076695a31703b0ff8fd2849585686e"


def signed(message: bytes, secret: bytes = SECRET) -> Signature:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Signature(public_of(secret), Ed25519PrivateKey.from_private_bytes(secret).sign(message))


def parcel(**changed: object) -> Parcel:
    release_id = id_of(MANIFEST)
    made = Parcel(
        release_id, MANIFEST, "snapshot", FILES, {name: name.encode() for name in ARTEFACTS},
        (signed(release_message(release_id)),),
    )  # fmt: skip
    return replace(made, **changed)  # type: ignore[arg-type]


def written(of: Parcel | None = None) -> bytes:
    of = of or parcel()
    return write_parcel(of, signed(parcel_message(statement_of(of))))


GOOD = written()


def entries() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def zipped(files: Mapping[str, bytes], *, compress: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compress) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], compress)
    return out.getvalue()


def restated(change: Callable[[dict[str, object]], object]) -> bytes:
    """Return a file whose statement was changed and signed again, as somebody with a key could."""
    kept = entries()
    statement = json.loads(kept[STATEMENT])
    change(statement)
    kept[STATEMENT] = json.dumps(statement).encode()
    signature = signed(parcel_message(kept[STATEMENT]))
    kept[SIGNATURE] = canonical_json(
        {"public_key": signature.public_key.hex(), "signature": signature.signature.hex()}
    )
    return zipped(kept)


class TestWriteParcel:
    def test_comes_back_whole(self) -> None:
        read, signature = read_parcel(GOOD, "r.steward")
        assert read == parcel()
        assert signature.public_key == public_of(SECRET)

    def test_is_the_same_bytes_on_every_machine(self) -> None:
        # Computed once and written down: another platform or version that writes other bytes is a fault.
        assert sha256_hex(GOOD) == GOLDEN

    def test_does_not_depend_on_the_order_of_anything(self) -> None:
        again = parcel(
            files=dict(reversed(FILES.items())),
            artefacts={name: name.encode() for name in reversed(ARTEFACTS)},
        )
        assert written(again) == GOOD

    def test_compresses_nothing(self) -> None:
        with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}


class TestReadParcel:
    @settings(max_examples=200)
    @given(data=st.data())
    def test_a_changed_byte_is_refused(self, data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(GOOD) - 1))
        changed = bytearray(GOOD)
        changed[place] ^= data.draw(st.integers(1, 255))
        with pytest.raises(
            BadParcel, match=r"^r\.steward .*; nothing was imported\. Export the release again\.$"
        ):
            read_parcel(bytes(changed), "r.steward")

    @settings(max_examples=100)
    @given(length=st.integers(0, len(GOOD) - 1))
    def test_a_truncated_file_is_refused(self, length: int) -> None:
        with pytest.raises(BadParcel, match="nothing was imported"):
            read_parcel(GOOD[:length], "r.steward")

    @given(content=st.binary(max_size=400))
    def test_anything_else_is_refused(self, content: bytes) -> None:
        with pytest.raises(BadParcel, match="nothing was imported"):
            read_parcel(content, "r.steward")

    @pytest.mark.parametrize("more", [b"x", b"\x00" * 100])
    def test_bytes_behind_or_before_it_are_refused(self, more: bytes) -> None:
        for content in (GOOD + more, more + GOOD):
            with pytest.raises(BadParcel, match="nothing was imported"):
                read_parcel(content, "r.steward")

    def test_a_compressed_file_is_refused_unread(self) -> None:
        bomb = zipped({**entries(), "files/bomb.md": b"\x00" * 20_000_000}, compress=zipfile.ZIP_DEFLATED)
        assert len(bomb) < 60_000
        with pytest.raises(BadParcel, match="holds a compressed file, which a release never does"):
            read_parcel(bomb, "r.steward")

    def test_a_file_that_claims_another_size_is_refused(self) -> None:
        place = GOOD.rindex(b"PK\x01\x02")
        huge = bytearray(GOOD)
        huge[place + 20 : place + 28] = struct.pack("<II", 0xFFFFFFF0, 0xFFFFFFF0)
        with pytest.raises(BadParcel, match=r"larger than it may be|isn't a whole release file"):
            read_parcel(bytes(huge), "r.steward")

    @pytest.mark.parametrize(
        "path",
        ["files/../../etc/passwd", "files//a", "/etc/passwd", "files/a\\b", "files/c:/a", "elsewhere/a",
         "artefacts/other", "files/./a", "files/", "files/" + "a" * 300,
         "files/" + unicodedata.normalize("NFD", "pr\u00fcfung.md")],
    )  # fmt: skip
    def test_a_path_that_no_release_has_is_refused(self, path: str) -> None:
        with pytest.raises(BadParcel, match="holds a file whose path no release has"):
            read_parcel(zipped({**entries(), path: b"x"}), "r.steward")

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_a_file_twice_is_refused(self) -> None:
        out = io.BytesIO(zipped(entries()))
        with zipfile.ZipFile(out, "a") as archive:
            archive.writestr("files/assistant.yaml", b"name: other\n")
        with pytest.raises(BadParcel, match="holds a file twice"):
            read_parcel(out.getvalue(), "r.steward")

    def test_another_file_more_is_refused(self) -> None:
        with pytest.raises(BadParcel, match="holds other files than its release's id says"):
            read_parcel(zipped({**entries(), "files/extra.yaml": b"x"}), "r.steward")

    def test_another_form_of_the_file_is_named(self) -> None:
        with pytest.raises(BadParcel, match="is of another form than 1, which is what this version reads"):
            read_parcel(restated(lambda statement: statement.update(format=2)), "r.steward")

    @pytest.mark.parametrize(
        "change",
        [
            lambda s: s.update(id="0" * 64),
            lambda s: s["manifest"].update(seed=7),
            lambda s: s["manifest"].update(seed=2.5),
            lambda s: s["manifest"].update(format=1.0),
            lambda s: s["manifest"].update(encoder=["e"]),
            lambda s: s["manifest"].pop("trainer"),
            lambda s: s.update(signatures=[]),
            lambda s: s["signatures"][0].update(signature="00" * 64),
            lambda s: s["signatures"][0].update(public_key="00"),
            lambda s: s["artefacts"].update(intent_head="0" * 64),
            lambda s: s["artefacts"].pop("intent_head"),
            lambda s: s.update(extra=1),
            lambda s: s.update(snapshot="\ud800"),
        ],
    )
    def test_a_statement_that_somebody_signed_is_still_held_against_the_contents(
        self, change: Callable[[dict[str, object]], object]
    ) -> None:
        with pytest.raises(BadParcel, match="nothing was imported"):
            read_parcel(restated(change), "r.steward")

    def test_a_statement_signed_for_something_else_is_refused(self) -> None:
        of = parcel()
        with pytest.raises(BadParcel, match="has a signature that isn't of its contents"):
            read_parcel(write_parcel(of, signed(statement_of(of))), "r.steward")

    def test_a_release_signed_by_another_key_than_it_says_is_refused(self) -> None:
        forged = Signature(
            public_of(SECRET), signed(release_message(id_of(MANIFEST)), OTHER_SECRET).signature
        )
        with pytest.raises(BadParcel, match="holds a signature that isn't of its release"):
            read_parcel(written(parcel(signatures=(forged,))), "r.steward")


class TestSafePath:
    @given(parts=st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=4))
    def test_never_leads_out_of_its_folder(self, parts: list[str]) -> None:
        path = "/".join(parts)
        if is_safe_path(path):
            assert not path.startswith("/")
            assert not {".", "..", ""} & set(path.split("/"))
            assert "\\" not in path
