"""Web pages: the article without navigation, banners and footers (trafilatura)."""

from __future__ import annotations

from steward.supply.knowledge.contracts import Block, BlockKind, Reading
from steward.supply.knowledge.errors import UnreadableDocument
from steward.supply.knowledge.sources import markdown


def read(content: bytes, path: str) -> Reading:
    """Read the main text of an HTML page.

    Raises:
        UnreadableDocument: the page has no text of its own, for example because a script writes it.
    """
    import trafilatura

    text = trafilatura.extract(
        content,
        output_format="markdown",
        include_comments=False,
        include_tables=True,
        include_formatting=True,
        include_links=False,
        favor_recall=True,
        with_metadata=False,
    )
    if not text or not text.strip():
        raise UnreadableDocument(path, "has no text of its own; save the page with its text in it")
    reading = markdown.read_text(text)
    found = trafilatura.extract_metadata(content)
    title = reading.title or (found.title if found else None)
    return Reading(title, _without_repeats(reading.blocks, title))


def _without_repeats(blocks: tuple[Block, ...], title: str | None) -> tuple[Block, ...]:
    """Drop a first paragraph that only says the title again."""
    if blocks and blocks[0].kind is BlockKind.PARAGRAPH and blocks[0].text == title:
        return blocks[1:]
    return blocks
