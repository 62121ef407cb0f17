"""What identifies a customer's device or purse: hardware addresses, wallets, log-ins inside links."""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact

_HARDWARE = re.compile(
    r"(?<![0-9A-Za-z:.-])(?:[0-9A-F]{2}(?P<sign>[:-])(?:[0-9A-F]{2}(?P=sign)){4}[0-9A-F]{2}"
    r"|[0-9A-F]{4}\.[0-9A-F]{4}\.[0-9A-F]{4})(?![0-9A-Za-z:-])",
    re.IGNORECASE,
)
_ETHER = re.compile(r"(?<![0-9A-Za-z])0x[0-9a-fA-F]{40}(?![0-9A-Za-z])")
_COIN = re.compile(
    r"(?<![0-9A-Za-z])(?:[13][1-9A-HJ-NP-Za-km-z]{25,34}|(?:bc1|BC1)[0-9A-Za-z]{11,71})(?![0-9A-Za-z])"
)
_LOGIN = re.compile(
    r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://(?P<login>[^\s/@:]{1,80}:[^\s/@]{1,200})@(?=[A-Za-z0-9\[])"
)


def find_machines(scan: Scan) -> Iterator[Candidate]:
    """Find hardware addresses, checked wallets and log-ins that stand in a link."""
    text = scan.text
    if "://" in text:
        for match in _LOGIN.finditer(text):
            yield Candidate(*match.span("login"), Kind.PASSWORD, match["login"], Rank.SECRET)
    if not scan.has_digit:
        return
    if text.count(":") >= 5 or text.count("-") >= 5 or text.count(".") >= 2:
        for match in _HARDWARE.finditer(text):
            yield Candidate(*match.span(), Kind.DEVICE, compact(match[0]), Rank.SECRET)
    for match in _ETHER.finditer(text):
        yield Candidate(*match.span(), Kind.WALLET, match[0].lower(), Rank.CHECKED)
    for match in _COIN.finditer(text):
        if _is_coin(match[0]):
            yield Candidate(*match.span(), Kind.WALLET, match[0], Rank.CHECKED)


def _is_coin(address: str) -> bool:
    from stdnum import bitcoin

    return bool(bitcoin.is_valid(address))
