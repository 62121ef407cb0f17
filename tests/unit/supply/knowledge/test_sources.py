"""Reading documents of each kind."""

from __future__ import annotations

import io
from pathlib import Path

import docx
import pytest

from steward.supply.knowledge.cleaning import READERS, clean
from steward.supply.knowledge.contracts import CleanDocument, SourceDocument
from steward.supply.knowledge.errors import UnknownKind, UnreadableDocument


def cleaned(path: str, content: str | bytes, title: str | None = None) -> CleanDocument:
    data = content.encode() if isinstance(content, str) else content
    return clean(SourceDocument(path, data, title=title))


def lines(document: CleanDocument) -> list[str]:
    return [block.text for block in document.blocks]


def pdf(pages: list[list[str]]) -> bytes:
    """Write a PDF of one text line below the other, by hand."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for page in pages:
        shown = "".join(f"({line}) Tj 0 -14 Td " for line in page)
        stream = f"BT /F1 11 Tf 50 780 Td {shown}ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(kids))
    out = io.BytesIO(b"")
    out.write(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table))
    return out.getvalue()


class TestClean:
    def test_an_unknown_kind_names_the_file_and_what_is_supported(self) -> None:
        with pytest.raises(UnknownKind, match=r"'prices/2026\.xlsx'.*\.csv, \.docx, .*\.pdf"):
            cleaned("prices/2026.xlsx", "1;2")

    def test_every_reader_can_be_imported(self) -> None:
        folder = Path(clean.__code__.co_filename).parent / "sources"
        assert all((folder / f"{name}.py").exists() for name in READERS.values())

    def test_the_title_is_given_found_or_made_of_the_file_name(self) -> None:
        assert cleaned("a.md", "# Found\n\nText.", title="Given").title == "Given"
        assert cleaned("a.md", "# Found\n\nText.").title == "Found"
        assert cleaned("deep/late-payment_fee.md", "Text.").title == "Late payment fee"

    @pytest.mark.parametrize("name", ["a.md", "a.txt", "a.csv"])
    def test_text_that_is_not_utf8_is_refused(self, name: str) -> None:
        with pytest.raises(UnreadableDocument, match=r"isn't UTF-8 text \(byte 3\)"):
            cleaned(name, b"caf\xe9")

    def test_control_characters_are_dropped(self) -> None:
        assert lines(cleaned("a.txt", "one\x00two")) == ["onetwo"]


class TestMarkdown:
    def test_structure_becomes_lines_without_marks(self) -> None:
        document = cleaned(
            "a.md",
            "---\ntitle: x\n---\n# Roaming\n\nOpen **Mobile**, then [Roaming](roaming.md).\nIt *starts*.\n\n"
            "- one\n- two\n  - deep\n\n3. third\n4. fourth\n\n![A red light](x.png)\n\n<br>\n\n`code`\n",
        )
        assert lines(document) == [
            "Roaming",
            "Open Mobile, then Roaming. It starts.",
            "- one",
            "- two",
            "- deep",
            "3. third",
            "4. fourth",
            "A red light",
            "code",
        ]

    def test_table_rows_can_be_read_alone(self) -> None:
        document = cleaned("a.md", "| Code | Meaning |\n|---|---|\n| A-05 | Locked |\n| A-09 | |\n")
        assert lines(document) == ["Code: A-05; Meaning: Locked", "Code: A-09"]


class TestHtml:
    def test_the_article_without_navigation_and_footer(self) -> None:
        document = cleaned(
            "a.html",
            """<html><head><title>Refunds - Northline</title></head><body>
            <nav><ul><li><a href="/">Home</a></li><li><a href="/shop">Shop</a></li></ul></nav>
            <main><article><h1>Refunds</h1>
            <p>A refund to a card takes 3 to 5 working days from the day on which we make it.</p>
            <h2>What you need</h2><ul><li>the number of the bill</li><li>the date of the payment</li></ul>
            <table><tr><th>Method</th><th>Days</th></tr><tr><td>Card</td><td>5</td></tr></table>
            </article></main><footer><p>Cookie settings. All rights reserved.</p></footer></body></html>""",
        )
        assert document.title == "Refunds"
        text = "\n".join(lines(document))
        assert "3 to 5 working days" in text
        assert "- the number of the bill" in text
        assert "Method: Card; Days: 5" in text
        assert "Cookie" not in text
        assert "Shop" not in text

    def test_a_page_without_text_is_refused(self) -> None:
        with pytest.raises(UnreadableDocument, match=r"app\.html' has no text of its own"):
            cleaned("app.html", "<html><body><div id='app'></div><script>run()</script></body></html>")


class TestPdf:
    def test_repeated_lines_and_page_numbers_are_dropped_and_wrapped_lines_joined(self) -> None:
        pages = [
            [
                "Northline terms, March 2026",
                f"Rule {word} is about refunds and their",
                "way back to the card.",
                "Ask us in the chat whenever it takes too",
                f"long for you or for {word} others.",
                str(number),
            ]
            for number, word in enumerate(["one", "two", "three"], start=1)
        ]
        assert lines(cleaned("terms.pdf", pdf(pages))) == [
            text
            for word in ("one", "two", "three")
            for text in (
                f"Rule {word} is about refunds and their way back to the card.",
                f"Ask us in the chat whenever it takes too long for you or for {word} others.",
            )
        ]

    def test_pictures_of_text_are_refused(self) -> None:
        with pytest.raises(
            UnreadableDocument, match=r"'scan\.pdf' holds pictures of text only; run text recog"
        ):
            cleaned("scan.pdf", pdf([[], []]))

    def test_a_damaged_file_is_refused(self) -> None:
        with pytest.raises(UnreadableDocument, match="is no readable PDF file"):
            cleaned("bad.pdf", b"%PDF-1.4 nothing")


class TestDocx:
    def test_headings_lists_and_tables(self) -> None:
        document = docx.Document()
        document.add_heading("Move home", 1)
        document.add_paragraph("Tell us 14 days before.")
        document.add_paragraph("Enter the postcode.", style="List Number")
        document.add_paragraph("Choose the day.", style="List Number")
        document.add_paragraph("hub", style="List Bullet")
        table = document.add_table(rows=2, cols=2)
        for cell, text in zip(table._cells, ["Plan", "Price", "Fibre 50", "£26.50"], strict=True):
            cell.text = text
        out = io.BytesIO()
        document.save(out)
        read = cleaned("move.docx", out.getvalue())
        assert read.title == "Move home"
        assert lines(read) == [
            "Move home",
            "Tell us 14 days before.",
            "1. Enter the postcode.",
            "2. Choose the day.",
            "- hub",
            "Plan: Fibre 50; Price: £26.50",
        ]

    def test_another_file_is_refused(self) -> None:
        with pytest.raises(UnreadableDocument, match="is no Word document"):
            cleaned("old.docx", b"\xd0\xcf\x11\xe0 old format")


class TestCsvFaq:
    def test_each_question_heads_its_answer(self) -> None:
        document = cleaned("faq.csv", 'Answer;Question\n"It costs £7.";How much is a Disc?\n')
        assert [(block.kind.value, block.text) for block in document.blocks] == [
            ("heading", "How much is a Disc?"),
            ("paragraph", "It costs £7."),
        ]

    def test_a_missing_column_is_named(self) -> None:
        with pytest.raises(UnreadableDocument, match="lacks the column 'answer'"):
            cleaned("faq.csv", "question,reply\na,b\n")

    def test_a_question_without_an_answer_is_refused(self) -> None:
        with pytest.raises(UnreadableDocument, match="without an answer in line 2"):
            cleaned("faq.csv", "question,answer\nWhy?,\n")


class TestPlain:
    def test_headings_paragraphs_and_lists(self) -> None:
        document = cleaned(
            "a.txt", "Opening hours\nWe are open every day\nfrom 9am.\n\n- Monday\n- Tuesday\n\nAsk us."
        )
        assert [(block.kind.value, block.text) for block in document.blocks] == [
            ("heading", "Opening hours"),
            ("paragraph", "We are open every day from 9am."),
            ("item", "- Monday"),
            ("item", "- Tuesday"),
            ("paragraph", "Ask us."),
        ]
