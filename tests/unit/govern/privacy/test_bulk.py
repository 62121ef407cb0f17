"""Masking without a vault: the same whatever the chunks, the same in one process and in several."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steward.govern.privacy.bulk import LOOKAHEAD, SEGMENT, StreamMasker, mask_conversation, mask_many
from steward.govern.privacy.detection import Detector
from steward.govern.privacy.tokens import tokens_in

_DETECTOR = Detector()
_PIECES = st.sampled_from(
    [
        "jo@example.com",
        "4111 1111 1111 1111",
        "07700 900123",
        "GB82 WEST 1234 5698 7654 32",
        "[EMAIL_1]",
        "\n",
        " ",
        "my name is Maya Patel. ",
        "\u200b",
        "lorem ipsum dolor sit amet " * 40,
        "x" * 900,
        "7" * 300,
    ]
)
_TEXTS = st.lists(st.one_of(_PIECES, st.text(max_size=12)), max_size=40).map("".join)


def streamed(text: str, sizes: list[int]) -> str:
    masker, out, place = StreamMasker(_DETECTOR), [], 0
    for size in sizes:
        out.append(masker.feed(text[place : place + size]))
        place += size
    return "".join([*out, masker.feed(text[place:]), masker.close()])


class TestStreamMasker:
    @given(_TEXTS, st.lists(st.integers(0, 4_000), max_size=12))
    @settings(max_examples=15, deadline=None)
    def test_chunks_change_nothing(self, text: str, sizes: list[int]) -> None:
        assert streamed(text, sizes) == streamed(text, [])

    @given(_TEXTS)
    @settings(max_examples=10, deadline=None)
    def test_text_of_one_segment_is_masked_as_a_whole(self, text: str) -> None:
        short = text[: SEGMENT + LOOKAHEAD - 1]
        assert streamed(short, [3, 500]) == mask_conversation([short], _DETECTOR).texts[0]

    def test_value_across_every_place_of_a_cut_is_masked(self) -> None:
        for place in range(SEGMENT - 40, SEGMENT + LOOKAHEAD + 20, 61):
            text = "w " * (place // 2) + "card 4111 1111 1111 1111 and jo@example.com " + "w " * 600
            masked = streamed(text, [1_000] * 12)
            assert "[CARD_1]" in masked
            assert "[EMAIL_1]" in masked
            assert "1111" not in masked

    @pytest.mark.parametrize("place", [SEGMENT - 900, SEGMENT - 300, SEGMENT - 40])
    def test_value_longer_than_what_is_looked_ahead_goes_whole(self, place: int) -> None:
        lines = "\n".join(f"MIIEowIBAAKCAQEA{number:048d}" for number in range(40))
        key = f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----"
        text = "w " * (place // 2) + key + " and more" * 700
        masked = streamed(text, [1_000] * 12)
        assert masked == "w " * (place // 2) + "[API_KEY_1]" + " and more" * 700

    def test_value_is_told_by_words_before_every_place_of_a_cut(self) -> None:
        for place in range(SEGMENT - LOOKAHEAD - 20, SEGMENT + 20, 7):
            text = "w" * place + " my password is hunter2 and" + " w" * 900
            assert streamed(text, []).count("[PASSWORD_1]") == 1
            assert "hunter2" not in streamed(text, [])

    def test_holds_back_no_more_than_a_segment(self) -> None:
        masker = StreamMasker(_DETECTOR)
        given_out = sum(len(masker.feed("some words here ")) for _ in range(5_000))
        assert 16 * 5_000 - given_out < SEGMENT + LOOKAHEAD

    def test_counts_what_was_replaced(self) -> None:
        masker = StreamMasker(_DETECTOR)
        masker.feed("jo@example.com and jo@example.com")
        assert masker.close() == "[EMAIL_1] and [EMAIL_1]"
        assert masker.counts == {"EMAIL": 2}


class TestMaskConversation:
    def test_value_in_pieces_over_two_messages(self) -> None:
        found = mask_conversation(["my card is 4929", "1847 3650 2818", "thanks"], _DETECTOR)
        assert not any(letter.isdigit() for text in found.texts for letter in text.split("[")[0])
        assert all(tokens_in(text) for text in found.texts[:2])
        assert found.texts[2] == "thanks"

    def test_same_value_is_the_same_token_in_all_messages(self) -> None:
        found = mask_conversation(["mail jo@example.com", "yes, JO@EXAMPLE.COM"], _DETECTOR)
        assert found.texts == ("mail [EMAIL_1]", "yes, [EMAIL_1]")
        assert found.counts == {"EMAIL": 2}


class TestMaskMany:
    def test_processes_give_what_one_gives_in_order(self) -> None:
        conversations = [(f"mail person{number}@example.com", "thanks") for number in range(150)]
        alone = list(mask_many(conversations, Detector))
        assert list(mask_many(iter(conversations), Detector, processes=2)) == alone
        assert {found.texts for found in alone} == {("mail [EMAIL_1]", "thanks")}

    def test_reads_only_as_far_as_needed(self) -> None:
        read = []

        def endless() -> Iterator[tuple[str]]:
            while True:
                read.append(1)
                yield ("hello",)

        assert next(mask_many(endless(), Detector)).texts == ("hello",)
        assert len(read) == 1
