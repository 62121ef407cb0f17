"""Words that decide: a folder's phrases, and orders to the assistant that nobody else would write.

Patterns over long messages are what costs most here, so each is run only where the words are there without
which it cannot match.
"""

# ruff: noqa: E501 - patterns stay whole
from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from typing import Final, Self

from steward.base.language.word_groups import words_of

_ANY_WORD = re.compile(r"<\|\w+\|>|\w+")
_WHOLE_WORD = re.compile(r"\w+")
_LETTERS_OF_TWO_KINDS = re.compile("[ıſİ\u212a]")
"""Letters that a pattern without case takes for i, s and k."""


@dataclass(frozen=True, slots=True)
class Wording:
    """A text in the forms that rules look at, made once."""

    text: str
    lowered: str
    plain: str
    """The words in lower case with one space around each."""
    words: frozenset[str]
    """Those words; an empty one where there are none."""
    terms: list[str]
    """The words as trained heads know them."""
    tells_all: bool
    """Whether a pattern that needs a word finds it in `words` and `lowered`."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Take a text apart."""
        lowered = text.lower()
        marked = "<|" in lowered
        found = (_ANY_WORD if marked else _WHOLE_WORD).findall(lowered)
        return cls(
            text=text,
            lowered=lowered,
            plain=f" {' '.join(found)} ",
            words=frozenset(found or ("",)),
            terms=words_of(text),
            tells_all=not marked and (text.isascii() or _LETTERS_OF_TWO_KINDS.search(text) is None),
        )


@dataclass(frozen=True, slots=True)
class _Order:
    """A pattern, and what has to be there for it: a word of each set, and one of the parts of words."""

    pattern: re.Pattern[str]
    words: tuple[frozenset[str], ...] = ()
    parts: tuple[str, ...] = ()

    def is_in(self, wording: Wording) -> bool:
        if wording.tells_all:
            for words in self.words:
                if words.isdisjoint(wording.words):
                    return False
            if self.parts and not any(part in wording.lowered for part in self.parts):
                return False
        return self.pattern.search(wording.text) is not None


def _order(pattern: str, *words: str, parts: str = "") -> _Order:
    compiled = re.compile(pattern, re.IGNORECASE | re.DOTALL)
    return _Order(compiled, tuple(frozenset(some.split()) for some in words), tuple(parts.split()))


_ORDERS: Final = (
    _order(
        r"(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|earlier|all|your|the|any|my|these)\b"
        r".{0,20}\b(?:instructions?|rules?|prompts?|guidelines?|directions?|orders|restrictions|programming)",
        "previous prior above earlier all your the any my these",
        parts="ignore disregard forget override bypass",
    ),
    _order(
        r"\b(?:system|developer|hidden|initial|original)\s+(?:prompt|instructions?|message)\b",
        "prompt instruction instructions message", "system developer hidden initial original",
    ),
    _order(
        r"\byou\s+are\s+(?:now|no\s+longer)\b.{0,40}\b(?:ai|assistant|bot|dan|mode|unrestricted|developer|jailbr\w+|free)\b",
        "now longer", "you", "are",
    ),
    _order(r"\b(?:jailbreak|do\s+anything\s+now|developer\s+mode|dan\s+mode|god\s+mode)\b", "jailbreak anything mode"),
    _order(
        r"\b(?:reveal|print|show|repeat|output|tell\s+me|write\s+out)\b.{0,30}\b(?:your|the)\b.{0,15}"
        r"\b(?:instructions|prompt|rules\s+you|configuration|guidelines)\b",
        "instructions prompt rules configuration guidelines", "reveal print show repeat output tell write", "your the",
    ),
    _order(
        r"\b(?:list|show|give|dump|export|output|print|send)\b.{0,40}\b(?:every|all|other|another|your)\s+(?:\w+\s+){0,2}"
        r"(?:customers?|users?|subscribers?)\b(?:['’]s?)?.{0,60}"
        r"\b(?:names?|numbers?|details?|data|cards?|addresse?s?|e-?mails?|passwords?|accounts?|records?)\b",
        "customer customers user users subscriber subscribers", "list show give dump export output print send",
    ),
    _order(
        r"\b(?:answer|respond|reply|say|write|complete)\b.{0,20}\b(?:only|exactly|just|nothing\s+but)\b.{0,15}"
        r"\b(?:with|this|the\s+(?:words?|sentence|following))\b",
        "answer respond reply say write complete", "only exactly just nothing",
    ),
    _order(
        r"\b(?:role-?\s?play|act\s+as\s+(?:if|though)|imagine)\b.{0,30}\byou(?:['’]re|\s+(?:are|were|have))\b",
        "roleplay play act imagine", "you",
    ),
    _order(r"\bpretend\s+(?:that\s+)?(?:i|you|we|the|this|to)\b", "pretend"),
    _order(
        r"^\W*(?:system|developer|admin(?:istrator)?|assistant)\s*:",
        "system developer admin administrator assistant", parts=":",
    ),
    _order(
        r"\b(?:give|show|tell|send|read)\b.{0,20}\b(?:personal|private|customer)\s+(?:details|data|information)\s+"
        r"(?:of|for|about|on)\b(?!\s+(?:my|me|us|our))",
        "personal private customer", "details data information", "give show tell send read",
    ),
    _order(r"</?\s*(?:passages?|conversation|system|instructions?|customer)\b[^>]{0,80}>", parts="<"),
    _order(r"\[/?(?:INST|SYSTEM)\]|<\|[a-z_]{2,20}\|>", parts="[ <|"),
)  # fmt: skip

