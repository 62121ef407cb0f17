"""Splitting documents into passages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from steward.supply.knowledge.contracts import Block, BlockKind, CleanDocument
from steward.supply.knowledge.sources.markdown import read_text
from steward.supply.knowledge.splitting import MAX_WORDS, split

WORDS = st.text(alphabet="abcdefgh", min_size=1, max_size=8)
TEXTS = st.lists(WORDS, min_size=1, max_size=400).map(lambda words: " ".join(words) + ".")
BLOCKS = st.builds(
    Block,
    kind=st.sampled_from(list(BlockKind)),
    text=TEXTS,
    level=st.integers(1, 4),
    group=st.integers(0, 3),
)


def of(markdown: str, title: str = "Title") -> CleanDocument:
    return CleanDocument("a.md", title, read_text(markdown).blocks)


class TestSplit:
    @settings(deadline=None)
    @given(st.lists(BLOCKS, max_size=12))
    def test_no_word_is_lost_and_no_passage_is_too_long(self, blocks: list[Block]) -> None:
        passages = split(CleanDocument("a.md", "Title", tuple(blocks)))
        said = [word for passage in passages for word in passage.body.split()]
        written = [
            word for block in blocks if block.kind is not BlockKind.HEADING for word in block.text.split()
        ]
        assert said == written
        assert all(len(passage.body.split()) <= MAX_WORDS for passage in passages)
        assert [passage.ordinal for passage in passages] == list(range(len(passages)))

    def test_each_section_has_its_heading_path(self) -> None:
        passages = split(of("# Title\n\nLead.\n\n## One\n\nText.\n\n### Deep\n\nMore.\n\n## Two\n\nEnd."))
        assert [(passage.heading, passage.body) for passage in passages] == [
            ("Title", "Lead."),
            ("Title › One", "Text."),
            ("Title › One › Deep", "More."),
            ("Title › Two", "End."),
        ]

    def test_a_long_section_is_cut_into_like_parts(self) -> None:
        paragraph = " ".join(["word"] * 49) + " end."
        passages = split(of("\n\n".join([paragraph] * 5)))
        assert [len(passage.body.split()) for passage in passages] == [150, 100]

    def test_an_introduction_stays_with_its_list(self) -> None:
        long = " ".join(["word"] * 150) + "."
        steps = "\n".join(f"{number}. {' '.join(['step'] * 14)}" for number in range(1, 5))
        passages = split(of(f"{long}\n\nDo this:\n\n{steps}"))
        assert passages[1].body.startswith("Do this:\n1. step")

    def test_a_sentence_longer_than_a_passage_is_cut_between_words(self) -> None:
        passages = split(of(" ".join(["word"] * 400)))
        assert [len(passage.body.split()) for passage in passages] == [180, 180, 40]
