"""The tree of RFC 6962: its roots, and paths that lead there and nowhere else."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from steward.govern.ledger.merkle import EMPTY, Growing, leaf, node, path_to, root_from, root_of

_leaves = st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=40)


def defined_root(leaves: list[bytes]) -> bytes:
    """Return the root as section 2.1 of the RFC defines it, word by word."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return sha256(b"\x01" + defined_root(leaves[:half]) + defined_root(leaves[half:])).digest()


class TestRoot:
    def test_of_nothing_is_the_hash_of_nothing(self) -> None:
        assert Growing().root() == EMPTY

    def test_of_three_splits_at_two(self) -> None:
        assert root_of([b"a", b"b", b"c"]) == node(node(leaf(b"a"), leaf(b"b")), leaf(b"c"))

    @given(_leaves)
    def test_is_the_defined_one(self, leaves: list[bytes]) -> None:
        assert root_of(leaves) == defined_root(leaves)


class TestPath:
    @given(_leaves, st.data())
    def test_leads_to_the_root(self, leaves: list[bytes], data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(leaves) - 1))
        path = path_to(place, leaves)
        assert root_from(leaves[place], place=place, size=len(leaves), path=path) == root_of(leaves)
        assert len(path) <= (len(leaves) - 1).bit_length()

    @given(_leaves, st.data())
    def test_of_another_leaf_leads_elsewhere(self, leaves: list[bytes], data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(leaves) - 1))
        path = path_to(place, leaves)
        assert root_from(b"forged leaf", place=place, size=len(leaves), path=path) != root_of(leaves)

    @given(_leaves, st.data())
    def test_of_a_wrong_length_leads_nowhere(self, leaves: list[bytes], data: st.DataObject) -> None:
        place = data.draw(st.integers(0, len(leaves) - 1))
        path = (*path_to(place, leaves), b"x" * 32)
        assert root_from(leaves[place], place=place, size=len(leaves), path=path) is None

    def test_outside_the_tree_leads_nowhere(self) -> None:
        assert root_from(b"a", place=3, size=3, path=()) is None