_IN_LATIN_LETTERS: Final = (
    # German, Dutch, Swedish, Danish, French, Spanish, Portuguese, Italian, Romanian, Polish, Czech, Turkish, Hungarian,
    # Finnish, Vietnamese, Indonesian
    r"(?:ignorier\w*|vergiss|vergessen sie|missachte\w*|umgehe?)\b.{0,40}(?:anweisung|regel|befehl|vorgabe|richtlinie|prompt)",
    r"(?:negeer|vergeet|omzeil)\b.{0,40}(?:instructie|regel|opdracht|richtlijn|prompt)",
    r"(?:ignorer\w*|glöm\w*|glem\w*|bortse)\b.{0,40}(?:instruktion|instruks|regle|regler|prompt)",
    r"(?:ignore[zrs]?|oublie[zrs]?|contourne[zr]?)\s+(?:toutes\s+)?(?:les|tes|vos|ces|mes)\b.{0,30}(?:instruction|règle|consigne|directive)",
    r"(?:ignor[ae]|olvid[ae]|omit[ae])\b.{0,40}(?:instruccion|reglas|órdenes|indicaciones)",
    r"(?:ignor[ea]|esque[çc]a|desconsidere)\b.{0,40}(?:instruç|instrucoes|regras|ordens)",
    r"(?:ignora|dimentica)\b.{0,40}(?:istruzion|regole|ordini)",
    r"(?:ignoră|ignora|uită)\b.{0,40}(?:instrucțiun|reguli)",
    r"(?:z?ignoruj|zapomnij|pomiń)\b.{0,40}(?:instrukcj|poleceni|zasad|reguł)",
    r"(?:ignoruj|zapomeň)\b.{0,40}(?:instrukc|pokyn|pravid)",
    r"(?:talimat|kural|komut)\w*\b.{0,30}(?:yok say|unut|görmezden)",
    r"(?:felejtsd el|hagyd figyelmen kívül)\b.{0,40}(?:utasítás|szabály)",
    r"(?:unohda|ohita)\b.{0,40}(?:ohje|sään)",
    r"(?:bỏ qua|quên)\b.{0,40}(?:hướng dẫn|chỉ dẫn|quy tắc)",
    r"(?:abaikan|lupakan)\b.{0,40}(?:instruksi|perintah|aturan)",
    r"(?:zeig\w*|nenn\w*|verrat\w*|wiederhol\w*|gib)\b.{0,30}(?:systemprompt|system-prompt|geheime\w* (?:anweisung|regel)|deine (?:anweisung|instruktion))",
    r"(?:montre|révèle|affiche|répète)\w*\b.{0,30}(?:prompt|instructions (?:cachées|secrètes|initiales)|tes (?:instructions|consignes))",
    r"(?:muestra|revela|repite|dime)\w*\b.{0,30}(?:prompt|instrucciones (?:ocultas|secretas|iniciales)|tus instrucciones)",
    r"(?:mostra\w*|rivela|ripeti|revele|repita)\b.{0,30}(?:prompt|istruzioni|suas instru)",
    r"(?:toon|onthul|herhaal)\b.{0,30}(?:systeemprompt|je instructies)",
    r"(?:visa|avslöja)\b.{0,30}(?:systemprompt|dina instruktioner)",
    r"(?:pokaż|ujawnij|wypisz)\b.{0,30}(?:systemow|swoje instrukcje|prompt)",
)  # fmt: skip
_IN_OTHER_LETTERS: Final = (
    # Russian, Ukrainian, Greek, Arabic, Hebrew, Persian, Hindi, Chinese, Japanese, Korean
    r"(?:игнорируй\w*|забудь\w*|проигнорируй\w*)\b.{0,40}(?:инструкци|правил|указани|промпт)",
    r"(?:ігноруй\w*|забудь\w*)\b.{0,40}(?:інструкці|правил|вказівк)",
    r"(?:αγνόησε|ξέχνα)\b.{0,40}(?:οδηγί|κανόν|εντολ)",
    r"(?:تجاهل|انسَ?|تخطى).{0,40}(?:تعليمات|القواعد|الأوامر|قواعد)",
    r"(?:התעלם|שכח).{0,40}(?:הוראות|כללים)",
    r"(?:نادیده بگیر|فراموش کن)",
    r"(?:निर्देश|नियम).{0,30}(?:अनदेखा|भूल|नज़रअंदाज़)",
    r"(?:忽略|无视|忘记|忘掉|無視|忽視).{0,15}(?:指令|指示|规则|規則|提示|命令|设定)",
    r"(?:指示|命令|ルール|規則|プロンプト).{0,12}(?:無視|忘れ)",
    r"(?:지시|명령|규칙|프롬프트).{0,10}(?:무시|잊)",
    r"(?:покажи|раскрой|выведи|повтори)\b.{0,30}(?:промпт|систем\w* (?:подсказ|инструкц|сообщен)|свои инструкции)",
    r"(?:系统提示|系統提示|システムプロンプト|시스템 프롬프트|تعليمات النظام|सिस्टम प्रॉम्प्ट|sistem (?:komut|istem))",
)  # fmt: skip
_LATIN: Final = re.compile("|".join(_IN_LATIN_LETTERS), re.IGNORECASE)
_OTHER: Final = re.compile("|".join(_IN_OTHER_LETTERS), re.IGNORECASE)
_OBJECTS: Final = (
    "instru", "istruz", "prompt", "regel", "regle", "règle", "regla", "regra", "regole", "reguli", "reguł", "anweisung", "befehl",
    "vorgabe", "richtli", "opdracht", "consigne", "directive", "rdenes", "indicacion", "ordens", "ordini", "poleceni", "zasad",
    "pokyn", "pravid", "talimat", "kural", "komut", "utasítás", "szabály", "ohje", "sään", "hướng dẫn", "chỉ dẫn", "quy tắc",
    "perintah", "aturan", "systemow",
)  # fmt: skip
"""Parts of words of which each order in Latin letters has one: most messages have none and are done."""
_BEGINNINGS: Final = frozenset(
    "igno verg miss umge nege omzi omze glöm glem bort oubl cont olvi omit esqu desc dime dime zign zapo pomi tali kura komu "
    "fele hagy unoh ohit bỏ quên abai lupa zeig nenn verr wied gib mont révè affi répè mues reve repi dime most rive ripe repi "
    "toon onth herh visa avsl poka ujaw wypi uită uita sist".split()
)
"""How a word begins that opens one of the orders in Latin letters; nothing else is taken for an order."""
_LONGEST_NONSENSE: Final = 120
_MOST_STRINGS: Final = 6
_MOST_LETTERS: Final = 24
_LETTERS_ONLY = re.compile(r"[^\W\d_]+")
_OTHER_LETTERS = re.compile("[\u0370-\u1fff\u2e80-\U0010ffff]")


