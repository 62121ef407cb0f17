"""Words that decide: a folder's phrases, and orders to the assistant that nobody else would write."""

# ruff: noqa: E501 - patterns stay whole
from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

ORDERS: Final = re.compile(
    r"(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|earlier|all|your|the|any|my|these)\b"
    r".{0,20}\b(?:instructions?|rules?|prompts?|guidelines?|directions?|orders|restrictions|programming)"
    r"|\b(?:system|developer|hidden|initial|original)\s+(?:prompt|instructions?|message)\b"
    r"|\byou\s+are\s+(?:now|no\s+longer)\b.{0,40}\b(?:ai|assistant|bot|dan|mode|unrestricted|developer|jailbr\w+|free)\b"
    r"|\b(?:jailbreak|do\s+anything\s+now|developer\s+mode|dan\s+mode|god\s+mode)\b"
    r"|\b(?:reveal|print|show|repeat|output|tell\s+me|write\s+out)\b.{0,30}\b(?:your|the)\b.{0,15}"
    r"\b(?:instructions|prompt|rules\s+you|configuration|guidelines)\b"
    r"|\b(?:list|show|give|dump|export|output|print|send)\b.{0,40}\b(?:every|all|other|another|your)\s+(?:\w+\s+){0,2}"
    r"(?:customers?|users?|subscribers?)\b(?:['’]s?)?.{0,60}"
    r"\b(?:names?|numbers?|details?|data|cards?|addresse?s?|e-?mails?|passwords?|accounts?|records?)\b"
    r"|\b(?:answer|respond|reply|say|write|complete)\b.{0,20}\b(?:only|exactly|just|nothing\s+but)\b.{0,15}"
    r"\b(?:with|this|the\s+(?:words?|sentence|following))\b"
    r"|\b(?:role-?\s?play|act\s+as\s+(?:if|though)|imagine)\b.{0,30}\byou(?:['’]re|\s+(?:are|were|have))\b"
    r"|\bpretend\s+(?:that\s+)?(?:i|you|we|the|this|to)\b"
    r"|^\W*(?:system|developer|admin(?:istrator)?|assistant)\s*:"
    r"|\b(?:give|show|tell|send|read)\b.{0,20}\b(?:personal|private|customer)\s+(?:details|data|information)\s+"
    r"(?:of|for|about|on)\b(?!\s+(?:my|me|us|our))"
    r"|</?\s*(?:passages?|conversation|system|instructions?|customer)\b[^>]{0,80}>"
    r"|\[/?(?:INST|SYSTEM)\]|<\|[a-z_]{2,20}\|>",
    re.IGNORECASE | re.DOTALL,
)
"""What customers seldom write; it counts unless the trained head is sure of the opposite."""

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
_BEGINNINGS: Final = frozenset(
    "igno verg miss umge nege omzi omze glöm glem bort oubl cont olvi omit esqu desc dime dime zign zapo pomi tali kura komu "
    "fele hagy unoh ohit bỏ quên abai lupa zeig nenn verr wied gib mont révè affi répè mues reve repi dime most rive ripe repi "
    "toon onth herh visa avsl poka ujaw wypi uită uita sist".split()
)
"""How a word begins that opens one of the orders in Latin letters: most messages have none and are done."""
_WORD = re.compile(r"[^\W\d_]+")
_ANY_WORD = re.compile(r"<\|\w+\|>|\w+")


def orders_in_other_languages(text: str) -> bool:
    """Tell whether a text orders to forget the rules, or to show them, in a language other than English."""
    lowered = text.lower()
    if not _BEGINNINGS.isdisjoint([word[:4] for word in _WORD.findall(lowered)]) and _LATIN.search(text):
        return True
    return not text.isascii() and _OTHER.search(text) is not None


class Phrases:
    """Phrases found as whole words, in any case and whatever stands between the words."""

    def __init__(self, phrases: Sequence[str]) -> None:
        self._phrases = tuple(dict.fromkeys(in_plain_words(phrase) for phrase in phrases))

    def are_in(self, plain: str) -> bool:
        """Tell whether a text holds one of them; `plain` is the text from `in_plain_words`."""
        return any(phrase in plain for phrase in self._phrases)


def in_plain_words(text: str) -> str:
    """Return a text's words in lower case with one space around each."""
    return f" {' '.join(_ANY_WORD.findall(text.lower()))} "
