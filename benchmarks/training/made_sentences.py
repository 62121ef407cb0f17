"""Sentences with names and addresses, made from Faker's lists (MIT licence) and patterns of our own.

Half of what matters is what isn't a name: towns, companies, brands, weekdays in the same places.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from benchmarks.personal_rows import Row
from steward.base.language.name_features import folded

LOCALES = (
    "en_US en_GB en_IE en_NZ en_IN en_NG de_DE fr_FR es_ES es_MX it_IT nl_NL pl_PL sv_SE da_DK no_NO fi_FI "
    "pt_PT pt_BR cs_CZ sk_SK sl_SI hr_HR hu_HU ro_RO tr_TR is_IS et_EE lt_LT lv_LV"
).split()
PLACES = (
    "en_US en_GB en_IE en_AU en_CA de_DE fr_FR es_ES it_IT nl_NL pl_PL sv_SE da_DK pt_PT cs_CZ fi_FI".split()
)
NAMED = """
my name is {n}|my name's {n}|name is {n}|name: {n}|name - {n}|i am {n}|i'm {n}|im {n}|hi im {n}
hello, i am {n}|hi this is {n}|this is {n}|hello this is {n}, i need help with my bill|it's {n}|its {n}
it is {f}|{n} here|{f} here|{n} speaking|{n}|{n}.|{f}|{f}|{l}|{n}, thanks|sure, {n}|sure it's {n}
yes it's {n}|yes, {n}|ok, {n}|oh sure, {n}.|{f} {l}, {d}|{n} and my account is {d}|{n}, account number {d}
{d}, {n}|i'm {n} and my pin is {p}|{n} {d}|thanks {f}|thank you {f}!|thanks, {n}|regards, {n}|cheers {f}
hi {f}|hello {f},|hey {f}, can you help?|bye {f}|i spoke to {f} yesterday
i was talking to {n} last week about my order|{f} told me it would be refunded|your colleague {f} said no
the agent was called {f}|the technician {f} never came|can i speak to {n}?
my wife {f} has the same problem|my husband {f} ordered it|my son {f} is 12|my daughter's name is {f}
me and {f} share a plan|the account belongs to {n}|the account is under {n}|it's in my partner's name, {n}
please add {n} to my account|please remove {n} from the policy|change the name to {n}|it should be {n}
send it to {n}|transfer 50 to {n}|i sent money to {n} by mistake|pay {n} {d}|why did {n} get my parcel?
the parcel was left with {n} next door|please address it to {n}|{n} is my landlord|{n} paid for it
is {f} there?|tell {f} i called|{f} and {f} are also coming|book it for {n}|a table under {n} for 4
{f} has lost the card|{n} lost the phone|{n} is no longer with us|{f}'s bill is too high|it's {f}'s phone
my mother's maiden name is {l}|maiden name {l}|mother's maiden is {l}|her maiden name was {l}|it was {l}
my first pet was {f}|my pet's name was {f}|the pet is called {f}|my dog {f}|our cat was {f}|pet: {f}
security answer: {l}|my teacher was {l}|the answer is {f}|i think it was {f}|{l} i think|maybe {f}?
dr {l} gave me this|doctor {l} please|i saw dr. {l} on monday|mr {l} called me|mrs {l} of accounts
i am {f} from room 31|hi, this is {f} in room 202|{f}, I want to book a table|hi there, {f} again
name's {n}, i want to book a taxi|hi! {n}. can i see the flat on friday?|no, {n}!|not {f}, {f}!|sorry, {n}
""".replace("\n", "|")
BESIDE = """
hi this is {n}, card {x}, phone {t}, {m}|{n}, {m}|{n} {m}|{m}, {n}|{n}, {t}|name {n} email {m} phone {t}
my card is {x} and i'm {n}|{n}, born {q}|{n} {q}|card {x}, name {n}|{t} {n}|{n}, {x}, {t}|email {m}, phone {t}
my card {x} was charged twice|my number is {t}|reach me at {m}|my iban is {i}|{x}|{t}|{m}|{i}|card {x} {q}
i was charged {p} pounds on {w}|order {o}-{d} of {q}|{p} and {p}|from {p} to {p}|paid {p}, {p}, {p}
{o} {p} or {o} {p}
""".replace("\n", "|")
PLACED = """
my address is {a}|i live at {a}|address: {a}|send it to {a}|please deliver to {a}|we moved to {a}
i'm at {a}|ship it to {a}|deliver it to {n}, {a}|{a}|{a}|my new address is {a}, from monday|{n}, {a}
{n}\\n{a}|{n}\\n{s}|it should go to {a} please|old address {a}|the address on file is {a} but i moved
pick it up at {a}|the engineer came to {s} by mistake|there's no internet at {s}|billing address {a}
home address is {s}|i want to change my address to {a}|update the address to: {a}|his address is {a}
{n} lives at {s}, {c}|can you deliver to {s}?|my flat is {s}|where should it go? {a}
it was delivered to {s} instead|the shop is at {s}|our office is at {a}
the meeting is at the corner of {r} and {r}|corner of {r} and {r}
""".replace("\n", "|")
OTHER = """
do you deliver to {c}?|i live in {c}|i'm from {c}|is there a shop in {c}|{c}
i moved from {c} to {c} last year|i work at {o}|the bill of {o} is wrong|i ordered from {o}
{o} charged me twice|is {o} a partner of yours?|{o}|my {b} is broken|how do i set up {b}?
{b} doesn't work with my router|does {b} cost extra?|cancel {b}|{b}|i need it by {w}|{w}|see you on {w}
can it come on {w} at {p}?|the charge of {w} is wrong|from {w} to {w}|i'm {j}|i am {j}|this is {j}
it's {j}|im {j} with this|he's {j}|that is {j}|it was {j}|{j}|{k}|{k}.|{k}!|{k} please|edit my {k}
change {k}|cancel my {k}|update {k}|check {k}|track my {k}|edit {k} and {k}|add {k}|buy {k}|{k} pls|my {k}
about {k}|{k} and {k}|no, {k}|yes {k}|i want {k}|show me {k}|tracking {d}|{p} of them|i paid {p}
order {d} hasn't come|invoice {d}|call me at {d}|{d}|{p}|{d} please|in {c} on {w}|flights from {c} to {c}
weather in {c}|{c}, {y}|it's for {c}|roaming in {y}|calls to {y}|{y}
""".replace("\n", "|")
BRANDS = """
iPhone|Samsung Galaxy|Netflix|Wi-Fi|Spotify|Visa|Mastercard|PayPal|Apple Pay|Google Pay|Android|Windows
Outlook|Alexa|Fire TV|Disney Plus|Prime Video|Xbox|PlayStation|Fibre 500|Super Hub|Fibre Plus|Mobile Max
Home Start|Family Plan|Premium Plus|eSIM|WhatsApp|Facebook|Instagram|Chromecast|Zoom|Teams|Direct Debit
SEPA|Black Friday|Christmas|Easter
""".replace("\n", "|").strip("|")
WEEK = """
monday|tuesday|wednesday|thursday|friday|saturday|sunday|january|february|march|april|may|june|july|august
september|october|november|december|tomorrow|today|next week
""".replace("\n", "|").strip("|")
STATES = """
angry|waiting|not happy|so confused|locked out|still waiting|a new customer|sure|fine|ridiculous|urgent
unacceptable|trying to pay|happy with it|in a hurry|abroad|an old customer|wrong|broken|great|offline|slow
a joke|disappointed|blocked|an emergency|correct|stuck|done|ok|lost|moving|at home|a student|a pensioner
from the company
""".replace("\n", "|").strip("|")
THINGS = """
billing|invoice|refund|agent|support|router|broadband|cancel|payment|delivery|order|help|human|upgrade
contract|bill|tariff|prices|password|login|account|card|mattress|sizes|discount|warranty|sim|roaming
number|address|phone|mobile|internet|status|parcel|returns|exchange|complaint|offers|data|minutes|balance
statement|transfer|limit|overdraft|loan|mortgage|insurance|savings|interest|fees|top up|cash|cheque
currency|hello|hi|thanks|yes|no|ok|sure|great|perfect|good morning|why|when|where|what|who|stop|start|menu
back|next|more|other|none|both|maybe|english|speak to someone
""".replace("\n", "|").strip("|")


@dataclass(frozen=True, slots=True)
class Names:
    """Names by sort, as written; `given` and `surnames` hold their folded lower case."""

    first: tuple[str, ...]
    last: tuple[str, ...]
    given: frozenset[str]
    surnames: frozenset[str]

    @classmethod
    def read(cls) -> Names:
        """Read Faker's lists."""
        first: dict[str, None] = {}
        last: dict[str, None] = {}
        for locale in LOCALES:
            provider = import_module(f"faker.providers.person.{locale}").Provider
            for field in sorted(vars(provider)):
                values = getattr(provider, field)
                if isinstance(values, (tuple, list, dict)) and field.startswith("first_name"):
                    first.update(dict.fromkeys(_clean(values)))
                elif isinstance(values, (tuple, list, dict)) and field.startswith("last_name"):
                    last.update(dict.fromkeys(_clean(values)))
        return cls(tuple(sorted(first)), tuple(sorted(last)), _parts(first), _parts(last))

    def full(self, chance: random.Random) -> str:
        """Return a first name, or one with a surname, now and then with more between."""
        first, last = chance.choice(self.first), chance.choice(self.last)
        pick = chance.random()
        if pick < 0.3:
            return first
        if pick < 0.92:
            return f"{first} {last}"
        if pick < 0.96:
            return f"{first} {chance.choice('ABCDEFGHJKLMNPRSTW')}. {last}"
        return f"{first} {chance.choice(self.first)} {last}"

    def like(self, value: str, chance: random.Random) -> str:
        """Return another name of as many words, in the case of the given one."""
        count = len(value.split())
        if count == 1:
            made = chance.choice(self.first if chance.random() < 0.7 else self.last)
        else:
            made = f"{chance.choice(self.first)} {chance.choice(self.last)}"
        if value.islower():
            return made.lower()
        return made.upper() if value.isupper() and len(value) > 2 else made


