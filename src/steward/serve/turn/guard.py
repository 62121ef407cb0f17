"""Stage 4: risks, attempts to give new orders, and loops.

Phrases decide for certain; meaning is compared with the release's examples over the shared
embedding. Each rule has its one action.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from steward.base.language.nearest import NearestExamples
from steward.supply.assistant.schema.guardrails import Guardrails

NEARLY_EQUAL = 0.8
"""Share of words (Jaccard) from which two questions count as the same."""
SAME_QUESTION_HANDS_OVER = 3
_WORD = re.compile(r"[^\W_]+")
_INJECTION = re.compile(
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
_LOOKED_AT = 8000
OUT_OF_SCOPE_ALLOWANCE = 0.12
"""How much less like an example a message needs to be where no intent claims it: two weak signs together."""


class Reaction(StrEnum):
    """What the guard asks the pipeline to do."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    HAND_OVER = "hand_over"
    REPLY = "reply"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Guarded:
    """The guard's decision. `score` is 1 for a phrase, else the cosine to the nearest example."""

    reaction: Reaction
    rule: str | None = None
    score: float | None = None
    reply: str | None = None
    priority: str = "normal"
    queue: str | None = None


PASSED = Guarded(Reaction.PASS)


class GuardRules:
    """A release's rules, compiled once."""

    def __init__(
        self, guardrails: Guardrails, *, risks: NearestExamples, injections: NearestExamples
    ) -> None:
        self._guardrails = guardrails
        self._phrases = [(rule, _any_phrase(rule.phrases)) for rule in guardrails.risks if rule.phrases]
        self._by_name = {rule.name: rule for rule in guardrails.risks}
        self._injection_phrases = _any_phrase(guardrails.injection.phrases)
        self._risks = risks
        self._injections = injections

    def check(
        self,
        text: str,
        vector: NDArray[np.float32],
        earlier: Sequence[str],
        *,
        out_of_scope: bool = False,
    ) -> Guarded:
        """Return the first rule that applies: risks, then injection, then loops.

        Args:
            text: the masked message.
            vector: its embedding.
            earlier: what the customer said before, masked.
            out_of_scope: whether no intent claims it.
        """
        looked_at = text[:_LOOKED_AT]
        return (
            self._risk(looked_at, vector)
            or self._injection(looked_at, vector, out_of_scope=out_of_scope)
            or self._loop(looked_at, earlier)
            or PASSED
        )

    def _risk(self, text: str, vector: NDArray[np.float32]) -> Guarded | None:
        for rule, phrases in self._phrases:
            if phrases.search(text):
                return Guarded(Reaction(rule.action), rule.name, 1.0, rule.reply, rule.priority, rule.queue)
        scores = self._risks.score(vector)
        for name, score in sorted(scores.items(), key=lambda item: -item[1]):
            rule = self._by_name[name]
            if score >= float(rule.threshold):
                return Guarded(Reaction(rule.action), rule.name, score, rule.reply, rule.priority, rule.queue)
        return None

    def _injection(self, text: str, vector: NDArray[np.float32], *, out_of_scope: bool) -> Guarded | None:
        rule = self._guardrails.injection
        phrase = self._injection_phrases.search(text) if rule.phrases else None
        if phrase or _INJECTION.search(text):
            return Guarded(Reaction.REFUSE, "injection", 1.0, rule.reply)
        score = max(self._injections.score(vector).values(), default=0.0)
        if score >= float(rule.threshold) - OUT_OF_SCOPE_ALLOWANCE * out_of_scope:
            return Guarded(Reaction.REFUSE, "injection", score, rule.reply)
        return None

    def _loop(self, text: str, earlier: Sequence[str]) -> Guarded | None:
        words = _words(text)
        if len(words) < 3:
            return None
        same = sum(_overlap(words, _words(before)) >= NEARLY_EQUAL for before in earlier)
        if same + 1 >= SAME_QUESTION_HANDS_OVER:
            return Guarded(Reaction.HAND_OVER, "loop", 1.0)
        return None


def guard(
    text: str,
    vector: NDArray[np.float32],
    earlier: Sequence[str],
    rules: GuardRules,
    *,
    out_of_scope: bool = False,
) -> Guarded:
    """Check a masked message against a release's rules."""
    return rules.check(text, vector, earlier, out_of_scope=out_of_scope)


def nearly_equal(question: str, other: str) -> bool:
    """Tell whether two questions say the same in nearly the same words."""
    return _overlap(_words(question), _words(other)) >= NEARLY_EQUAL


def _any_phrase(phrases: Sequence[str]) -> re.Pattern[str]:
    ordered = sorted(phrases, key=len, reverse=True)
    spaced = (r"\s+".join(re.escape(word) for word in phrase.lower().split()) for phrase in ordered)
    return re.compile(rf"(?<!\w)(?:{'|'.join(spaced)})(?!\w)", re.IGNORECASE)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.lower() for word in _WORD.findall(text[:_LOOKED_AT]))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    union = one | other
    return len(one & other) / len(union) if union else 0.0
