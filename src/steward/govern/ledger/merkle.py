"""The Merkle tree over the links of one checkpoint, as RFC 6962 (section 2.1) builds it.

A leaf's hash begins with a zero byte and a node's with a one, so that neither passes for the other.
The tree over n leaves splits at the largest power of two below n; a path has about log2(n) hashes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

EMPTY = hashlib.sha256(b"").digest()


def leaf(data: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash over two subtrees."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Growing:
    """A root that is computed leaf by leaf, keeping one hash for each complete subtree."""

    def __init__(self) -> None:
        self._peaks: list[tuple[int, bytes]] = []
        self.leaves = 0

    def add(self, data: bytes) -> None:
        """Take the next leaf."""
        size, top = 1, leaf(data)
        while self._peaks and self._peaks[-1][0] == size:
            top = node(self._peaks.pop()[1], top)
            size *= 2
        self._peaks.append((size, top))
        self.leaves += 1

    def root(self) -> bytes:
        """Return the root over the leaves taken so far."""
        if not self._peaks:
            return EMPTY
        top = self._peaks[-1][1]
        for _, left in reversed(self._peaks[:-1]):
            top = node(left, top)
        return top


def root_of(leaves: Sequence[bytes]) -> bytes:
    """Return the root over some leaves."""
    tree = Growing()
    for data in leaves:
        tree.add(data)
    return tree.root()


def path_to(place: int, leaves: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return the hashes beside the way from a leaf (its place counted from 0) up to the root."""
    if not 0 <= place < len(leaves):
        raise ValueError(f"there is no leaf {place} among {len(leaves)}")
    if len(leaves) == 1:
        return ()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if place < half:
        return (*path_to(place, leaves[:half]), root_of(leaves[half:]))
    return (*path_to(place - half, leaves[half:]), root_of(leaves[:half]))


def root_from(data: bytes, *, place: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a leaf and its path give, or None where the path doesn't fit the tree's size."""
    if not 0 <= place < size:
        return None
    return _climb(leaf(data), place, size, list(path))


def _climb(start: bytes, place: int, size: int, path: list[bytes]) -> bytes | None:
    if size == 1:
        return None if path else start
    if not path:
        return None
    half = 1 << (size - 1).bit_length() - 1
    beside = path[-1]
    if place < half:
        below = _climb(start, place, half, path[:-1])
        return None if below is None else node(below, beside)
    below = _climb(start, place - half, size - half, path[:-1])
    return None if below is None else node(beside, below)
