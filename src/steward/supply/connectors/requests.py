"""Building a request's target and body from an operation and its arguments. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit

from steward.supply.connectors.contracts import Argument, OperationSpec, Refused, SystemSpec
from steward.supply.connectors.errors import BadSystem, UnknownArgument

_PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a system lives: everything that is sent goes there and nowhere else."""

    scheme: str
    host: str
    port: int | None
    path: str


@dataclass(frozen=True, slots=True)
class Target:
    """What one call sends: the path with its query below the origin, and the JSON body, if any."""

    path: str
    body: bytes | None


def read_address(system: SystemSpec) -> Address:
    """Take a system's URL apart.

    Raises:
        BadSystem: it isn't a plain http(s) address, or holds a user, a query or a fragment.
    """
    try:
        parts = urlsplit(system.url)
        port = parts.port
    except ValueError:
        raise BadSystem(system.name, "has a URL that can't be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSystem(system.name, "needs a URL that starts with http:// or https:// and names a host")
    if parts.username is not None or parts.password is not None:
        raise BadSystem(system.name, "has a user or password in its URL; name a secret instead")
    if parts.query or parts.fragment:
        raise BadSystem(system.name, "has a query or fragment in its URL; leave them out")
    return Address(scheme=parts.scheme, host=parts.hostname, port=port, path=parts.path.rstrip("/"))


def check_operation(system: SystemSpec, operation: OperationSpec) -> None:
    """Refuse an operation that could reach beyond its system or can't be filled in.

    Raises:
        BadSystem: the path leaves the system's address, or a placeholder isn't an argument.
    """
    literal = _PLACEHOLDER.sub("x", operation.path)
    if not literal.startswith("/") or re.search(r"//|\\|[?#{}\s]|(^|/)\.{1,2}(/|$)", literal):
        raise BadSystem(system.name, f"has a path that can't be called: {operation.name} {operation.path}")
    for placeholder in _PLACEHOLDER.findall(operation.path):
        if placeholder not in operation.arguments:
            raise BadSystem(
                system.name, f"has {{{placeholder}}} in the path of {operation.name}, which isn't an argument"
            )


def build_target(operation: OperationSpec, arguments: Mapping[str, Argument]) -> Target | Refused:
    """Fill the operation's path, query or body.

    A path value that is missing, empty or made of dots is refused here: it would name another
    resource than the one meant. Other arguments that aren't given are left out.

    Raises:
        UnknownArgument: the operation doesn't take one of the arguments.
    """
    for name in arguments:
        if name not in operation.arguments:
            raise UnknownArgument(operation.full_name, name)
    in_path = _PLACEHOLDER.findall(operation.path)
    for name in in_path:
        text = _as_text(arguments[name]) if name in arguments else ""
        if not text.strip(".") or "\x00" in text:
            return Refused(400, "bad_argument", f"{operation.full_name} needs a usable value for {name}.")
    path = _PLACEHOLDER.sub(lambda match: quote(_as_text(arguments[match[1]]), safe=""), operation.path)
    others = {name: value for name, value in arguments.items() if name not in in_path}
    if operation.method in ("GET", "DELETE"):
        query = urlencode({name: _as_text(value) for name, value in others.items()}, quote_via=quote)
        return Target(path=f"{path}?{query}" if query else path, body=None)
    return Target(path=path, body=json.dumps(others, ensure_ascii=False, sort_keys=True).encode())


def check_key(idempotency_key: str) -> str:
    """Return the key if it fits into a header.

    Raises:
        ValueError: it is empty, longer than 255 characters or not printable ASCII without spaces.
    """
    if not _KEY.fullmatch(idempotency_key):
        raise ValueError("an idempotency key is 1 to 255 printable ASCII characters without spaces")
    return idempotency_key


def _as_text(value: Argument) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
