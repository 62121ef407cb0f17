"""Starts the identity provider, moves people between its groups, and changes its keys."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from joserfc.jwk import RSAKey
from tests.journeys.running import ROOT

PYTHON = ROOT / ".provider" / "bin" / "python"
SERVE = Path(__file__).with_name("serve.py")
PASSWORD = "a long password"
CLIENT_ID, CLIENT_SECRET = "steward", "a secret of the client & more"
STOP_WITHIN_S = 10.0


class Provider:
    """One provider; `people` is who is in which groups."""

    def __init__(self, directory: Path, steward: str) -> None:
        if not PYTHON.exists():
            pytest.skip("the identity provider isn't installed (make provider): signing in was not run")
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.key = new_key("one")
        self._steward = steward
        self._file = directory / "told.json"
        self._people: Mapping[str, list[str]] = {"ann": ["it"], "bob": ["billing"], "eve": []}
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it and return when it answers."""
        self._write()
        self._process = subprocess.Popen(
            [PYTHON, SERVE, str(self.port), self._steward, str(self._file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline().strip() == "ready"

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(STOP_WITHIN_S)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def move(self, **people: list[str]) -> None:
        """Put people into groups, and into no others."""
        self._people = {**self._people, **people}
        self._write()
        assert httpx.get(f"{self.issuer}/reload", timeout=10).text == "ok"

    def forget_codes(self) -> None:
        """Drop codes that nobody redeemed."""
        assert httpx.get(f"{self.issuer}/forget", timeout=10).text == "ok"

    def change_key(self) -> None:
        """Sign with a new key from now on, the old one forgotten."""
        self.stop()
        self.key = new_key("two")
        self.start()

    def _write(self) -> None:
        self._file.write_text(json.dumps({"people": self._people, "keys": [self.key.as_dict(private=True)]}))


@contextmanager
def running(directory: Path, steward: str) -> Iterator[Provider]:
    """Run a provider while the block runs."""
    provider = Provider(directory, steward)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()


def new_key(key_id: str) -> Any:
    """Return a signing key with an id."""
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig", "alg": "RS256"})


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
