"""Static files: read once, named by their digest, sent compressed and cached for long.

Own files lie in the packages of the faces; htmx comes out of the installed django-htmx wheel (its files,
not its code); the charts' script is written by vl-convert on first use.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import files
from importlib.resources import files as package_files
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from steward.base.errors import Misconfigured, NotFound

_TYPES: Final = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
_YEAR_S: Final = 31_536_000


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent. `version` is the start of its digest; `integrity` is for the page's tag."""

    content: bytes
    compressed: bytes
    media_type: str
    version: str
    integrity: str


class Assets:
    """The static files of one app, each made when it is first asked for."""

    def __init__(self) -> None:
        self._makers: Final[dict[str, Callable[[], bytes]]] = {
            "widget.js": _own("steward.edge.channels.web", "widget.js"),
            "demo.js": _own("steward.edge.channels.web", "demo.js"),
            "demo.css": _own("steward.edge.channels.web", "demo.css"),
            "console.js": _own("steward.edge.console", "console.js"),
            "charts.js": _own("steward.edge.console", "charts.js"),
            "console.css": _own("steward.edge.console", "console.css"),
            "icon.svg": _own("steward.edge.console", "icon.svg"),
            "htmx.js": _htmx,
            "vega.js": _vega,
        }
        self._made: dict[str, Asset] = {}
        self._making = asyncio.Lock()

    async def get(self, name: str) -> Asset:
        """Return a file; the first time it is read, or written, in a thread.

        Raises:
            NotFound: no file has this name.
        """
        made = self._made.get(name)
        if made is not None:
            return made
        make = self._makers.get(name)
        if make is None:
            raise NotFound("There is no such file.")
        async with self._making:
            if name not in self._made:
                self._made[name] = await asyncio.to_thread(_prepared, name, make)
        return self._made[name]

    async def response(self, name: str, request: Request) -> Response:
        """Return a file as an answer: forever where its version is asked for, else to be revalidated."""
        asset = await self.get(name)
        pinned = request.query_params.get("v") == asset.version
        headers = {
            "Cache-Control": f"public, max-age={_YEAR_S}, immutable" if pinned else "public, max-age=300",
            "ETag": f'"{asset.version}"',
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if request.headers.get("if-none-match") == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(
                asset.compressed,
                media_type=asset.media_type,
                headers={**headers, "Content-Encoding": "gzip"},
            )
        return Response(asset.content, media_type=asset.media_type, headers=headers)


def assets_of(request: Request) -> Assets:
    """Return the app's static files."""
    assets: Assets = request.app.state.assets
    return assets


def _prepared(name: str, make: Callable[[], bytes]) -> Asset:
    content = make()
    digest = hashlib.sha384(content).digest()
    return Asset(
        content=content,
        compressed=gzip.compress(content, 6, mtime=0),
        media_type=_TYPES[Path(name).suffix],
        version=digest.hex()[:16],
        integrity=f"sha384-{base64.b64encode(digest).decode()}",
    )


def _own(package: str, name: str) -> Callable[[], bytes]:
    return lambda: package_files(package).joinpath("static", name).read_bytes()


def _htmx() -> bytes:
    for file in files("django-htmx") or ():
        if file.name == "htmx-4.min.js":
            return Path(str(file.locate())).read_bytes()
    raise Misconfigured("django-htmx lacks htmx-4.min.js; install the pinned requirements again.")


def _vega() -> bytes:
    from vl_convert import javascript_bundle

    bundle: str = javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return bundle.encode()
