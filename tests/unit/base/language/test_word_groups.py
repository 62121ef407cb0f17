"""Words in groups, alone and in pairs."""

from __future__ import annotations

from steward.base.language.word_groups import LONGEST, WordGroups, words_of

GROUPS = WordGroups({"orders": "rule rules no_rules", "denied": "no no_rules", "late": "at_last"})


class TestWordsOf:
    def test_are_in_lower_case_with_plain_apostrophes(self) -> None:
        assert words_of("You’re LATE (again), 2-year-old!") == ["you're", "late", "again", "2-year-old"]

    def test_of_a_long_text_are_those_of_its_beginning(self) -> None:
        assert words_of("a " * LONGEST) == ["a"] * (LONGEST // 2)


class TestPlaces:
    def test_words_and_pairs_are_found_where_they_begin(self) -> None:
        words = "no rules at last rule no more".split()
        places = GROUPS.places(words)
        assert places == {"no": [0, 5], "no_rules": [0], "rules": [1], "at_last": [2], "rule": [4]}

    def test_a_pair_needs_both_words_side_by_side(self) -> None:
        assert GROUPS.places(["at", "the", "last"]) == {}
        assert GROUPS.places(["at"]) == {}


class TestGroupsOf:
    def test_a_term_may_be_in_several(self) -> None:
        assert GROUPS.groups_of["no_rules"] == (0, 1)
        assert GROUPS.groups_of["no"] == (1,)
