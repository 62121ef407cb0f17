"""E-mail addresses, typed or spelled out: `jo@example.com`, `jo (at) example dot com`, `jo @ example . com`.

Each sign for "at" is looked at with a bounded piece of text on both sides, so a long text without
an address costs no more than reading it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, word_set

_AT = re.compile(
    r"\s{0,3}(?:(@)|([(\[{<]\s{0,2}(?:at|a|@)\s{0,2}[)\]}>]|[-_]at[-_]))\s{0,3}|\s{1,3}(at)\s{1,3}",
    re.IGNORECASE,
)
_DOT_WORD = r"\s{0,2}[(\[{<]\s?(?:dot|\.)\s?[)\]}>]\s{0,2}|\s{1,2}dot\s{1,2}|\s?[-_]dot[-_]\s?"
_LABEL = r"[^\W_](?:(?![-_]dot[-_])[\w-]){0,62}"
_DOMAIN = re.compile(
    rf"({_LABEL}(?:(?:\.|{_DOT_WORD}){_LABEL}){{1,6}}|{_LABEL}(?:\s{{0,2}}[.,]\s{{0,2}}{_LABEL}){{1,4}})",
    re.IGNORECASE,
)
_LOCAL_SIGN = r"[\w.!#$%&'*+/=?^`{|}~-]"
_LOCAL_WORD = (
    r"\s{0,2}[(\[{<]\s?(?:dot|\.)\s?[)\]}>]\s{0,2}"
    r"|\s{1,2}(?:dot|underscore|dash|hyphen|plus)\s{1,2}|\s{1,2}[._+-]\s{1,2}"
)
_LOCAL = re.compile(
    rf"(?:(?<!{_LOCAL_SIGN}))({_LOCAL_SIGN}{{1,64}}(?:(?:{_LOCAL_WORD}){_LOCAL_SIGN}{{1,64}}){{0,4}})$",
    re.IGNORECASE,
)
_QUOTED_LOCAL = re.compile(r"(\"[^\"\n]{1,64}\")$")
_SIGNS_AROUND = re.compile(r"[()\[\]{}<>]|[-_](?=dot[-_])|(?<=[-_]dot)[-_]")
_BARE_LOCAL = re.compile(r"[A-Za-z0-9]")
_DOT_WORDS = re.compile(r"\bdot\b|[(\[{<]\s?\.\s?[)\]}>]", re.IGNORECASE)
_DOTLESS = re.compile(r"[^\W\d_][\w-]{0,62}")
_SPACED = re.compile(r"[.,]\s|\s[.,]|,")
_HOUR = re.compile(r"\d{1,2}(?:[.:]?\d\d)?(?:[ap]m)?\.")
"""An hour, as in "june 6 at 8pm. It's …", is no host."""
_LONGEST_LOCAL = 120
_LONGEST_DOMAIN = 160
_ENDINGS = word_set(
    "com org net edu gov mil info biz io co uk ac me tv app dev eu us ca au nz ie de fr es it nl be at "
    "ch li lu pl pt se no fi dk cz sk hu ro bg gr hr si ee lv lt is mt cy tr ru ua in cn jp kr sg hk tw "
    "th my id ph vn za ng ke eg il ae sa br mx ar cl pe online site shop store tech xyz email mail "
    "cloud ai name pro test example invalid localhost local club live world"
)
_PROVIDERS = word_set(
    "gmail googlemail hotmail yahoo ymail outlook icloud aol proton protonmail live msn gmx web mail "
    "btinternet sky virginmedia talktalk me mac fastmail zoho yandex qq orange wanadoo free laposte "
    "libero"
)
_MENTIONS = word_set("email emails mail mails address contact reach write gmail")
_SIGN_WORDS = frozenset({"at", "dot"})
_WORD_SIGNS = {"dot": ".", "underscore": "_", "dash": "-", "hyphen": "-", "plus": "+"}


def find_emails(scan: Scan) -> Iterator[Candidate]:
    """Find addresses around every sign for "at"."""
    if "@" not in scan.text and scan.words.isdisjoint(_SIGN_WORDS):
        return
    text = scan.text
    done = 0
    position = 0
    while (at := _AT.search(text, position)) is not None:
        position = at.end()
        if at.start() < done:
            continue
        found = _around(text, at, done, mentioned=not scan.words.isdisjoint(_MENTIONS))
        if found is not None:
            yield found
            done = position = found.end
        elif at[3]:
            # The spaces around a plain "at" may belong to the next sign too.
            position = at.end(3)


def _around(text: str, at: re.Match[str], floor: int, *, mentioned: bool) -> Candidate | None:
    before = text[max(floor, at.start() - _LONGEST_LOCAL) : at.start()]
    local = _LOCAL.search(before) or _QUOTED_LOCAL.search(before)
    if local is None or (not _BARE_LOCAL.search(local[1]) and local[1].isascii()):
        return None
    domain = _DOMAIN.match(text, at.end(), at.end() + _LONGEST_DOMAIN)
    start = at.start() - len(local[1])
    if domain is None:
        return _dotless(text, at, start, local[1])
    end, host = _ended(text, domain)
    bare = at[3] is not None
    if end is None:
        return _dotless(text, at, start, local[1])
    if bare and not _meant(local[1], text[domain.start() : end], host, mentioned=mentioned):
        return None
    if bare and "dot" not in local[1].lower() and " " in local[1]:
        start = at.start() - len(local[1].split()[-1])
    return Candidate(start, end, Kind.EMAIL, _normal(text[start : at.start()]) + "@" + host, Rank.CONTEXT)


def _ended(text: str, domain: re.Match[str]) -> tuple[int | None, str]:
    """Return where a domain really ends: "jo@example. Thanks" must not swallow the next sentence."""
    piece = domain[1]
    while True:
        host = _normal(piece)
        spaced = _SPACED.search(piece)
        last = host.rpartition(".")[2]
        if "." not in host:
            return None, host
        if not spaced or last in _ENDINGS:
            return domain.start() + len(piece), host
        cut = max(piece.rfind("."), piece.rfind(","))
        if cut <= 0:
            return None, host
        piece = piece[:cut].rstrip()


def _dotless(text: str, at: re.Match[str], start: int, local: str) -> Candidate | None:
    """Accept `jo@mailhost` when both sides touch the sign, with no more than a name on the right."""
    if at[1] is None or at[0] != "@":
        return None
    right = _DOTLESS.match(text, at.end())
    if right is None:
        return None
    return Candidate(start, right.end(), Kind.EMAIL, _normal(local) + "@" + right[0].lower(), Rank.CONTEXT)


def _meant(local: str, domain: str, host: str, *, mentioned: bool) -> bool:
    """Tell whether a plain "at" joins an address: "looked at example.com" doesn't."""
    if _DOT_WORDS.search(domain):
        return True
    if host.rpartition(".")[2] not in _ENDINGS:
        return False
    if _HOUR.match(host):
        return False
    signed = any(sign.isdigit() or sign in "._" for sign in local)
    return mentioned or signed or host.partition(".")[0] in _PROVIDERS


def _normal(text: str) -> str:
    words = _SIGNS_AROUND.sub(" ", text.lower()).replace(",", ".").split()
    return "".join(_WORD_SIGNS.get(word, word) for word in words)
