"""Turns texts into the token ids that MiniLM was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tokenizers import Tokenizer

from steward.base.language.errors import TokenizerAltered

# sentence_bert_config.json of the published model: longer texts are cut.
MAX_TOKENS = 256
# A sentence whose ids tell this vocabulary from others: lower case, accents, digits, word pieces.
_PROBE = "Café: my Wi-Fi's down since 9:05, refund £42!"
# fmt: off
_PROBE_IDS = (
    101, 7668, 1024, 2026, 15536, 1011, 10882, 1005, 1055, 2091, 2144, 1023,
    1024, 5709, 1010, 25416, 8630, 1069, 20958, 999, 102,
)
# fmt: on


class WordPieces:
    """The tokenizer, cutting at 256 tokens and never padding."""

    def __init__(self, path: Path) -> None:
        """Read `tokenizer.json`.

        Raises:
            TokenizerAltered: it isn't the published tokenizer.
        """
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)
        if tuple(self._tokenizer.encode(_PROBE).ids) != _PROBE_IDS:
            raise TokenizerAltered(path)

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, start and end marks included."""
        # Half of a surrogate pair has no UTF-8 form, and the tokenizer takes nothing else.
        readable = [text.encode("utf-8", "replace").decode() for text in texts]
        if len(readable) == 1:
            # One text isn't worth waking the tokenizer's own threads.
            return [self._tokenizer.encode(readable[0]).ids]
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(readable)]

    def is_word(self, word: str) -> bool:
        """Tell whether a lower-case word stands whole in the vocabulary."""
        return self._tokenizer.token_to_id(word) is not None
