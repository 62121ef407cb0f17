"""Train the head `names`: a linear-chain tagger of persons' names and postal addresses.

    PYTHONHASHSEED=0 python -m benchmarks.training.names --data DATA_PATH --vocabulary VOCAB_PATH

Needs `python-crfsuite` and `Faker` besides Steward. Sees the trained part of each file alone
(`benchmarks/personal_rows.py`) and sentences made here with Faker's names, streets and towns. Equal
data and seed give equal bytes.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import pairwise
from pathlib import Path

import pycrfsuite  # type: ignore[import-not-found] # of the training environment alone

from benchmarks.personal_rows import Row, chat, is_trained, messages, synthetic, tweets
from benchmarks.training.made_sentences import Names, made
from steward.base.language.name_features import (
    Lexicon,
    Token,
    crc_of,
    folded,
    tokens_of,
)
from steward.base.language.names import LABELS, LISTS, feature_rows, packed_form
from steward.base.language.shipped import pack

HEAD = Path("src/steward/base/language/heads/names.npz")
NAME_TYPES = frozenset({"PERSON", "person", "SECURITY_ANSWER"})
ADDRESS_TYPES = frozenset({"ADDRESS", "STREET_ADDRESS", "ZIP_CODE"})
PLACE_TYPES = frozenset({"GPE", "LOCATION"})
HIDDEN_PERCENT = 35
"""Share of listed names that training treats as unlisted, so that words around them count."""
LEAST_TEXTS = 3
"""Texts in which a word stands before it counts as usual."""
COMMON_TEXTS = 20
UNUSUAL_PERCENT = 25
"""Share of the usual words in fewer texts than that which training treats as unknown."""
LEAST_USES = 3
LEAST_WEIGHT = 0.02
RELUCTANCE: Mapping[str, float] = {"NAME": -1.0, "ADDRESS": -0.6}
"""Set where alarms on two of the live bots (HINT3 curekart, powerplay11) are 1.5 % at most."""
SETTINGS = {"c1": 0.12, "c2": 0.02, "max_iterations": 90, "feature.minfreq": LEAST_USES}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train and write the head."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the public data")
    parser.add_argument("--vocabulary", type=Path, required=True, help="vocab.txt of all-MiniLM-L6-v2")
    parser.add_argument("--out", type=Path, default=HEAD)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    if sys.flags.hash_randomization:
        parser.error("set PYTHONHASHSEED=0: some of Faker's lists come in the order of a set")
    content = train(asked.data, asked.vocabulary, random.Random(asked.seed))  # sampling, not secrecy
    asked.out.write_bytes(content)
    print(f"{asked.out}: {len(content):,} bytes")


def train(data: Path, vocabulary: Path, chance: random.Random) -> bytes:
    """Return the packed head."""
    names = Names.read()
    plain = list(ordinary(data, chance))
    usual = usual_words(plain, data)
    general = general_words(vocabulary)
    words: dict[str, Set[str]] = {
        "given": names.given,
        "surnames": names.surnames,
        "usual": set(usual),
        "general": set(general),
    }
    hidden = {word for word in sorted(names.given | names.surnames) if chance.randrange(100) < HIDDEN_PERCENT}
    rare = {
        word
        for word in sorted(usual)
        if usual[word] < COMMON_TEXTS and chance.randrange(100) < UNUSUAL_PERCENT
    }
    lexicon = lexicon_of(
        {
            "given": names.given - hidden,
            "surnames": names.surnames - hidden,
            "usual": set(usual) - rare,
            "general": set(general) - {word for word in general[6000:] if chance.randrange(100) < 12},
        }
    )
    trainer = pycrfsuite.Trainer(verbose=False)
    count = 0
    for row in [*labelled(data, names, chance), *plain, *made(names, general, chance)]:
        tokens, features = feature_rows(row.text, lexicon)
        if tokens:
            trainer.append(features, labels_of(tokens, row))
            count += 1
    trainer.set_params(SETTINGS)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "names.crfsuite"
        trainer.train(str(path))
        weights, transitions = read_model(path)
    print(f"{count:,} texts, {len(weights):,} features")
    arrays, facts = packed_form(weights, transitions, words, reluctance=RELUCTANCE)
    return pack(arrays, facts)


def ordinary(data: Path, chance: random.Random) -> Iterator[Row]:
    """Yield messages that hold nothing personal, as far as their source says."""
    for name, share in (("banking77_train", 0.45), ("clinc150_full_trainval", 0.6)):
        for row in messages(data, name):
            if is_trained(row.group) and chance.random() < share and not introduces(row.text):
                yield row


def introduces(text: str) -> bool:
    """Tell whether a message may name somebody, so that it's no example of the opposite."""
    low = f" {text.lower()} "
    return any(sign in low for sign in (" name", " call me", " called ", " calling ", " i'm ", " im ", "@"))


def labelled(data: Path, names: Names, chance: random.Random) -> Iterator[Row]:
    """Yield the trained parts of the labelled files, some twice with other names in them."""
    for row in synthetic(data):
        if is_trained(row.group):
            yield row
            yield renamed(row, names, chance)
    for row in tweets(data):
        if is_trained(row.group):
            yield row
    yield from turns(data, names, chance)


