"""Names and postal addresses in running text: a linear-chain tagger over words.

Words and what stands beside them give scores, a first-order chain joins them (Lafferty et al. 2001), and
Viterbi finds the best labels. A word's own scores are kept, so a usual message costs a few look-ups.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_lowercase
from typing import Any, Final

import numpy as np

from steward.base.language.errors import UnreadableHead
from steward.base.language.name_features import (
    GENERAL,
    GIVEN,
    KNOWN,
    SURNAME,
    Lexicon,
    Token,
    crc_of,
    joint_features,
    mood_of,
    neighbour_features,
    plain_form,
    tokens_of,
    word_features,
)
from steward.base.language.shipped import Packed, unpack

LABELS: Final = ("O", "B-NAME", "I-NAME", "B-ADDRESS", "I-ADDRESS")
REACH: Final = (-2, -1, 1, 2)
"""Offsets of the neighbours whose words speak for a label."""
LISTS: Final = {"given": GIVEN, "surnames": SURNAME, "usual": KNOWN, "general": GENERAL}
"""Lists of words in a head, and the signs they give."""
_WORDS_KEPT = 8_192
_FORM = 1

Scores = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Tagged:
    """A piece of a text that is a name or an address.

    Attributes:
        start: index of its first character.
        end: index after its last character.
        label: `NAME` or `ADDRESS`.
        margin: how far its words' scores favour their labels over none, summed; unbounded.
        signs: the signs of the lists that hold its words (`LISTS`), a string a word.
        has_digit: whether a number is part of it.
    """

    start: int
    end: int
    label: str
    margin: float
    signs: tuple[str, ...]
    has_digit: bool


class NameTagger:
    """The trained tagger of one release."""

    def __init__(
        self,
        weights: Mapping[str, Scores],
        transitions: Sequence[Scores],
        lexicon: Lexicon,
        *,
        reluctance: Mapping[str, float],
    ) -> None:
        """Take what training gave.

        Args:
            weights: each feature's score for each label.
            transitions: the score of going from one label (row) to another (column).
            lexicon: the lists of words.
            reluctance: what a word's score as `NAME` or `ADDRESS` is lowered by; less finds more.
        """
        self._weights = weights
        self._lexicon = lexicon
        self._reluctance = tuple(-reluctance.get(label[2:], 0.0) for label in LABELS)
        self._transitions = tuple(tuple(row) for row in transitions)
        self._word = lru_cache(maxsize=_WORDS_KEPT)(self._word_scores)

    @classmethod
    def from_bytes(cls, content: bytes) -> NameTagger:
        """Open the packed head `names`.

        Raises:
            UnreadableHead: the bytes are something else, or of another version.
        """
        packed = unpack("names", content)
        try:
            return cls(
                _weights(packed),
                [tuple(float(value) for value in row) for row in packed.arrays["transitions"]],
                _lexicon(packed),
                reluctance={str(name): float(value) for name, value in packed.facts["reluctance"].items()},
            )
        except (KeyError, ValueError, TypeError, UnicodeDecodeError) as error:
            raise UnreadableHead(reason="the bytes of 'names' are of another form") from error

    def tag(self, text: str) -> tuple[Tagged, ...]:
        """Return names and addresses in order, without overlaps; each within the text."""
        tokens = tokens_of(text)
        if not tokens:
            return ()
        emissions = self._emissions(tokens)
        labels = _best(emissions, self._transitions)
        if not any(labels):
            return ()
        return tuple(self._tagged(tokens, emissions, labels, stretch) for stretch in stretches(labels))

    def is_slip(self, word: str) -> bool:
        """Tell whether a word differs by one slip of the fingers from one of ordinary messages.

        A letter added, lost, changed or swapped with its neighbour; the first letter stays.
        """
        return any(KNOWN in self._lexicon.signs(other) for other in _one_slip_from(word.lower()))

    def _tagged(
        self,
        tokens: Sequence[Token],
        emissions: Sequence[Scores],
        labels: Sequence[int],
        stretch: tuple[int, int, str],
    ) -> Tagged:
        first, last, label = stretch
        inside = [token.text for token in tokens[first : last + 1]]
        return Tagged(
            tokens[first].start,
            tokens[last].end,
            label,
            _margin(emissions, labels, first, last),
            tuple(self._lexicon.signs(word) for word in inside if word[-1].isalpha()),
            any(word[0].isdigit() for word in inside),
        )

    def _emissions(self, tokens: Sequence[Token]) -> list[Scores]:
        mood = mood_of(tokens)
        words = [self._word(token.text, mood) for token in tokens]
        kinds = [plain_form(token.text, self._lexicon) for token in tokens]
        count = len(tokens)
        emissions: list[Scores] = []
        for place in range(count):
            parts = [words[place][0], self._reluctance]
            for slot, offset in enumerate(REACH, start=1):
                if 0 <= place + offset < count:
                    parts.append(words[place + offset][slot])
            for feature in joint_features(kinds, place, mood):
                found = self._weights.get(feature)
                if found is not None:
                    parts.append(found)
            emissions.append(tuple(map(math.fsum, zip(*parts, strict=True))))
        return emissions

    def _word_scores(self, word: str, mood: str) -> tuple[Scores, ...]:
        """Return a word's scores for its own place and, by `REACH`, for the places of its neighbours."""
        own = self._total(word_features(word, mood, self._lexicon))
        beside = neighbour_features(word, self._lexicon)
        # A word at offset +1 of a place is that place's neighbour on the right.
        return own, *(self._total([f"{offset}{feature}" for feature in beside]) for offset in REACH)

    def _total(self, features: Sequence[str]) -> Scores:
        found = [self._weights[feature] for feature in features if feature in self._weights]
        if not found:
            return (0.0,) * len(LABELS)
        return tuple(map(math.fsum, zip(*found, strict=True)))