def made(names: Names, general: Sequence[str], chance: random.Random) -> Iterator[Row]:
    """Yield made sentences in mixed, lower and now and then upper case.

    Args:
        names: what names are drawn from.
        general: words of a vocabulary; those that aren't listed names are messages by themselves.
        chance: the source of choices.
    """
    places = Places.read(chance)
    for patterns, count in ((NAMED, 7000), (BESIDE, 1500), (PLACED, 4000), (OTHER, 5000)):
        chosen = [pattern for pattern in patterns.split("|") if pattern]
        for _ in range(count):
            yield in_case(filled(chance.choice(chosen), names, places, chance), chance)
    plain = [word for word in general if word not in names.given and word not in names.surnames]
    for _ in range(3500):
        words = [chance.choice(plain) for _ in range(chance.choice((1, 1, 2, 3)))]
        yield Row(
            " ".join([words[0].capitalize(), *words[1:]]) + chance.choice(("", "", ".", "!", "?")), (), "made"
        )


class Places:
    """Streets, addresses, towns, companies and countries of several lands."""

    def __init__(
        self, streets: Sequence[str], addresses: Sequence[str], others: dict[str, Sequence[str]]
    ) -> None:
        self.streets = streets
        self.addresses = addresses
        self.others = others

    @classmethod
    def read(cls, chance: random.Random) -> Places:
        """Make what sentences draw from."""
        from faker import Faker  # type: ignore[import-not-found] # of the training environment alone

        streets: list[str] = []
        addresses: list[str] = []
        roads: list[str] = []
        others: dict[str, list[str]] = {"c": [], "o": [], "y": []}
        for locale in PLACES:
            fake = Faker(locale)
            fake.seed_instance(chance.randrange(1 << 30))
            english = 5 if locale.startswith("en") else 1
            for _ in range(60 * english):
                streets.append(fake.street_address())
                addresses.append(fake.address())
                roads.append(fake.street_name())
                others["c"].append(fake.city())
                others["o"].append(fake.company())
                others["y"].append(fake.country())
        return cls(streets, addresses, {**others, "r": roads})

    def pick(self, sign: str, chance: random.Random) -> str:
        """Return a street with number (`s`), a whole address (`a`) or another place by its sign."""
        if sign == "s":
            return _lined(chance.choice(self.streets), chance)
        if sign == "a":
            return _lined(chance.choice(self.addresses), chance)
        return chance.choice(self.others[sign]).replace("\n", " ")


