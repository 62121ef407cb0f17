"""Telling English from other languages by script and by everyday words.

Enough to answer politely or to hand over; a message that is too short to tell counts as English.
The word lists are the most frequent function words of each language that English doesn't share.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

_WORD = re.compile(r"[^\W\d_]+")
_WORDS = {
    "en": """the a an and i my is it to of you your for in on was with have has had this that not but me
        do does can we be are at what how why when where which please thanks hi hello from by as if
        or get got been would could there they will just no so about now still any never again need
        want help did am want""",
    "de": """der die das und ich mein meine ist nicht ein eine einen mit für auf wie wir sie bitte habe
        hat wurde warum zu von mir kann wann wo noch schon aber auch keine kein bei dem den zweimal
        diesen hallo danke möchte meinen rechnung funktioniert""",
    "fr": """le la les et je mon ma mes est pas un une des pour avec sur vous nous que qui dans ai été ce
        cette pourquoi comment bonjour merci ne plus mois fois deux facture du au aux veux suis""",
    "es": """el la los las y yo mi mis es no un una para con por que en he ha este esta porque cómo hola
        gracias dos veces factura mes puedo quiero tengo del al se me ha sido cobrado""",
    "it": """il lo la gli e io mio mia è non un una per con che in ho stato questo questa perché come
        ciao grazie due volte fattura mese posso vorrei sono della nel mi""",
    "pt": """o os as e eu meu minha é não um uma para com por que em fui foi este esta porque como olá
        obrigado duas vezes fatura mês posso quero tenho do da no na me""",
    "nl": """de het een en ik mijn is niet voor met op dat die wat hoe waarom ben heb heeft deze dit
        maand keer twee rekening hallo dank kan wil zijn er aan van""",
    "pl": """i w na nie się jest mój moja że do z za jak dlaczego czy mam został dwa razy rachunek proszę
        dzień dobry dziękuję mogę chcę ten w tym""",
    "sv": """och jag min är inte en ett för med på att det som har blivit varför hur hej tack två gånger
        faktura kan vill den detta""",
    "tr": """ve bir bu için ile değil ben benim neden nasıl merhaba teşekkürler iki kez fatura var yok mı
        istiyorum""",
}
_VOCABULARY = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_SCRIPTS = {
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "THAI": "th",
    "HANGUL": "ko",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "CJK": "zh",
    "TAMIL": "ta",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "TELUGU": "te",
}
_LOOKED_AT = 600
_LETTERS_TO_TELL = 2


def language_of(text: str) -> str | None:
    """Return the ISO 639-1 code of a language that isn't English, or None for English or too little text."""
    looked_at = text[:_LOOKED_AT]
    if not looked_at.isascii() and (code := _by_script(looked_at)):
        return code
    words = [word.lower() for word in _WORD.findall(looked_at)]
    if len(words) < 3:
        return None
    scores = {
        language: sum(word in vocabulary for word in words) for language, vocabulary in _VOCABULARY.items()
    }
    english = scores.pop("en")
    best = max(scores, key=lambda language: scores[language])
    return best if scores[best] >= 2 and scores[best] > english + len(words) * 0.1 else None


def _by_script(text: str) -> str | None:
    scripts = Counter(
        unicodedata.name(letter, "").split(" ")[0].split("-")[0] for letter in text if letter.isalpha()
    )
    letters = sum(scripts.values())
    foreign = {name: count for name, count in scripts.items() if name in _SCRIPTS}
    if sum(foreign.values()) < max(_LETTERS_TO_TELL, letters * 0.4):
        return None
    if foreign.get("HIRAGANA", 0) + foreign.get("KATAKANA", 0):
        return "ja"
    return _SCRIPTS[max(foreign, key=lambda name: foreign[name])]
