"""Names that somebody introduces: "my name is …", "this is … speaking", titles, sign-offs.

Only what the words around it announce is taken; names that stand alone are a tagger's work.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from steward.govern.privacy.contracts import Kind
from steward.govern.privacy.scanning import Candidate, Rank, Scan, squeezed, word_set

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['-](?=[^\W\d_])){0,29}")
_GAP = re.compile(r"\.? {1,2}")
_PARTICLES = word_set("van von de der den del della di da dos du la le el al bin ibn ter ten mac mc")
_STATED = re.compile(
    r"\b(?:(?:full|first|last|middle|real|given|family)\s)?(?:name|surname|forename)s?"
    r"(?:\s(?:on|for)\s(?:the|my|this)\s[a-z]{1,12}\b)?(?:'s\b|s\b|\sis\b|\swas\b|\s?[:=-])\s{0,2}"
    r"(?:is\s|actually\s|called\s)?"
    r"|\b(?:i\s?am|i'?m|he'?s|she'?s|is)\s(?:called|named)\s|\bcall\sme\s",
    re.IGNORECASE,
)
_PRESENTED = re.compile(
    r"\b(?:i'?m|i\sam|im|this\sis|it'?s|here\sis|speaking\s(?:to|with)|spoke\s(?:to|with))\s{1,2}",
    re.IGNORECASE,
)
_SPEAKING = re.compile(
    r"\b(?:this\sis|it'?s|it\sis)\s{1,2}(?P<name>[^\W\d_][\w'-]{1,29}(?:\s[^\W\d_][\w'-]{1,29}){0,2}?)\s(?:speaking|here|calling)\b",
    re.IGNORECASE,
)
_TITLED = re.compile(r"\b(?P<title>mr|mrs|ms|mx|dr|prof|professor|miss|sir|madam)\b\.?\s{1,2}", re.IGNORECASE)
_HELD = re.compile(
    r"\b(?:account\sholder(?:\sis|'s\sname\sis|:)?|belongs\sto|registered\sto|in\sthe\sname\sof"
    r"|under\sthe\sname(?:\sof)?|on\sbehalf\sof"
    r"|my\s(?:husband|wife|partner|son|daughter|mother|mum|mom|father|dad|brother|sister|friend|boss|colleague"
    r"|flatmate|landlord|neighbou?r|client|grandmother|grandfather|carer),?(?:\sis)?)\s{1,2}",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"(?:\b(?:(?:best|kind|many|warm)\s)?(?:thanks|thank\syou|thx|regards|best|cheers|sincerely|faithfully"
    r"|yours|wishes|love|ta)\b[ ,.!-]{0,3}(?:\n\s{0,4}|\s)"
    r"|\n\s{0,4}[-–—~]{1,2}\s?)(?P<name>[^\W\d_][\w'.-]{0,29}(?:\s[^\W\d_][\w'.-]{0,29}){0,2})[.! ]{0,3}$",
    re.IGNORECASE,
)
_TITLES_NEEDING_CAPITALS = frozenset({"miss", "sir", "madam", "dr", "ms"})
NOT_NAMES = word_set(
    "a an the and or but so if not no yes ok okay my your our his her their its this that these those "
    "there here it i you he she we they me him us them who what when where which why how is am are was "
    "were be been being do does did have has had will would can could shall should may might must to of "
    "in on at by for from with without about into over under after before since until while as than then "
    "too very really quite just still also only even again already always never ever now today tomorrow "
    "yesterday soon later currently all any some many much more most less few each every both another "
    "other same new old good bad great fine sorry glad happy unhappy sad angry upset annoyed frustrated "
    "furious tired sick fed disappointed confused worried concerned afraid scared sure unsure certain "
    "aware unable able ready interested looking trying calling contacting writing asking waiting hoping "
    "having getting going coming moving leaving paying using thinking wondering seeing told charged "
    "billed locked stuck left right wrong correct incorrect lost missing broken down up out off back home "
    "away abroad late early busy free done due owed overcharged customer client user member account "
    "holder owner agent human representative manager person someone somebody nobody anyone mine saved "
    "setting settings stored please help thanks thank hi hello hey dear regards best cheers because "
    "however although though urgent important ridiculous unacceptable terrible awful horrible worse worst "
    "better impossible possible true false spelled spelt misspelled mis-spelled changed shown listed "
    "different registered below above attached required needed unknown on-hold british english american "
    "scottish welsh irish french german spanish italian polish indian chinese pregnant disabled deaf "
    "blind elderly retired unemployed vulnerable single married divorced widowed student pensioner "
    "in-store online internet broadband wifi wi-fi router tv mobile phone line bill bills billing payment "
    "payments refund refunds invoice order contract service support team company northline monday tuesday "
    "wednesday thursday friday saturday sunday january february march april june july august september "
    "october november december one two three four five six seven eight nine ten eleven twelve thirteen "
    "fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty hundred "
    "thousand first second third last next what's that's it's like near between gonna gotta wanna well "
    "email address number password code card date birth dob postcode zip speaking living based seriously "
    "honestly absolutely totally completely extremely so-called something nothing everything anything "
    "where's your's amazing awesome brilliant fantastic perfect lovely nice cool sweet lot lots kindly "
    "asap regarding re bye goodbye morning afternoon evening night guys folks everyone sir madam mate "
    "love bonjour hola hallo ciao salut hej merhaba ola moin servus ahoj namaste salam czesc zdravo"
)


def find_names(scan: Scan) -> Iterator[Candidate]:
    """Find announced names."""
    text, words = scan.text, scan.words
    shouted = text.isupper()
    if not words.isdisjoint(_STATED_WORDS):
        for match in _STATED.finditer(text):
            yield from _taken(
                text, match.end(), strict=match[0].lower().strip() == "my name", shouted=shouted
            )
    if not words.isdisjoint(_PRESENTED_WORDS):
        for match in _PRESENTED.finditer(text):
            yield from _taken(text, match.end(), strict=True, shouted=shouted)
        for match in _SPEAKING.finditer(text):
            if NOT_NAMES.isdisjoint(match["name"].lower().split()):
                yield Candidate(*match.span("name"), Kind.NAME, squeezed(match["name"]), Rank.NAME)
    if not words.isdisjoint(_TITLE_WORDS):
        for match in _TITLED.finditer(text):
            strict = match["title"].lower() in _TITLES_NEEDING_CAPITALS
            yield from _taken(text, match.end(), strict=strict, shouted=shouted)
    if not words.isdisjoint(_HELD_WORDS):
        for match in _HELD.finditer(text):
            yield from _taken(text, match.end(), strict=True, shouted=shouted)
    yield from _sign_off(text, shouted=shouted)


_STATED_WORDS = word_set("name names surname forename called named call")
_PRESENTED_WORDS = word_set("m im am this it its here speaking spoke")
_TITLE_WORDS = word_set("mr mrs ms mx dr prof professor miss sir madam")
_HELD_WORDS = word_set(
    "holder belongs registered name behalf husband wife partner son daughter mother mum mom father dad "
    "brother sister friend boss colleague flatmate landlord neighbour neighbor client grandmother "
    "grandfather carer"
)


def _taken(text: str, start: int, *, strict: bool, shouted: bool) -> Iterator[Candidate]:
    """Take up to four words from `start` as a name.

    Args:
        text: the folded text.
        start: where the first word must begin.
        strict: whether each word needs a capital, because the announcement alone isn't proof.
        shouted: whether the whole message is in capitals, so that they say nothing.
    """
    if strict and shouted:
        return
    end = position = start
    capital = True
    for place in range(4):
        word = _WORD.match(text, position)
        if word is None:
            break
        lower = word[0].lower()
        capital = word[0][0].isupper() and not shouted
        particle = lower in _PARTICLES and place < 3 and not (place == 0 and capital)
        if not particle and lower in NOT_NAMES:
            break
        if (
            not particle
            and not capital
            and (strict or place >= 2 or (place == 1 and _titled_first(text, start, shouted)))
        ):
            break
        if not particle:
            end = word.end()
        gap = _GAP.match(text, word.end())
        if gap is None or ("." in gap[0] and len(word[0]) > 3):
            break
        position = gap.end()
    if end > start:
        yield Candidate(start, end, Kind.NAME, squeezed(text[start:end]), Rank.NAME)


def _titled_first(text: str, start: int, shouted: bool) -> bool:
    """Tell whether a name began with a capital, so that words in lower case end it."""
    return text[start].isupper() and not shouted


def _sign_off(text: str, *, shouted: bool) -> Iterator[Candidate]:
    tail = max(0, len(text) - 140)
    stripped = text[tail:].rstrip()
    match = _SIGN_OFF.search(stripped)
    if match is None or shouted:
        return
    words = match["name"].split()
    if all(word[0].isupper() and word.lower().strip(".") not in NOT_NAMES for word in words):
        start, end = match.span("name")
        yield Candidate(tail + start, tail + end, Kind.NAME, squeezed(match["name"]), Rank.NAME)
