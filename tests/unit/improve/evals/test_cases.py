"""Which cases two releases are compared on."""

from __future__ import annotations

from tests.unit.improve.evals.conftest import case

from steward.improve.evals.cases import digest_of, merged
from steward.improve.evals.contracts import CaseChange


class TestMerged:
    def test_deleting_a_case_does_not_take_it_out(self) -> None:
        found = merged([case("kept")], [case("kept"), case("gone")])
        assert [(item.case.name, item.change) for item in found] == [
            ("kept", CaseChange.SAME),
            ("gone", CaseChange.REMOVED),
        ]

    def test_a_changed_case_is_run_as_the_candidate_has_it(self) -> None:
        found = merged([case("fee", asks="And now?")], [case("fee")])
        assert found[0].change is CaseChange.CHANGED
        assert found[0].case.turns[0].customer == "And now?"

    def test_new_cases_are_marked(self) -> None:
        assert merged([case("fresh")], [])[0].change is CaseChange.NEW


class TestDigest:
    def test_it_tells_lists_apart(self) -> None:
        assert digest_of([case("a")]) == digest_of([case("a")])
        assert digest_of([case("a")]) != digest_of([case("a", asks="Else?")])
