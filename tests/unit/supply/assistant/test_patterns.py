"""Regular expressions of a folder: those that can run away are refused, plain ones pass."""

from __future__ import annotations

import pytest

from steward.supply.assistant.patterns import problem_of


class TestProblemOf:
    @pytest.mark.parametrize(
        "pattern",
        [
            r"NL-\d{6}",
            r"[A-Za-z]{1,2}\d[A-Za-z\d]? ?\d[A-Za-z]{2}",
            r"[\w.+-]+@[\w-]+\.[\w.]+",
            r"(?:INV|ORD)-[0-9]{4,8}",
            r"(?:[0-9]{4} ?){4}",
            r"(?i)order\s*#?\s*\d+",
            r"(?:ab|cd)+",
            r"(?=.*\d)[a-z\d]{8,12}",
        ],
    )
    def test_plain_patterns_pass(self, pattern: str) -> None:
        assert problem_of(pattern) is None

    @pytest.mark.parametrize(
        ("pattern", "said"),
        [
            (r"(a+)+$", "repeats what repeats itself"),
            (r"(?:\d*)*x", "repeats what repeats itself"),
            (r"(?:a{1,1000})+", "repeats what repeats itself"),
            (r"((ab)+c?)*", "repeats what repeats itself"),
            (r"(a|a)*b", "begin alike"),
            (r"(?:\w\d|\d\w)+$", "begin alike"),
            (r"(\d)\1", "refers back to a group"),
            (r".*.*.*.*.*x", "open-ended repetitions"),
            (r"[", "isn't a regular expression"),
            (r"a{5,1}", "isn't a regular expression"),
            (r"(?P<x>a)(?P<x>b)", "isn't a regular expression"),
            ("a" * 201, "longer than 200"),
        ],
    )
    def test_others_are_refused(self, pattern: str, said: str) -> None:
        assert said in (problem_of(pattern) or "")
