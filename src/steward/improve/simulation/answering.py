"""What the simulated model answers: only what the prompt holds, so that a broken prompt shows.

It reads `<passage id="1" title="…">…</passage>` blocks, the customer's last words (`<customer>…`, else the
last customer line of `<conversation>`, else the last user message) and a few rules in the instructions:
whether to cite, how many sentences, which quoted phrases are forbidden. It picks the sentences that share
most words with the question. No passages, or none that fit: it doesn't know.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

DOES_NOT_KNOW = "I'm sorry, I don't know that."

_PASSAGE = re.compile(r"<passage\b([^>]*)>(.*?)</passage>", re.S | re.I)
_ATTRIBUTE = re.compile(r"(\w+)\s*=\s*[\"']([^\"']*)[\"']")
_CUSTOMER = re.compile(r"<customer\b[^>]*>(.*?)</customer>", re.S | re.I)
_CONVERSATION = re.compile(r"<conversation\b[^>]*>(.*?)</conversation>", re.S | re.I)
_CUSTOMER_LINE = re.compile(r"^\W*(?:customer|user)\W*:\s*(.+)$", re.I | re.M)
_DATA = re.compile(r"<(passages?|customer|conversation)\b[^>]*>.*?</\1>", re.S | re.I)
_CITES = re.compile(r"\bcit(?:e|es|ation|ations|ing)\b|\[(?:\d+|n)\]", re.I)
_LIMIT = re.compile(r"(?:at most|up to|to) (one|two|three|four|five|\d+) (?:\w+ )?sentences?", re.I)
_FORBIDS = re.compile(r"\b(?:never|don't|do not|must not|forbidden|avoid)\b", re.I)
_QUOTED = re.compile(r"[\"“]([^\"”\n]{3,80})[\"”]")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z£$€\d\"“(])|\n+")
_LEADING = re.compile(r"^(?:[-*•]|\d+[.)])\s+")
_WORD = re.compile(r"[a-z0-9£$€]+(?:'[a-z]+)?", re.I)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_STOP_WORDS = frozenset(
    _WORD.findall(
        "a about am an and any are as at be been but by can could did do does for from get got had has have "
        "hello hi how i i'm i've if in is it it's its me my no not of on or our please so that the their "
        "them there they this to up us want was we what when where which who why will with would you your"
    )
)


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage as the prompt shows it."""

    number: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the simulated model understood of a request."""

    instructions: str
    passages: tuple[Passage, ...]
    question: str
    already_said: str
    cites: bool
    most_sentences: int
    forbidden: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A tool call that the simulated model proposes."""

    name: str
    arguments: Mapping[str, Any]


def read_prompt(messages: Sequence[Mapping[str, Any]]) -> Prompt:
    """Read a request's messages the way the simulated model does."""
    texts = [(str(message.get("role")), _text_of(message.get("content"))) for message in messages]
    everything = "\n".join(text for role, text in texts if role != "assistant")
    instructions = _DATA.sub(" ", "\n".join(text for role, text in texts if role in ("system", "developer")))
    framing = _DATA.sub(" ", everything)
    limit = _LIMIT.search(framing)
    return Prompt(
        instructions=instructions,
        passages=tuple(_passages(everything)),
        question=_question(texts, everything),
        already_said=texts[-1][1] if texts and texts[-1][0] == "assistant" else "",
        cites=bool(_CITES.search(framing)),
        most_sentences=min(5, _number(limit[1])) if limit else 2,
        forbidden=tuple(_forbidden(framing)),
    )


def answer(prompt: Prompt) -> str:
    """Return the best sentences of the prompt's passages, cited if the prompt asks for it."""
    chosen = [
        (passage, sentence)
        for passage, sentence in _best_sentences(prompt)
        if sentence not in prompt.already_said
    ]
    if not chosen:
        return DOES_NOT_KNOW
    return " ".join(
        _cited(sentence, passage.number if prompt.cites else None) for passage, sentence in chosen
    )


def propose(prompt: Prompt, tools: Sequence[Mapping[str, Any]], choice: object) -> Proposal | None:
    """Return the tool whose description shares most words with the question, or None.

    Arguments are filled only from the question: by a property's `enum` or `pattern`.
    """
    functions = [tool["function"] for tool in tools if isinstance(tool.get("function"), dict)]
    if not functions or choice == "none":
        return None
    asked = set(_stems(prompt.question))

    def overlap(function: Mapping[str, Any]) -> int:
        return len(
            asked & set(_stems(f"{function['name']} {function.get('description', '')}".replace("_", " ")))
        )

    best = max(functions, key=overlap)
    if isinstance(choice, dict):
        wanted = choice.get("function", {}).get("name")
        best = next((function for function in functions if function["name"] == wanted), best)
    elif choice != "required" and overlap(best) < 2:
        return None
    properties = (best.get("parameters") or {}).get("properties") or {}
    found = {name: _argument(schema, prompt.question) for name, schema in properties.items()}
    return Proposal(best["name"], {name: value for name, value in found.items() if value is not None})