def turns(data: Path, names: Names, chance: random.Random) -> Iterator[Row]:
    """Yield typed turns, with other names: few people play in them, each hundreds of times.

    What they say of others isn't labelled, so a turn that holds a name of theirs unlabelled is left out.
    """
    rows = [row for row in chat(data) if is_trained(row.group)]
    known = {
        word
        for row in rows
        for start, end, kind in row.spans
        if kind in NAME_TYPES
        for word in row.text[start:end].lower().replace(".", " ").split()
        if word.isalpha() and len(word) > 2
    }
    for row in rows:
        spans = [span for span in row.spans if span[2] in NAME_TYPES]
        named = {place for start, end, _ in spans for place in range(start, end)}
        others = [
            token
            for token in tokens_of(row.text)
            if token.start not in named and is_name_like(token, row.text, known, names)
        ]
        if others:
            continue
        if spans:
            yield renamed(row, names, chance)
            yield renamed(row, names, chance)
        elif chance.random() < 0.6:
            yield row


def is_name_like(token: Token, text: str, known: set[str], names: Names) -> bool:
    """Tell whether an unlabelled word may be a name all the same."""
    lower = token.text.lower()
    listed = lower in names.given or lower in names.surnames
    return lower in known or (token.text[0].isupper() and listed and token.start > 0)


def renamed(row: Row, names: Names, chance: random.Random) -> Row:
    """Return a row with other names of the same length and case in place of its own."""
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    done = length = 0
    for start, end, kind in sorted(row.spans):
        if start < done:
            continue
        value = row.text[start:end]
        if kind in NAME_TYPES and value.replace(" ", "").replace(".", "").isalpha():
            value = names.like(value, chance)
        before = row.text[done:start]
        pieces += [before, value]
        spans.append((length + len(before), length + len(before) + len(value), kind))
        length += len(before) + len(value)
        done = end
    return Row("".join(pieces) + row.text[done:], tuple(spans), row.group)


def labels_of(tokens: Sequence[Token], row: Row) -> list[str]:
    """Return a label for each token; a town between two parts of an address belongs to it."""
    kinds = [""] * len(row.text)
    spans = sorted(row.spans)
    addresses = [span for span in spans if span[2] in ADDRESS_TYPES]
    for start, end, kind in spans:
        plain = "NAME" if kind in NAME_TYPES else "ADDRESS" if kind in ADDRESS_TYPES else ""
        if kind in PLACE_TYPES and any(0 <= start - near[1] <= 3 for near in addresses):
            plain = "ADDRESS"
        for place in range(start, end):
            kinds[place] = plain or kinds[place]
    for (_, end, _), (start, _, following) in pairwise(spans):
        near = 0 < start - end <= 3 and kinds[end - 1] == "ADDRESS"
        if near and following in ADDRESS_TYPES | PLACE_TYPES and kinds[start] == "ADDRESS":
            kinds[end:start] = ["ADDRESS"] * (start - end)
    starts = {start for start, _, kind in row.spans if kind in NAME_TYPES}
    labels: list[str] = []
    for token in tokens:
        kind = kinds[token.start]
        goes_on = bool(labels) and labels[-1][2:] == kind and token.start not in starts
        labels.append(f"{'I' if goes_on else 'B'}-{kind}" if kind else "O")
    return labels


def usual_words(rows: Sequence[Row], data: Path) -> Counter[str]:
    """Return words of ordinary messages, in lower case, by the number of texts that hold them."""
    found: Counter[str] = Counter()
    taken = [row for row in tweets(data) if is_trained(row.group)]
    taken += [row for row in chat(data) if is_trained(row.group)]
    for row in [*rows, *taken]:
        inside = {place for start, end, _ in row.spans for place in range(start, end)}
        found.update(
            {
                folded(token.text)
                for token in tokens_of(row.text)
                if token.text.islower() and token.start not in inside
            }
        )
    return Counter({word: count for word, count in found.items() if count >= LEAST_TEXTS})


def general_words(path: Path) -> list[str]:
    """Return whole words of a word-piece vocabulary, the frequent ones first."""
    pieces = path.read_text(encoding="utf-8").split("\n")
    return [piece for piece in pieces if len(piece) > 1 and piece.isalpha() and piece.isascii()]


def lexicon_of(words: Mapping[str, Set[str]]) -> Lexicon:
    """Return lists of words in the form the tagger asks."""
    return Lexicon({LISTS[name]: frozenset(map(crc_of, listed)) for name, listed in words.items()})


def read_model(path: Path) -> tuple[dict[str, list[float]], list[list[float]]]:
    """Return each feature's weights by label, and the transitions, of a trained model."""
    tagger = pycrfsuite.Tagger()
    tagger.open(str(path))
    info = tagger.info()
    places = {label: place for place, label in enumerate(LABELS)}
    weights: dict[str, list[float]] = {}
    for (feature, label), weight in info.state_features.items():
        weights.setdefault(feature, [0.0] * len(LABELS))[places[label]] = weight
    transitions = [[0.0] * len(LABELS) for _ in LABELS]
    for (one, other), weight in info.transitions.items():
        transitions[places[one]][places[other]] = weight
    for one in LABELS:
        for other in LABELS:
            if other[0] == "I" and one[2:] != other[2:]:
                transitions[places[one]][places[other]] = -100.0
    kept = {name: row for name, row in weights.items() if max(map(abs, row)) >= LEAST_WEIGHT}
    return kept, transitions


if __name__ == "__main__":
    main()
