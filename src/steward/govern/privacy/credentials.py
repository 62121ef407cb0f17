"""Secrets said aloud: passwords, PINs, one-time codes, card codes, API keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, compact, word_set

_LINK = r"\s{0,2}(?:(?:is|was|are|as|=|:|->|-|be)\s{0,2}){1,2}(?:still\s|now\s|just\s)?"
_PASSWORD = re.compile(
    r"\b(?:pass\s?words?|passcodes?|pass\s?phrases?|passwd|pwd|memorable\s(?:word|answer|name)|maiden\sname"
    r"|security\s(?:answer|word)|secret\s(?:word|answer)"
    r"|passwort|kennwort|wachtwoord|mot\sde\spasse|contraseña|senha)\b[\"']?"
    r"(?:\s(?:for|on|of)\s(?:the\s|my\s)?[\w-]{1,20}(?:\s(?:account|wifi|router))?)?"
    rf"(?:(?P<link>{_LINK})|\s{{1,2}}(?:to\s{{1,2}})?)"
    r"(?:(?P<quote>[\"'`“”«])(?P<quoted>[^\"'`“”«»\n]{1,80})[\"'`“”»]|(?P<bare>\S{1,80}))",
    re.IGNORECASE,
)
NOT_SECRETS = word_set(
    "get got access denied accessed a an the my not no wrong incorrect invalid expired expiring "
    "rejected refused always never still too being been correct right fine ok okay same working locked "
    "blocked reset resetting gone lost forgotten required needed weak strong short long old new changed "
    "changing unknown missing empty good bad broken stuck and or but for on in at to of is was isn't "
    "isnt doesn't doesnt won't wont didn't didnt keeps please help page link email emails reset? now "
    "that this it what when how why because so very really case safe secure here there different "
    "different? saved sent shown hidden visible accepted recognised recognized again any you your we "
    "our must should can can't cannot could would will has have had i i've need needs does do with from "
    "manager update recovery change field box prompt screen protected"
)
_SHORTEST_PASSWORD = 3
"""Signs of a password; "your password is 8 to 16 characters long" names none."""
_EITHER_PIN = re.compile(
    r"\bpin\b[^\n]{1,60}?\b(?:or|maybe|also)\s(?P<value>[0-9]{4,6})(?![0-9])", re.IGNORECASE
)
_PIN = re.compile(
    rf"\b(?:pin|puk)\b(?:\s(?:code|number|no))?(?:{_LINK}|[^\n.!?\d]{{1,30}})"
    r"(?P<value>[0-9](?:[\s-]?[0-9]){2,9})(?![0-9A-Za-z])",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?P<word>codes?|otp|passcode|2fa|mfa|tan|token|verification)\b(?P<link>[^\n.!?]{0,24}?)"
    r"(?<![A-Za-z0-9])(?P<value>(?:[A-Za-z]{1,2}-)?[0-9](?:[\s-]?[0-9]){3,9})(?![0-9])",
    re.IGNORECASE,
)
_CODE_AFTER = re.compile(
    r"(?<![0-9])(?P<value>[0-9](?:[\s-]?[0-9]){3,7})\s(?:is|was)\s(?:the|my|your)\s"
    r"(?:[\w-]{1,12}\s){0,2}(?:code|otp|pin|passcode)\b",
    re.IGNORECASE,
)
_MIXED_CODE = re.compile(
    r"\b(?:code|otp|passcode)\b(?:\s(?:is|was|i\sgot\sis|says)|\s?[:=])\s{0,2}"
    r"(?P<value>(?=[A-Za-z]{0,8}[0-9])[A-Za-z0-9]{5,10})\b",
    re.IGNORECASE,
)
_OTHER_CODES = word_set(
    "error fault status promo promotion promotional discount voucher gift post postal zip area country "
    "dialling dialing product sort source qr bar model response exit http offer coupon reference dress"
)
_CARD_CODE = re.compile(
    r"\b(?:cvv2?|cvc2?|cv2|csc|cid|security\s(?:code|number))\b[^0-9\n]{0,16}"
    r"(?P<value>[0-9](?:\s?[0-9]){2,3})(?![0-9])",
    re.IGNORECASE,
)
_EXPIRY = re.compile(
    r"\b(?:exp|expy|expiry|expires|expiring|expiration|valid)\b[^0-9\n]{0,16}"
    r"(?P<value>[0-9]{1,2}\s?[/.-]\s?(?:20)?[0-9]{2})(?![0-9/])",
    re.IGNORECASE,
)
_AFTER_CARD = re.compile(
    r"[^0-9\n]{0,12}(?P<expiry>(?:0?[1-9]|1[0-2])\s?[/-]\s?(?:20)?[0-9]{2})(?![0-9/-])"
    r"(?:[^0-9\n]{0,16}(?P<code>[0-9]{3,4})(?![0-9]))?"
)
_KEY_SIGNS = word_set(
    "sk- sk_ pk_ rk_ akia asia ghp_ gho_ ghs_ ghu_ ghr_ github_pat_ glpat- xox aiza eyj stw_ bearer "
    "-----begin key secret token hf_ npm_ pypi- sg. gocspx- ya29. shp dop_v1_ whsec_ rzp_ dapi pmak- "
    "lin_api_ sntrys_ figd_ atatt3 glsa_ xapp- sq0"
)
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:sk|pk|rk)[-_](?:[A-Za-z0-9]{2,12}[-_]){0,3}[A-Za-z0-9_-]{16,200}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[A-Za-z0-9_-]{16,64}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,200}|AIza[A-Za-z0-9_-]{30,60}|hf_[A-Za-z0-9]{20,64}|npm_[A-Za-z0-9]{20,64}"
    r"|pypi-[A-Za-z0-9_-]{20,255}"
    r"|SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}|GOCSPX-[A-Za-z0-9_-]{20,40}|ya29\.[A-Za-z0-9_-]{20,400}"
    r"|shp(?:at|ca|pa|ss)_[A-Fa-f0-9]{32}|dop_v1_[a-f0-9]{64}|whsec_[A-Za-z0-9+/=]{20,80}"
    r"|rzp_(?:live|test)_[A-Za-z0-9]{10,30}|dapi[a-f0-9]{32}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}"
    r"|lin_api_[A-Za-z0-9]{32,48}|sntrys_[A-Za-z0-9_=+/-]{40,300}|figd_[A-Za-z0-9_-]{30,60}"
    r"|ATATT3[A-Za-z0-9_=-]{50,400}|glsa_[A-Za-z0-9]{32}_[a-f0-9]{8}|xapp-[A-Za-z0-9-]{20,200}"
    r"|sq0[a-z]{3}-[A-Za-z0-9_-]{22,50}"
    r"|eyJ[A-Za-z0-9_-]{6,4000}\.[A-Za-z0-9_-]{4,6000}(?:\.[A-Za-z0-9_-]{0,2000})?"
    r"|stw_(?:pub|sec)_[A-Za-z0-9_-]{20,64})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\bbearer\s{1,2}(?P<value>[A-Za-z0-9._~+/=-]{16,4000})", re.IGNORECASE)
_NAMED_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:api[\s_-]?key|access[\s_-]?key|secret[\s_-]?key|client[\s_-]?secret|auth[\s_-]?token|access[\s_-]?token|secret)\b"
    rf"(?:{_LINK}|[\"']?\s?[:=]\s?[\"']?)(?P<value>(?=[A-Za-z._~+/=-]{{0,60}}[0-9])[A-Za-z0-9._~+/=-]{{8,400}})",
    re.IGNORECASE,
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[A-Za-z0-9+/=\s]{0,20000}(?:-----END [A-Z ]{0,30}-----)?"
)

_PASSWORD_WORDS = word_set(
    "password passwords passcode passcodes pass passphrase passphrases passwd pwd memorable maiden "
    "security secret passwort kennwort wachtwoord passe contraseña senha"
)
_CODE_WORDS = word_set("code codes otp passcode fa mfa tan token verification pin puk")
_CARD_WORDS = word_set("cvv cvc cv csc cid security card visa mastercard amex debit credit exp expy")


def find_credentials(scan: Scan) -> Iterator[Candidate]:
    """Find secrets by what is said beside them, and keys by their form."""
    if not scan.words.isdisjoint(_PASSWORD_WORDS):
        yield from _passwords(scan.text)
    if scan.has_digit and not scan.words.isdisjoint(_CODE_WORDS):
        yield from _codes(scan.text)
    if scan.has_digit and not scan.words.isdisjoint(_CARD_WORDS):
        yield from _values(_CARD_CODE, scan.text, Kind.CARD_CODE)
        yield from _values(_EXPIRY, scan.text, Kind.CARD_EXPIRY)
    lower = scan.text.lower()
    if any(sign in lower for sign in _KEY_SIGNS):
        yield from _keys(scan.text)


def beside_card(text: str, card_end: int) -> Iterator[Candidate]:
    """Find the expiry and the code that follow a card number."""
    match = _AFTER_CARD.match(text, card_end)
    if match is None:
        return
    yield _candidate(match, "expiry", Kind.CARD_EXPIRY)
    if match["code"]:
        yield _candidate(match, "code", Kind.CARD_CODE)


def _passwords(text: str) -> Iterator[Candidate]:
    position = 0
    while (match := _PASSWORD.search(text, position)) is not None:
        if match["quoted"] is not None:
            position = match.end()
            yield Candidate(*match.span("quoted"), Kind.PASSWORD, match["quoted"], Rank.SECRET)
            continue
        # What looked like the value may be the next mention: "password. The password is …".
        position = match.start("bare")
        value = match["bare"]
        stem = value.lower().strip(".,;:!?\"'()")
        signed = any(not letter.isalpha() for letter in stem) and any(letter.isalnum() for letter in stem)
        if len(stem) < _SHORTEST_PASSWORD or stem in NOT_SECRETS or "n't" in stem:
            continue
        if match["link"] is None and not (signed and any(letter.isdigit() for letter in stem)):
            continue
        end = match.end("bare") - (1 if value[-1] in ".,;" and len(value) > 1 else 0)
        yield Candidate(match.start("bare"), end, Kind.PASSWORD, text[match.start("bare") : end], Rank.SECRET)


def _codes(text: str) -> Iterator[Candidate]:
    yield from _values(_PIN, text, Kind.PASSWORD)
    yield from _values(_EITHER_PIN, text, Kind.PASSWORD)
    yield from _values(_CODE_AFTER, text, Kind.ONE_TIME_CODE)
    for pattern in (_CODE, _MIXED_CODE):
        for match in pattern.finditer(text):
            before = re.findall(r"[a-z]+", text[max(0, match.start() - 24) : match.start()].lower())
            if not before or before[-1] not in _OTHER_CODES:
                yield _candidate(match, "value", Kind.ONE_TIME_CODE)


def _keys(text: str) -> Iterator[Candidate]:
    for match in _KEY.finditer(text):
        yield Candidate(*match.span(), Kind.API_KEY, match[0], Rank.SECRET)
    for match in _PRIVATE_KEY.finditer(text):
        yield Candidate(*match.span(), Kind.API_KEY, match[0], Rank.SECRET)
    for pattern in (_BEARER, _NAMED_KEY):
        for match in pattern.finditer(text):
            yield Candidate(*match.span("value"), Kind.API_KEY, match["value"], Rank.SECRET)


def _values(pattern: re.Pattern[str], text: str, kind: Kind) -> Iterator[Candidate]:
    for match in pattern.finditer(text):
        yield _candidate(match, "value", kind)


def _candidate(match: re.Match[str], group: str, kind: Kind) -> Candidate:
    return Candidate(*match.span(group), kind, compact(match[group]), Rank.SECRET)