_NUMBERED = {
    "x": ("#### #### #### ####", "################", "####-####-####-####"),
    "t": ("07### ######", "###-###-####", "+44 7### ######", "(###) ###-####", "0## ########"),
    "i": ("GB## ABCD #### #### #### ##", "DE## #### #### #### #### ##", "FR#########################"),
    "q": ("0#/0#/19##", "1#.0#.20##", "19##-0#-1#", "1#/0#/2#"),
}
_HOSTS = ("@example.com", "@mail.example.org", "@example.co.uk")
_SLOT = re.compile(r"\{(\w)\}")


def filled(pattern: str, names: Names, places: Places, chance: random.Random) -> Row:
    """Return a pattern with its slots filled, and where the names and addresses stand."""
    pieces: list[str] = []
    spans: list[tuple[int, int, str]] = []
    length = done = 0
    for slot in _SLOT.finditer(pattern.replace("\\n", "\n")):
        before = pattern.replace("\\n", "\n")[done : slot.start()]
        sign = slot[1]
        value = _value(sign, names, places, chance)
        pieces += [before, value]
        start = length + len(before)
        length = start + len(value)
        if sign in "nfl":
            spans.append((start, length, "PERSON"))
        elif sign in "as" or (sign == "r"):
            spans.append((start, length, "ADDRESS"))
        done = slot.end()
    text = "".join(pieces) + pattern.replace("\\n", "\n")[done:]
    return Row(text, tuple(spans), "made")


