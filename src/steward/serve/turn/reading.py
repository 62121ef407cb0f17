"""A message as it's understood: misspelt words put right, repetitions and hidden values left out.

Only understanding and search read this form. What is stored, masked, checked for risks by phrases
and shown stays as the customer wrote it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator

from steward.govern.privacy.tokens import TOKEN, with_invented_values

_GIVEN = re.compile(
    r"(?<!\w)(?:(?:i['’]?m|i am|this is|it['’]?s|name['’]?s|"
    r"my (?:full )?(?:name|number|phone|mobile|e-?mail|account|address|postcode|card|date of birth|dob)"
    r"(?: (?:number|address))? is|i live (?:at|in)|account(?: (?:number|no\.?))?:?|born(?: on)?|"
    r"ref(?:erence)?:?|from|at|to|on|for|by|with|of|about|in) ){0,2}"
    rf"{TOKEN.pattern}(?: (?:here|speaking|calling)\b)?[,;]?",
    re.IGNORECASE,
)
"""A hidden value with the words that do no more than give it."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_WORDS_OF_MATTER = 2
_LETTERS = re.compile(r"(?<![\w\[])[^\W\d_]{5,30}(?![\w\]])")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?\n])\s+")
_LONG = 400
"""Letters from which repeated sentences are looked for; shorter messages are left as they are."""
_LOOKED_AT = 4000
_COUNTS_AS_WORD = 2
"""Times that the examples write a word which no dictionary has before it's taken for one: "wifi"."""
_ENDINGS = ("s", "es", "d", "ed", "r", "er", "ers", "or", "y", "ly", "est", "ing", "able", "nt")
_INFLECTIONS = ("s", "d", "ed", "ing")
_TWO_MISTAKES_FROM = 8
"""Letters of a word from which two mistakes are put right; in a shorter word only one."""


class Reading:
    """Puts messages right with the words that an assistant's own examples use.

    A word is put right only if it's no word of its own and one of the examples' words is near: one
    letter added, lost, changed or swapped with its neighbour, or two in a long word. The first
    letter has to be the same; of two equally near words the longer is taken, as letters are more
    often left out than added. Candidates are found by what is left after leaving letters out
    (Garbe 2012, "1000x faster spelling correction", the SymSpell index).
    """

    def __init__(self, texts: Iterable[str], *, is_word: Callable[[str], bool]) -> None:
        """Learn the words of `texts`; `is_word` tells words that exist from misspelt ones."""
        words = Counter(word for text in texts for word in re.findall(r"[^\W\d_]{4,30}", text.lower()))
        self._is_word = is_word
        self._count = {word: count for word, count in words.items() if count >= _COUNTS_AS_WORD}
        self._count |= {word: count for word, count in words.items() if self._exists(word)}
        self._near: dict[str, list[str]] = defaultdict(list)
        for word in self._count:
            for shortened in _shortened(word):
                self._near[shortened].append(word)

    def read(self, text: str) -> str:
        """Return the message as it's understood."""
        text = matter_of(text)
        text = once_each(text)[:_LOOKED_AT] if len(text) > _LONG else text
        shouted = text.isupper()
        return _LETTERS.sub(lambda found: self._put_right(found, shouted=shouted), text)

    def _put_right(self, found: re.Match[str], *, shouted: bool) -> str:
        written = found.group()
        word = written.lower()
        if word in self._count or self._exists(word):
            return written
        if written[0].isupper() and found.start() > 0 and not shouted:
            return written  # a name as far as spelling tells
        plain = _STRETCHED.sub(r"\1", word)
        if plain != word and self._is_word(plain):
            return plain
        return self._nearest(plain) or written

    def _exists(self, word: str) -> bool:
        """Tell whether a word is one, or another form of one."""
        stems = {word, *(word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending))}
        forms = {form for stem in stems if len(stem) >= 4 for form in (stem, f"{stem}e", _undoubled(stem))}
        return any(
            known in self._count or self._is_word(known)
            for form in forms
            for known in (form, *(form + ending for ending in _INFLECTIONS))
        )

    def _nearest(self, word: str) -> str | None:
        candidates = {known for shortened in _shortened(word) for known in self._near.get(shortened, ())}
        allowed = 2 if len(word) >= _TWO_MISTAKES_FROM else 1
        measured = [
            (mistakes, -len(known), -self._count[known], known)
            for known in candidates
            if known[0] == word[0] and (mistakes := mistakes_between(word, known)) <= allowed
        ]
        return min(measured)[-1] if measured else None


def matter_of(text: str) -> str:
    """Return a masked message without its hidden values and the words that only give them.

    "I live at [ADDRESS_1] and there's no internet" isn't about an address. Where hardly a word is left the
    values are what it says: made-up ones stand in for them.
    """
    if "[" not in text:
        return text
    rest = " ".join(_GIVEN.sub(" ", text).split())
    return rest if len(_WORD.findall(rest)) >= _WORDS_OF_MATTER else with_invented_values(text)


def once_each(text: str) -> str:
    """Return a text without the sentences that stood in it before."""
    sentences = (sentence.strip() for sentence in _SENTENCE_END.split(text))
    return " ".join(dict.fromkeys(sentence for sentence in sentences if sentence))


def mistakes_between(word: str, other: str) -> int:
    """Count letters added, lost, changed and swapped with their neighbour (optimal string alignment)."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(word, 1):
        before, above, row = row, before, [at]
        for place, wanted in enumerate(other, 1):
            cost = min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != wanted))
            if at > 1 and place > 1 and letter == other[place - 2] and word[at - 2] == wanted:
                cost = min(cost, above[place - 2] + 1)
            row.append(cost)
    return row[-1]


def _undoubled(stem: str) -> str:
    return stem[:-1] if stem[-1] == stem[-2] else stem


def _shortened(word: str) -> Iterator[str]:
    """Yield a word with no, one or (in a long word) two letters left out."""
    once = {word[:at] + word[at + 1 :] for at in range(len(word))}
    yield word
    yield from once
    if len(word) >= _TWO_MISTAKES_FROM - 1:
        yield from {short[:at] + short[at + 1 :] for short in once for at in range(len(short))} - once
