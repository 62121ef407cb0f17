from __future__ import annotations

import numpy as np
import pytest

from steward.base.language.lexical import (
    Postings,
    Vocabulary,
    letter_pieces,
    words_and_pairs,
)

TEXTS = ["my card was charged twice", "my internet is down", "the card is lost", "twice twice down"]


class TestWordsAndPairs:
    def test_gives_words_then_neighbours(self) -> None:
        assert words_and_pairs("My Card's lost") == ["my", "card", "s", "lost", "my card", "card s", "s lost"]


class TestLetterPieces:
    def test_marks_the_borders_of_words(self) -> None:
        assert letter_pieces("abc d") == [" ab", "abc", "bc ", " abc", "abc ", " d "]

    def test_shares_most_pieces_with_a_typo(self) -> None:
        right, typo = set(letter_pieces("password")), set(letter_pieces("pasword"))
        assert len(right & typo) / len(right) >= 0.5


class TestPostings:
    def test_one_text_against_all_equals_all_against_all(self) -> None:
        vocabulary = Vocabulary.learn(letter_pieces, TEXTS, least_texts=1)
        rows = [vocabulary.row(text) for text in TEXTS]
        postings = Postings.collect(rows, len(vocabulary.terms))
        everything = np.zeros((4, 4), np.float32)
        postings.add_all_similarities(everything, factor=1)
        for place, row in enumerate(rows):
            found = postings.similarities(row)[: place + 1]
            np.testing.assert_allclose(found, everything[place, : place + 1], atol=1e-6)
        np.testing.assert_allclose(np.diag(everything), 1, atol=1e-6)

    def test_a_text_of_unknown_words_is_like_none(self) -> None:
        vocabulary = Vocabulary.learn(words_and_pairs, TEXTS, least_texts=1)
        postings = Postings.collect([vocabulary.row(text) for text in TEXTS], len(vocabulary.terms))
        assert postings.similarities(vocabulary.row("zzz")).tolist() == [0, 0, 0, 0]


class TestVocabulary:
    def test_leaves_out_what_too_few_texts_hold(self) -> None:
        vocabulary = Vocabulary.learn(words_and_pairs, TEXTS, least_texts=2)
        assert set(vocabulary.terms) == {"card", "down", "is", "my", "twice"}

    def test_rows_have_length_one(self) -> None:
        row = Vocabulary.learn(words_and_pairs, TEXTS, least_texts=1).row(TEXTS[0])
        assert float(np.dot(row.weights, row.weights)) == pytest.approx(1)