def _one_slip_from(word: str) -> Iterator[str]:
    for at in range(1, len(word) + 1):
        before, after = word[:at], word[at:]
        if after:
            yield before + after[1:]
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        for letter in ascii_lowercase:
            yield before + letter + after
            if after:
                yield before + letter + after[1:]


def feature_rows(text: str, lexicon: Lexicon) -> tuple[list[Token], list[list[str]]]:
    """Return a text's tokens and each one's features, as training needs them."""
    tokens = tokens_of(text)
    mood = mood_of(tokens)
    kinds = [plain_form(token.text, lexicon) for token in tokens]
    beside = [neighbour_features(token.text, lexicon) for token in tokens]
    rows: list[list[str]] = []
    for place, token in enumerate(tokens):
        row = [*word_features(token.text, mood, lexicon), *joint_features(kinds, place, mood)]
        for offset in REACH:
            if 0 <= place + offset < len(tokens):
                row += [f"{offset}{feature}" for feature in beside[place + offset]]
        rows.append(row)
    return tokens, rows


def stretches(labels: Sequence[int]) -> list[tuple[int, int, str]]:
    """Return first token, last token and label of each stretch of labels other than O."""
    found: list[tuple[int, int, str]] = []
    for place, label in enumerate(labels):
        name = LABELS[label][2:]
        if not name:
            continue
        goes_on = place > 0 and LABELS[labels[place - 1]][2:] == name and LABELS[label][0] == "I"
        if goes_on and found:
            found[-1] = (found[-1][0], place, name)
        else:
            found.append((place, place, name))
    return found


def _best(emissions: Sequence[Scores], transitions: Sequence[Scores]) -> list[int]:
    """Return the best labels (Viterbi 1967)."""
    count = len(transitions)
    inward = tuple(zip(*transitions, strict=True))
    every = range(count)
    scores = list(emissions[0])
    back: list[list[int]] = []
    for emission in emissions[1:]:
        came: list[int] = []
        following: list[float] = []
        for label in every:
            steps = [score + step for score, step in zip(scores, inward[label], strict=True)]
            best = max(steps)
            came.append(steps.index(best))
            following.append(best + emission[label])
        scores = following
        back.append(came)
    label = scores.index(max(scores))
    labels = [label]
    for came in reversed(back):
        label = came[label]
        labels.append(label)
    labels.reverse()
    return labels


def _margin(emissions: Sequence[Scores], labels: Sequence[int], first: int, last: int) -> float:
    """Return how far the words' own scores favour their labels over none, summed over the stretch."""
    return math.fsum(
        emissions[place][labels[place]] - emissions[place][0] for place in range(first, last + 1)
    )


def _weights(packed: Packed) -> dict[str, Scores]:
    names = packed.arrays["features"].tobytes().decode().split("\t")
    scaled = packed.arrays["weights"].astype(np.float64) * float(packed.facts["scale"])
    if int(packed.facts["form"]) != _FORM or scaled.shape != (len(names), len(LABELS)):
        raise ValueError("another form")
    return dict(zip(names, map(tuple, scaled.tolist()), strict=True))


def _lexicon(packed: Packed) -> Lexicon:
    def marks(name: str) -> frozenset[int]:
        return frozenset(packed.arrays[name].tolist())

    return Lexicon({sign: marks(name) for name, sign in LISTS.items()})


def packed_form(
    weights: Mapping[str, Sequence[float]],
    transitions: Sequence[Sequence[float]],
    words: Mapping[str, Set[str]],
    *,
    reluctance: Mapping[str, float],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return arrays and facts that `NameTagger.from_bytes` reads, for `shipped.pack`.

    Args:
        weights: each feature's score for each label; kept in 8 bits of one scale.
        transitions: label by label.
        words: lower-case words of each of `LISTS`; kept as CRC-32.
        reluctance: as `NameTagger` takes it.
    """
    names = sorted(weights)
    table = np.array([weights[name] for name in names], np.float64)
    scale = float(np.abs(table).max()) / 127 or 1.0
    arrays: dict[str, Any] = {
        "features": np.frombuffer("\t".join(names).encode(), np.uint8),
        "weights": np.rint(table / scale).astype(np.int8),
        "transitions": np.array(transitions, np.float32),
    }
    for name in LISTS:
        arrays[name] = np.array(sorted({crc_of(word) for word in words[name]}), np.uint32)
    return arrays, {"form": _FORM, "scale": scale, "labels": list(LABELS), "reluctance": dict(reluctance)}
