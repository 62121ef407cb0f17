"""A release's id depends on every input, and on nothing else."""

from __future__ import annotations

import io
import os
import random
import unicodedata
import zipfile
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steward.supply.assistant.collecting import collect
from steward.supply.releases.bundle import pack, unpack
from steward.supply.releases.identity import Makers, id_of, makers_of, manifest_of

MAKERS = Makers(encoder="e" * 64, trainer="1", splitter="1/1")
FILES = {"assistant.yaml": b"name: spoke\n", "knowledge/a.md": b"# A\n", "workflows/b.yaml": b"title: B\r\n"}
GOLDEN = "51acae4ec563918a1f1b966d7e0d4060d22420357997872a1767639ab3e4b4d4"

a_folder = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8})?\.(yaml|md)", fullmatch=True), st.binary(max_size=200), max_size=6
)


class TestIdOf:
    def test_is_the_same_on_every_machine(self) -> None:
        # Computed once and written down: another platform or version that gives another id is a fault.
        assert id_of(manifest_of("spoke", FILES, MAKERS)) == GOLDEN

    @given(files=a_folder, seed=st.integers())
    def test_does_not_depend_on_the_order_of_files(self, files: dict[str, bytes], seed: int) -> None:
        shuffled = list(files.items())
        random.Random(seed).shuffle(shuffled)
        assert id_of(manifest_of("spoke", files, MAKERS)) == id_of(
            manifest_of("spoke", dict(shuffled), MAKERS)
        )

    @given(files=a_folder.filter(lambda files: any(files.values())), data=st.data())
    def test_changes_with_any_byte(self, files: dict[str, bytes], data: st.DataObject) -> None:
        path = data.draw(st.sampled_from(sorted(path for path, content in files.items() if content)))
        index = data.draw(st.integers(0, len(files[path]) - 1))
        flip = data.draw(st.integers(1, 255))
        content = bytearray(files[path])
        content[index] ^= flip
        changed = {**files, path: bytes(content)}
        assert id_of(manifest_of("spoke", files, MAKERS)) != id_of(manifest_of("spoke", changed, MAKERS))

    @given(files=a_folder.filter(bool))
    def test_changes_with_a_file_more_and_with_its_name(self, files: dict[str, bytes]) -> None:
        path = sorted(files)[0]
        fewer = {other: content for other, content in files.items() if other != path}
        renamed = {**fewer, f"z{path}z": files[path]}
        ids = {id_of(manifest_of("spoke", some, MAKERS)) for some in (files, fewer, renamed)}
        assert len(ids) == 3

    @pytest.mark.parametrize(
        "makers",
        [
            Makers(encoder="f" * 64, trainer="1", splitter="1/1"),
            Makers(encoder="e" * 64, trainer="2", splitter="1/1"),
            Makers(encoder="e" * 64, trainer="1", splitter="2/1"),
            Makers(encoder="e" * 64, trainer="1", splitter="1/1", seed=7),
        ],
    )
    def test_changes_with_whoever_makes_it(self, makers: Makers) -> None:
        assert id_of(manifest_of("spoke", FILES, makers)) != id_of(manifest_of("spoke", FILES, MAKERS))

    def test_a_manifest_tells_its_makers(self) -> None:
        assert makers_of(manifest_of("spoke", FILES, MAKERS)) == MAKERS


class TestFolders:
    def test_the_same_folder_gives_the_same_id_wherever_and_whenever_it_lies(self, tmp_path: Path) -> None:
        names = ["assistant.yaml", "knowledge/pr\u00fcfung.md", "knowledge/b.md", "README.md", ".hidden"]
        ids = set()
        forms: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
        for place, form in enumerate(forms):
            folder = tmp_path / str(place)
            for name in reversed(names) if place else names:
                file = folder / unicodedata.normalize(form, name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(b"# A\r\n")
                os.utime(file, (place, place))
                file.chmod(0o600 if place else 0o644)
            (folder / "README.md").write_text(f"place {place}")
            files, faults = collect(folder)
            assert not faults
            ids.add(id_of(manifest_of("spoke", files, MAKERS)))
        assert len(ids) == 1

    def test_line_ends_count_as_they_are(self) -> None:
        unix, windows = {"a.md": b"# A\n"}, {"a.md": b"# A\r\n"}
        assert id_of(manifest_of("spoke", unix, MAKERS)) != id_of(manifest_of("spoke", windows, MAKERS))


class TestBundle:
    def test_another_compressor_changes_bytes_and_no_id(self) -> None:
        # The id is over the files' digests, so versions of zlib may compress otherwise.
        stored = io.BytesIO()
        with zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as archive:
            for path in sorted(FILES, reverse=True):
                archive.writestr(path, FILES[path])
        assert stored.getvalue() != pack(FILES)
        assert id_of(manifest_of("spoke", unpack(stored.getvalue()), MAKERS)) == GOLDEN

    @given(files=a_folder)
    def test_gives_back_what_was_packed(self, files: dict[str, bytes]) -> None:
        assert unpack(pack(files)) == files

    def test_is_the_same_bytes_whatever_the_order(self) -> None:
        assert pack(FILES) == pack(dict(reversed(FILES.items())))