def count_tokens(text: str) -> int:
    """Return the simulated server's own measure: pieces of `split_tokens`."""
    return len(split_tokens(text))


def split_tokens(text: str) -> list[str]:
    """Cut a text into words with the space before them; joined they give the text back."""
    return re.findall(r"\s*\S+|\s+$", text)


def prompt_tokens(body: Mapping[str, Any]) -> int:
    """Return the token count of a request's messages and tools."""
    count = sum(count_tokens(_text_of(message.get("content"))) + 4 for message in body.get("messages", ()))
    return count + (count_tokens(json.dumps(body["tools"])) if body.get("tools") else 0)


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return "" if content is None else str(content)


def _passages(text: str) -> list[Passage]:
    found = []
    for position, match in enumerate(_PASSAGE.finditer(text), start=1):
        attributes = dict(_ATTRIBUTE.findall(match[1]))
        found.append(
            Passage(
                number=attributes.get("id", str(position)),
                title=html.unescape(attributes.get("title", "")),
                text=html.unescape(match[2]).strip(),
            )
        )
    return found


def _question(texts: Sequence[tuple[str, str]], everything: str) -> str:
    if marked := _CUSTOMER.findall(everything):
        return html.unescape(marked[-1]).strip()
    if (talks := _CONVERSATION.findall(everything)) and (lines := _CUSTOMER_LINE.findall(talks[-1])):
        return html.unescape(lines[-1]).strip()
    said = [text for role, text in texts if role == "user"]
    return _DATA.sub(" ", said[-1]).strip() if said else ""


def _forbidden(framing: str) -> list[str]:
    lines = [line for line in framing.splitlines() if _FORBIDS.search(line)]
    return [phrase.lower() for line in lines for phrase in _QUOTED.findall(line)]


def _best_sentences(prompt: Prompt) -> list[tuple[Passage, str]]:
    """Rank sentences by the rarity-weighted words they share with the question, the title counting half."""
    rows = [
        (passage, sentence, frozenset(_stems(sentence)), frozenset(_stems(passage.title)))
        for passage in prompt.passages
        for sentence in _sentences(passage.text)
    ]
    asked = set(_stems(prompt.question))
    seen_in = Counter(word for _, _, words, _ in rows for word in words)
    scored = []
    for position, (passage, sentence, words, title) in enumerate(rows):
        if not (asked & words) or any(phrase in sentence.lower() for phrase in prompt.forbidden):
            continue
        weight = sum(log(1 + len(rows) / seen_in[word]) for word in sorted(asked & words))
        score = (weight + 0.5 * len(asked & title)) / (4 + len(words)) ** 0.5
        scored.append((-score, position, passage, sentence))
    best = sorted(scored, key=lambda row: row[:2])[: prompt.most_sentences]
    return [(passage, sentence) for _, _, passage, sentence in sorted(best, key=lambda row: row[1])]


def _sentences(text: str) -> list[str]:
    parts = (_LEADING.sub("", part.strip()) for part in _SENTENCE.split(text))
    return [part for part in parts if not part.startswith(("#", "|", "<")) and len(_WORD.findall(part)) >= 3]


def _cited(sentence: str, number: str | None) -> str:
    whole = sentence if sentence[-1] in ".!?" else f"{sentence.rstrip(':;,')}."
    return whole if number is None else f"{whole[:-1]} [{number}]{whole[-1]}"


def _stems(text: str) -> list[str]:
    """Cut common endings off; crude and only ever compared with itself."""
    words = (word.lower().removesuffix("'s") for word in _WORD.findall(text))
    return [
        re.sub(r"(?:ies|ing|ed|es|s|e|y)$", "", word) if len(word) > 3 else word
        for word in words
        if word not in _STOP_WORDS
    ]


def _argument(schema: Mapping[str, Any], question: str) -> Any:
    for option in schema.get("enum") or ():
        if re.search(rf"\b{re.escape(str(option))}\b", question, re.I):
            return option
    if pattern := schema.get("pattern"):
        match = re.search(str(pattern).removeprefix("^").removesuffix("$"), question)
        return match[0] if match else None
    return None


def _number(word: str) -> int:
    return _NUMBERS.get(word.lower()) or int(word)
