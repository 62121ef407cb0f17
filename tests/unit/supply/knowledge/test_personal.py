"""Personal data in documents: what counts for whom, where it stands, and what becomes of it."""

from __future__ import annotations

import pytest

from steward.govern.privacy.detection import Detector
from steward.supply.knowledge.contracts import Audience, SourceDocument
from steward.supply.knowledge.errors import PersonalDocuments
from steward.supply.knowledge.personal import DocumentMasker, DocumentRule

_TEXT = b"""# Bills

Write to help@northline.example or call 020 7946 0018.

A customer paid with 4111 1111 1111 1111.
"""


def document(audience: Audience, content: bytes = _TEXT, path: str = "bills.md") -> SourceDocument:
    return SourceDocument(path, content, audience=audience)


class TestFind:
    def test_public_documents_may_show_the_company_s_own_addresses(self) -> None:
        found = DocumentMasker(Detector()).find(document(Audience.PUBLIC))
        assert [(item.line, item.kind) for item in found] == [(5, "CARD")]

    def test_documents_for_staff_show_no_addresses_unnoticed(self) -> None:
        found = DocumentMasker(Detector()).find(document(Audience.INTERNAL))
        assert [(item.line, item.kind) for item in found] == [(3, "EMAIL"), (3, "PHONE"), (5, "CARD")]

    def test_named_values_stand(self) -> None:
        masker = DocumentMasker(Detector(), keep=[r".*@northline\.example", r"020 7946 \d{4}"])
        found = masker.find(document(Audience.AGENT))
        assert [item.kind for item in found] == ["CARD"]

    def test_document_that_cannot_be_read_has_nothing(self) -> None:
        assert DocumentMasker(Detector()).find(document(Audience.PUBLIC, b"%PDF-", "a.pdf")) == ()


class TestApply:
    def test_report_changes_nothing(self) -> None:
        given = document(Audience.PUBLIC)
        assert DocumentMasker(Detector()).apply([given], DocumentRule.REPORT) == [given]

    def test_mask_takes_it_out_and_leaves_the_rest(self) -> None:
        (masked,) = DocumentMasker(Detector()).apply([document(Audience.PUBLIC)], DocumentRule.MASK)
        assert masked.content == _TEXT.replace(b"4111 1111 1111 1111", b"[CARD_1]")

    def test_refuse_names_places_and_kinds_and_no_value(self) -> None:
        with pytest.raises(PersonalDocuments, match=r"bills\.md:5 \(CARD\)") as refused:
            DocumentMasker(Detector()).apply([document(Audience.PUBLIC)], DocumentRule.REFUSE)
        assert "4111" not in str(refused.value)

    def test_clean_documents_pass(self) -> None:
        given = document(Audience.PUBLIC, b"# Bills\n\nRead them online.\n")
        assert DocumentMasker(Detector()).apply([given], DocumentRule.REFUSE) == [given]
