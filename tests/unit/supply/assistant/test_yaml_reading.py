"""YAML 1.2 with places; whatever bytes come, faults and never traces."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steward.supply.assistant.yaml_nodes import key_place_of, place_of, plain, without
from steward.supply.assistant.yaml_reading import MOST_BYTES, read_yaml

BILLION_LAUGHS = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b",".join([b"*%c" % (letter - 1)] * 9)) for letter in range(98, 107)
)


def value_of(text: str) -> Any:
    node, faults = read_yaml(text.encode(), file="x.yaml")
    assert not faults
    assert node is not None
    return plain(node)


class TestValues:
    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("no", "no"), ("yes", "yes"), ("on", "on"), ("08:30", "08:30"), ("2026-11-30", "2026-11-30"),
            ("0123", "0123"), ("12", 12), ("-3", -3), ("0", 0), ("0.10", Decimal("0.10")),
            ("1e3", Decimal("1e3")), ("|\n  a\n  b", "a\nb\n"),
            ("true", True), ("False", False), ("~", None), ("null", None), ("'12'", "12"), ('"true"', "true"),
            ("1_000", "1_000"), (".inf", ".inf"), ("0x1F", "0x1F"), ("1" * 30, "1" * 30),
        ],
    )  # fmt: skip
    def test_follow_the_core_schema(self, written: str, value: Any) -> None:
        assert value_of(f"a: {written}\n") == {"a": value}

    def test_an_empty_file_is_an_empty_mapping(self) -> None:
        assert value_of("# only a comment\n") == {}

    def test_aliases_repeat_a_value(self) -> None:
        assert value_of("a: &x [1, 2]\nb: *x\n") == {"a": [1, 2], "b": [1, 2]}

    def test_a_byte_order_mark_is_no_fault(self) -> None:
        node, faults = read_yaml(b"\xef\xbb\xbfa: 1\n", file="x.yaml")
        assert node is not None
        assert (plain(node), faults) == ({"a": 1}, ())


class TestPlaces:
    def test_of_keys_and_values(self) -> None:
        node, _ = read_yaml(b"a:\n  - b: 1\n    c: two\n", file="x.yaml")
        assert node is not None
        assert (place_of(node, ("a", 0, "c")).line, place_of(node, ("a", 0, "c")).column) == (3, 8)
        assert (key_place_of(node, ("a", 0, "c")).line, key_place_of(node, ("a", 0, "c")).column) == (3, 5)

    def test_of_something_that_is_not_there_is_what_surrounds_it(self) -> None:
        node, _ = read_yaml(b"a:\n  - b: 1\n", file="x.yaml")
        assert node is not None
        assert place_of(node, ("a", 0, "missing")).line == 2

    def test_stay_when_a_part_is_taken_out(self) -> None:
        node, _ = read_yaml(b"a:\n  - 1\n  - 2\n  - 3\n", file="x.yaml")
        assert node is not None
        kept = without(node, ("a", 1))
        assert plain(kept) == {"a": [1, 3]}
        assert place_of(kept, ("a", 1)).line == 4

    def test_count_from_the_first_line_of_front_matter(self) -> None:
        _, faults = read_yaml(b"a: 1\na: 2\n", file="x.md", first_line=2)
        assert [fault.place for fault in faults] == ["x.md:3:1"]


class TestHostileBytes:
    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (BILLION_LAUGHS, "grows beyond"),
            (b"[" * 100_000, "nested deeper"),
            (b"a: &x [*x]\n", "isn't defined before"),
            (b"a: " + b"x" * (MOST_BYTES + 1), "larger than"),
            (b"a: \x00\n", "control character"),
            (b'a: "\\ud800"\n', "control character"),
            (b'a: "\\U00110000"\n', "isn't"),
            (b"? [a, b]\n: c\n", "a key must be a single word"),
            (b"%YAML 3.0\n---\na: 1\n", "another YAML version"),
            (b"\xff\xfea\x00", "UTF-8"),
        ],
    )  # fmt: skip
    def test_are_faults_and_quick(self, content: bytes, said: str) -> None:
        began = time.process_time()
        node, faults = read_yaml(content, file="x.yaml")
        assert node is None
        assert said in faults[0].sentence
        assert time.process_time() - began < 20, "limits must bind while reading"

    @given(st.binary(max_size=60))
    @example(b"!<>")
    @example(b"a: !<tag:x> 1")
    @example(b"%TAG ! x\n--- !a b")
    def test_any_bytes_give_a_tree_or_a_fault(self, content: bytes) -> None:
        node, faults = read_yaml(content, file="x.yaml")
        assert node is not None or faults

    @given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#?, \n\t", max_size=40))
    def test_any_punctuation_gives_a_tree_or_a_fault(self, text: str) -> None:
        node, faults = read_yaml(text.encode(), file="x.yaml")
        assert node is not None or faults
        assert all(fault.line is not None and fault.line >= 1 for fault in faults)
