"""IBANs in any grouping: found by country and length, proved by mod 97."""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.checksums import IBAN_LENGTHS, iban_holds
from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan

_GAP = r"[\W_]{0,3}"
_HEAD = re.compile(rf"(?=([A-Za-z]){_GAP}([A-Za-z]){_GAP}[0-9]{_GAP}[0-9])")
_MOST_GAP = 3


def find_ibans(scan: Scan) -> Iterator[Candidate]:
    """Find account numbers of known countries; beside the word IBAN even mistyped ones."""
    if not scan.has_digit:
        return
    text = scan.text
    named = "iban" in scan.words
    done = 0
    for head in _HEAD.finditer(text):
        start = head.start()
        if start < done:
            continue
        length = IBAN_LENGTHS.get((head[1] + head[2]).upper())
        if length is None:
            continue
        end, letters = _collected(text, start, length)
        if len(letters) < length:
            continue
        if iban_holds(letters) and has_account_digits(letters):
            yield Candidate(start, end, Kind.IBAN, letters, Rank.CHECKED)
            done = end
        elif named and has_account_digits(letters) and not _inside_word(text, start):
            yield Candidate(start, end, Kind.IBAN, letters, Rank.CONTEXT)
            done = end


def _collected(text: str, start: int, length: int) -> tuple[int, str]:
    """Return where `length` letters and digits end, skipping short gaps, and what they are."""
    letters: list[str] = []
    end = position = start
    while position < len(text) and len(letters) < length and position - end <= _MOST_GAP:
        letter = text[position]
        position += 1
        if letter.isascii() and letter.isalnum():
            letters.append(letter.upper())
            end = position
    return end, "".join(letters)


def has_account_digits(letters: str) -> bool:
    """Tell whether there are digits as in real accounts: words pass the checksum once in 97 times."""
    return sum(letter.isdigit() for letter in letters) * 5 >= len(letters) * 2


def _inside_word(text: str, start: int) -> bool:
    return start > 0 and text[start - 1].isalnum()
