"""A server that speaks the part of Vault's transit API that Steward uses, over a real connection."""

from __future__ import annotations

import base64
import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "hvs.test"  # a test's own


class TransitServer:
    """One transit engine at `transit/` with keys in memory. `failures` many requests get a 503 first."""

    def __init__(self) -> None:
        self.keys: dict[str, list[bytes]] = {"steward": [os.urandom(32)]}
        self.least_version = 1
        self.failures = 0
        self.requests: list[str] = []
        self.url = ""

    def answer(self, method: str, path: str, token: str, body: dict[str, Any]) -> tuple[int, Any]:
        """Return status and JSON of one request."""
        self.requests.append(f"{method} {path}")
        if self.failures > 0:
            self.failures -= 1
            return 503, {"errors": ["Vault is sealed"]}
        if token != TOKEN:
            return 403, {"errors": ["permission denied"]}
        parts = path.strip("/").split("/")
        if parts[:2] != ["v1", "transit"] or len(parts) < 4 or (key := self.keys.get(parts[3])) is None:
            return 404, {"errors": []}
        if parts[2] == "keys":
            if method == "POST" and parts[4:] == ["rotate"]:
                key.append(os.urandom(32))
            return 200, {"data": self._described(key)}
        results = [self._result(parts[2], key, item) for item in body["batch_input"]]
        status = 400 if any("error" in result for result in results) else 200
        return status, {"data": {"batch_results": results}}

    def _described(self, key: list[bytes]) -> dict[str, Any]:
        return {
            "type": "aes256-gcm96",
            "latest_version": len(key),
            "min_decryption_version": self.least_version,
            "keys": {str(version): 1 for version in range(1, len(key) + 1)},
        }

    def _result(self, verb: str, key: list[bytes], item: dict[str, str]) -> dict[str, Any]:
        if verb == "encrypt":
            return self._sealed(key, base64.b64decode(item["plaintext"]))
        prefix, version, packed = item["ciphertext"].split(":", 2)
        number = int(version.removeprefix("v"))
        if prefix != "vault" or not self.least_version <= number <= len(key):
            return {"error": "ciphertext or signature version is disallowed by policy (too old)"}
        data = base64.b64decode(packed)
        try:
            plain = AESGCM(key[number - 1]).decrypt(data[:12], data[12:], None)
        except InvalidTag:
            return {"error": "cipher: message authentication failed"}
        return (
            {"plaintext": base64.b64encode(plain).decode()} if verb == "decrypt" else self._sealed(key, plain)
        )

    def _sealed(self, key: list[bytes], plain: bytes) -> dict[str, Any]:
        nonce = os.urandom(12)
        packed = base64.b64encode(nonce + AESGCM(key[-1]).encrypt(nonce, plain, None)).decode()
        return {"ciphertext": f"vault:v{len(key)}:{packed}", "key_version": len(key)}


@contextmanager
def transit_server() -> Iterator[TransitServer]:
    """Serve on a free port until the block ends."""
    engine = TransitServer()

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"null") or {}
            status, answer = engine.answer(
                self.command, self.path, self.headers.get("X-Vault-Token", ""), body
            )
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _serve  # noqa: N815 # the names that http.server calls

        def log_message(self, format: str, *args: object) -> None:  # as it is inherited
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    engine.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield engine
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
