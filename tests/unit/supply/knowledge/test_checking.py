"""Remarks on a knowledge base."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from steward.supply.knowledge.checking import Gravity, check
from steward.supply.knowledge.contracts import SourceDocument

TODAY = date(2026, 3, 2)
GOOD = SourceDocument("a.md", b"# A\n\nText.", owner="Billing", review_by=date(2027, 1, 1))
LONG = b"# L\n\nThis sentence is long enough to be noticed when it stands in two documents alike.\n"


class TestCheck:
    def test_a_document_in_order_has_no_remarks(self) -> None:
        assert check([GOOD], TODAY) == ()

    def test_what_nobody_answers_for_is_named(self) -> None:
        remarks = check([replace(GOOD, owner=None, review_by=None)], TODAY)
        assert [remark.sentence.split(";")[0] for remark in remarks] == ["has no owner", "has no review_by"]

    def test_dates_that_have_passed_are_named(self) -> None:
        remarks = check([replace(GOOD, review_by=date(2026, 1, 1), valid_until=date(2026, 3, 1))], TODAY)
        assert [remark.sentence for remark in remarks] == [
            "was to be reviewed by 2026-01-01",
            "ended on 2026-03-01 and isn't found any more",
        ]

    def test_faults_come_first(self) -> None:
        remarks = check([replace(GOOD, path="b.xyz", owner=None)], TODAY)
        assert [remark.gravity for remark in remarks] == [Gravity.FAULT, Gravity.ADVICE]

    def test_a_passage_in_two_documents_is_named_once(self) -> None:
        both = [replace(GOOD, content=LONG), replace(GOOD, path="b.md", content=LONG)]
        assert [(remark.path, "what 'a.md' says" in remark.sentence) for remark in check(both, TODAY)] == [
            ("b.md", True)
        ]
