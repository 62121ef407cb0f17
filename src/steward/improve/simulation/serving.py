"""Running a small ASGI server for demos and tests: in this process's main thread or beside a test.

Adds what ASGI lacks and a fault needs: breaking the connection, with or without an answer begun.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

_DROP = "steward.drop_connection"


class DroppingProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with a way for the application to break its connection."""

    def on_message_begin(self) -> None:
        """Begin a request and hand its application the means to drop it."""
        super().on_message_begin()
        scope = cast(Scope, self.scope)
        scope["extensions"] = {**(scope.get("extensions") or {}), _DROP: self.transport.abort}


async def drop_connection(scope: Scope, receive: Receive) -> None:
    """Break the request's connection at once; what was sent before may have arrived."""
    scope["extensions"][_DROP]()
    while (await receive())["type"] != "http.disconnect":
        pass


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; clients may connect before anyone accepts.

    Raises:
        OSError: the address is taken or not this machine's.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def serve(app: Application, listener: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM."""
    _server(app).run(sockets=[listener])


@contextmanager
def serve_beside(app: Application) -> Iterator[str]:
    """Serve on a free local port in a thread of its own; yield the URL, stop at the end."""
    listener = listen("127.0.0.1", 0)
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


def _server(app: Application) -> uvicorn.Server:
    config = uvicorn.Config(
        cast(Any, app),
        http=DroppingProtocol,
        lifespan="off",
        access_log=False,
        log_config=None,
        log_level="critical",
        timeout_graceful_shutdown=1,
        server_header=False,
    )
    return uvicorn.Server(config)
