"""What mustn't stand in a prompt: it goes to a provider with every turn, and may be talked out of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.detection import Detector
from steward.supply.assistant.prompt_audit.contracts import Finding, Severity
from steward.supply.assistant.prompt_audit.sentences import Script

_TOKEN = re.compile(r"\[[A-Z][A-Z0-9_]*_\d+\]")
_URL = re.compile(
    r"\b[a-z][a-z0-9+]{2,12}://(?P<login>[^\s/@:]+:[^\s/@]+@)?(?P<host>\[[0-9a-f:]+\]|"
    r"[a-z0-9.-]+)(?::\d+)?[^\s\"'<>)]*",
    re.IGNORECASE,
)
_INSIDE = re.compile(
    r"^(?:localhost|127\.|10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|169\.254\.|\[::1\]|"
    r"\[f[cd])|\.(?:internal|intranet|local|lan|corp|home)$",
    re.IGNORECASE,
)
_GIVEN = re.compile(
    r"\b(?:pass(?:word|phrase|code)|secret(?:\s+\w+)?|access\s+(?:code|key|token)|api[\s_-]?key|token|"
    r"(?:discount|voucher|promo(?:tion)?|coupon|override|approval)\s+code)\b\s*(?:is|are|=|"
    r":)\s*[\"'“‘`]?(?=\S*[A-Za-z0-9])[^\s\"'”’`,;.]{3,}",
    re.IGNORECASE,
)
_FULL_NAME = re.compile(r"[A-Z]\S*\s+[A-Z]")
"""Rules speak of names; only first and last name together are somebody's."""
_SECRET_KINDS: Final = frozenset({Kind.API_KEY, Kind.PASSWORD, Kind.ONE_TIME_CODE, Kind.CARD, Kind.IBAN})
_IGNORED: Final = frozenset({Kind.NUMBER, Kind.ADDRESS, Kind.POSTCODE, Kind.LITERAL})
"""Kinds that a company's own address or a year in the rules would be taken for."""


def secrets(script: Script, detector: Detector) -> Iterator[Finding]:
    """Yield secrets, inner addresses and personal data, each by its kind and never by its words."""
    body = _TOKEN.sub(lambda match: " " * len(match[0]), script.body)
    told: set[int] = set()
    for place, code, what in (*_addresses(body), *_named(body), *_found(body, detector)):
        line = script.line_at(place)
        if line in told:
            continue
        told.add(line)
        yield Finding(
            code=code,
            severity=Severity.MEDIUM if code == "secret.personal" else Severity.HIGH,
            file=script.file,
            line=line,
            problem=f"{what} stands in the prompt.",
            why="It leaves the company with every turn, and customers may talk the model into saying it.",
            mend="Take it out; systems get their secrets by name in connectors.yaml, never through a prompt.",
        )


def _addresses(body: str) -> Iterator[tuple[int, str, str]]:
    for match in _URL.finditer(body):
        if match["login"]:
            yield match.start(), "secret.login", "An address with a password"
        elif _INSIDE.search(match["host"]):
            yield match.start(), "secret.inner_address", "The address of an inner system"


def _named(body: str) -> Iterator[tuple[int, str, str]]:
    for match in _GIVEN.finditer(body):
        yield match.start(), "secret.said", "A secret with its name"


def _found(body: str, detector: Detector) -> Iterator[tuple[int, str, str]]:
    for span in detector.find(body):
        if span.kind in _SECRET_KINDS:
            yield span.start, "secret.value", f"A value that looks like {_words(span.kind)}"
        elif span.kind not in _IGNORED and (
            span.kind != Kind.NAME or _FULL_NAME.match(body[span.start : span.end])
        ):
            yield span.start, "secret.personal", f"Personal data ({_words(span.kind)})"


def _words(kind: str) -> str:
    return kind.replace("_", " ").lower()