def in_case(row: Row, chance: random.Random) -> Row:
    """Return a row as it is, in lower case, in capitals, or with a capital in front."""
    pick = chance.random()
    text = row.text
    if pick < 0.4:
        text = text.lower()
    elif pick < 0.44:
        text = text.upper()
    elif pick < 0.8:
        text = text[:1].upper() + text[1:]
    return Row(text, row.spans, row.group) if len(text) == len(row.text) else row


def _value(sign: str, names: Names, places: Places, chance: random.Random) -> str:
    if sign == "n":
        return names.full(chance)
    if sign == "f":
        return chance.choice(names.first)
    if sign == "l":
        return chance.choice(names.last)
    if sign in _NUMBERED:
        return re.sub("#", lambda _: chance.choice("0123456789"), chance.choice(_NUMBERED[sign]))
    if sign == "m":
        signs = [chance.choice(names.first), chance.choice(names.last)]
        return f"{chance.choice('._-')}".join(signs).lower() + chance.choice(_HOSTS)
    if sign == "d":
        return str(chance.randrange(10**6, 10**11))
    if sign == "p":
        return str(chance.randrange(1, 10**4))
    lists = {"b": BRANDS, "w": WEEK, "j": STATES, "k": THINGS}
    if sign in lists:
        value = chance.choice(lists[sign].split("|"))
        return value.title() if sign == "w" and chance.random() < 0.6 else value
    return places.pick(sign, chance)


def _lined(address: str, chance: random.Random) -> str:
    joint = chance.choice(("\n", ", ", ", ", " "))
    return re.sub(r"\s*\n\s*", joint, address)


def _clean(values: Iterable[str]) -> list[str]:
    return [value for value in values if re.fullmatch(r"[^\W\d_][^\W\d_'’ .-]{1,24}", value)]


def _parts(names: Sequence[str] | dict[str, None]) -> frozenset[str]:
    return frozenset(folded(part) for name in names for part in name.split() if len(part) > 1)