def gives_orders(wording: Wording) -> bool:
    """Tell whether a text holds what customers seldom write; it counts unless the trained head is sure of the opposite."""
    return any(order.is_in(wording) for order in _ORDERS)


def orders_in_other_languages(wording: Wording) -> bool:
    """Tell whether a text orders to forget the rules, or to show them, in a language other than English."""
    return _orders_in_latin_letters(wording) or _orders_in_other_letters(wording)


def _orders_in_latin_letters(wording: Wording) -> bool:
    lowered = wording.lowered
    if wording.tells_all and not any(part in lowered for part in _OBJECTS):
        return False
    beginnings = {word[:4] for word in _LETTERS_ONLY.findall(lowered)}
    return not _BEGINNINGS.isdisjoint(beginnings) and _LATIN.search(wording.text) is not None


def _orders_in_other_letters(wording: Wording) -> bool:
    text = wording.text
    if text.isascii() or not (
        _OTHER_LETTERS.search(text) or "sistem" in wording.lowered or not wording.tells_all
    ):
        return False
    return _OTHER.search(text) is not None


def says_nothing(text: str, is_word: Callable[[str], bool]) -> bool:
    """Tell whether a text is a few letters with no word among them: a fist on the keys, no order.

    Letters are taken without their marks, as the encoder reads them; texts in other than Latin letters, and
    those that are written letter by letter at length, are none of it.
    """
    if len(text) > _LONGEST_NONSENSE:
        return False
    plain = "".join(filterfalse(unicodedata.combining, unicodedata.normalize("NFKD", text.lower())))
    strings = set(_LETTERS_ONLY.findall(plain))
    letters = "".join(strings)
    if (
        len(strings) > _MOST_STRINGS
        or len(letters) > _MOST_LETTERS
        or any(letter > "\u024f" for letter in letters)
    ):
        return False
    return not any(len(string) > 1 and is_word(string) for string in strings)


class Phrases:
    """Phrases of one group or several, found as whole words, in any case and whatever stands between them."""

    def __init__(self, *groups: Sequence[str]) -> None:
        self._by_word: dict[str, list[tuple[int, str]]] = {}
        for group, phrases in enumerate(groups):
            for plain in dict.fromkeys(map(in_plain_words, phrases)):
                telling = max(plain.split(), key=len, default="")
                self._by_word.setdefault(telling, []).append((group, plain))

    def first_in(self, wording: Wording) -> int | None:
        """Return the place of the first group that a text holds a phrase of."""
        found = [
            group
            for word in self._by_word.keys() & wording.words
            for group, phrase in self._by_word[word]
            if phrase in wording.plain
        ]
        return min(found, default=None)


def in_plain_words(text: str) -> str:
    """Return a text's words in lower case with one space around each."""
    return f" {' '.join(_ANY_WORD.findall(text.lower()))} "
