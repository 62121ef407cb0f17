"""Stage 4: risks, attempts to give new orders, and loops.

Phrases decide for certain; meaning is compared with the release's examples and scored by its trained heads,
all over the shared embedding. What a message says under a veil, or only together with those before it, is
embedded and looked at as well; ordinary messages have nothing of the kind. Each rule has its one action.
Masked values are read as made-up ones: a token is no sign of anything.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from steward.base.language.contracts import Embedder
from steward.base.language.injection import Features, InjectionHead
from steward.base.language.injection_veils import unveiled, without_markup
from steward.base.language.moderation import Concern, ModerationHead
from steward.base.language.nearest import NearestExamples
from steward.govern.privacy.tokens import with_invented_values
from steward.serve.turn.guard_loops import goes_round, nearly_equal
from steward.serve.turn.guard_phrases import (
    Phrases,
    Wording,
    gives_orders,
    orders_in_other_languages,
    says_nothing,
)
from steward.supply.assistant.schema.guardrails import Guardrails, RiskRule

__all__ = ["GuardRules", "Guarded", "Reaction", "guard", "nearly_equal"]

OUT_OF_SCOPE_ALLOWANCE = 0.12
"""How much less like an example a message needs to be where no intent claims it and the trained head isn't
sure that it's harmless: weak signs together."""
CLAIMED_MARGIN = 2.0
"""Log-odds by which a message has to look more like an attack where an intent surely claims it."""
SURELY_HARMLESS = 0.04
"""Score of the trained head up to which words, or being out of scope, make no attack of a message."""
SURELY_REFUSED = 0.95
"""Score without the embedding from which an earlier message will have been refused when it came."""
PIECES_TOGETHER = 3
"""Messages that are read as one, this one included: an order may be split over turns."""
_LONGEST_TOGETHER = 700
_LOOKED_AT = 8000


class Reaction(StrEnum):
    """What the guard asks the pipeline to do."""

    PASS = "pass"  # noqa: S105 - a word, not a password
    HAND_OVER = "hand_over"
    REPLY = "reply"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Guarded:
    """The guard's decision.

    `score` is 1 for a phrase, else the cosine to the nearest example or a head's probability; `why` says
    which sign it was, and `read_as` how the message was read where not as written.
    """

    reaction: Reaction
    rule: str | None = None
    score: float | None = None
    reply: str | None = None
    priority: str = "normal"
    queue: str | None = None
    why: str | None = None
    read_as: str | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """A message taken apart by some rules, as far as that goes without its embedding.

    `earlier` is what the customer said before; `unveiled`, what the message says under a veil; `joined`, the
    message with those before it where together they look like an order.
    """

    rules: GuardRules
    earlier: Sequence[str]
    wording: Wording
    features: Features
    unveiled: tuple[str, ...]
    joined: str | None


PASSED = Guarded(Reaction.PASS)
LOOP = Guarded(Reaction.HAND_OVER, "loop", 1.0, why="repeats")


class GuardRules:
    """A release's rules and heads, compiled once."""

    def __init__(
        self,
        guardrails: Guardrails,
        *,
        risks: NearestExamples,
        injections: NearestExamples,
        injection: InjectionHead,
        moderation: ModerationHead,
        is_word: Callable[[str], bool],
    ) -> None:
        self._guardrails = guardrails
        self._phrases = Phrases(*(rule.phrases for rule in guardrails.risks))
        self._by_name = {rule.name: (rule, float(rule.threshold)) for rule in guardrails.risks}
        self._concerned = [
            (rule, float(rule.concern_threshold), Concern(concern))
            for rule in guardrails.risks
            for concern in rule.concerns
        ]
        self._injection_phrases = Phrases(guardrails.injection.phrases)
        self._risks = risks
        self._injections = injections
        self._head = injection
        self._moderation = moderation
        self._is_word = is_word

    def look(self, text: str, earlier: Sequence[str]) -> Looked:
        """Take a masked message apart; what this takes can be spent while it's being embedded.

        Args:
            text: the masked message.
            earlier: what the customer said before, masked.
        """
        written = with_invented_values(text)
        wording = Wording.of(written if len(text) <= _LOOKED_AT else with_invented_values(text[:_LOOKED_AT]))
        return Looked(
            rules=self,
            earlier=earlier,
            wording=wording,
            features=self._features(wording),
            unveiled=tuple(unveiled(written)),
            joined=self._together(written, earlier),
        )

    def check(
        self,
        text: str,
        looked: Looked,
        vector: NDArray[np.float32],
        *,
        out_of_scope: bool = False,
        claimed: bool = False,
        foreign: bool = False,
    ) -> Guarded:
        """Return the first rule that applies to a message as it's written: risks, then injection, then loops.

        Args:
            text: the masked message.
            looked: what `look` gave of it.
            vector: its embedding.
            out_of_scope: whether no intent claims it.
            claimed: whether an intent surely claims it.
            foreign: whether it is in a language that the encoder doesn't know: then words alone can tell
                an order, and no model gets to read it.
        """
        return (
            self._risk(looked.wording, vector)
            or self._injection(
                looked.wording,
                vector,
                features=looked.features,
                out_of_scope=out_of_scope,
                claimed=claimed,
                foreign=foreign,
            )
            or (
                Guarded(Reaction.HAND_OVER, "loop", 1.0, why="repeats")
                if goes_round(text, looked.earlier)
                else None
            )
            or PASSED
        )

    def check_unveiled(self, text: str, vector: NDArray[np.float32]) -> Guarded:
        """Return the rule that applies to what a message says under a veil."""
        looked_at = Wording.of(text)
        found = self._risk(looked_at, vector) or self._injection(looked_at, vector)
        return PASSED if found is None else replace(found, read_as="unveiled")

    def check_together(self, text: str, vector: NDArray[np.float32]) -> Guarded:
        """Return whether a message is an attack together with those before it; risks had their turn."""
        found = self._injection(Wording.of(text), vector)
        return PASSED if found is None else replace(found, read_as="with earlier messages")

    def _together(self, text: str, earlier: Sequence[str]) -> str | None:
        """Return the message with those before it, where together they look like an order.

        What was an order already when it came was refused then, and isn't held against what follows.
        """
        before = [with_invented_values(said) for said in earlier[1 - PIECES_TOGETHER :]]
        joined = "\n".join([*before, text])
        if not before or len(joined) > _LONGEST_TOGETHER or not self._suspect(joined):
            return None
        kept = [said for said in before if not self._refused_alone(said)]
        if len(kept) == len(before):
            return joined
        joined = "\n".join([*kept, text])
        return joined if kept and self._suspect(joined) else None

    @property
    def attack_threshold(self) -> float:
        """The head's score from which a text counts as an attack."""
        return float(self._guardrails.injection.head_threshold)

    @property
    def _claimed_threshold(self) -> float:
        threshold = self.attack_threshold
        odds = threshold / max(1 - threshold, 1e-9) * math.exp(CLAIMED_MARGIN)
        return odds / (1 + odds)

    def _features(self, wording: Wording) -> Features:
        bare = without_markup(wording.text)
        return self._head.look(bare, words=wording.terms if bare == wording.text else None)

    def _suspect(self, text: str) -> bool:
        wording = Wording.of(text)
        return (
            gives_orders(wording)
            or orders_in_other_languages(wording)
            or self._head.screen(text, words=wording.terms) >= 0.5
        )

    def _refused_alone(self, text: str) -> bool:
        wording = Wording.of(text)
        phrase = self._injection_phrases.first_in(wording) is not None
        return phrase or self._head.screen(text, words=wording.terms) >= SURELY_REFUSED

    def _risk(self, wording: Wording, vector: NDArray[np.float32]) -> Guarded | None:
        phrase = self._phrases.first_in(wording)
        if phrase is not None:
            return _by_rule(self._guardrails.risks[phrase], 1.0, "phrase")
        likely = [
            (score, self._by_name[name][0])
            for name, score in self._risks.score(vector).items()
            if score >= self._by_name[name][1]
        ]
        if likely:
            score, rule = max(likely, key=lambda item: item[0])
            return _by_rule(rule, score, "example")
        if self._concerned:
            found = self._moderation.scores(wording.text, vector, words=wording.terms)
            for rule, threshold, concern in self._concerned:
                if found[concern] >= threshold:
                    return _by_rule(rule, found[concern], "trained head")
        return None

    def _injection(
        self,
        wording: Wording,
        vector: NDArray[np.float32],
        *,
        features: Features | None = None,
        out_of_scope: bool = False,
        claimed: bool = False,
        foreign: bool = False,
    ) -> Guarded | None:
        rule = self._guardrails.injection
        if self._injection_phrases.first_in(wording) is not None:
            return Guarded(Reaction.REFUSE, "injection", 1.0, rule.reply, why="phrase")
        if orders_in_other_languages(wording):
            return Guarded(Reaction.REFUSE, "injection", 1.0, rule.reply, why="words")
        if foreign:
            return None
        score = self._head.score_looked_at(features or self._features(wording), vector)
        threshold = self._claimed_threshold if claimed else self.attack_threshold
        if score >= threshold and not says_nothing(wording.text, self._is_word):
            return Guarded(Reaction.REFUSE, "injection", score, rule.reply, why="trained head")
        suspicious = score > SURELY_HARMLESS
        if suspicious and gives_orders(wording):
            return Guarded(Reaction.REFUSE, "injection", 1.0, rule.reply, why="words")
        likeness = max(self._injections.score(vector).values(), default=0.0)
        weak_signs = out_of_scope and suspicious and not says_nothing(wording.text, self._is_word)
        if likeness >= float(rule.threshold) - OUT_OF_SCOPE_ALLOWANCE * weak_signs:
            return Guarded(Reaction.REFUSE, "injection", likeness, rule.reply, why="example")
        return None


async def guard(
    text: str,
    vector: NDArray[np.float32],
    earlier: Sequence[str],
    rules: GuardRules,
    *,
    embedder: Embedder,
    looked: Looked | None = None,
    out_of_scope: bool = False,
    claimed: bool = False,
    foreign: bool = False,
) -> Guarded:
    """Check a masked message against a release's rules, in every reading that it has.

    `looked` is what `look` gave of it, where that was done already; it's done again if by other rules.
    """
    if looked is None or looked.rules is not rules or looked.earlier != earlier:
        looked = rules.look(text, earlier)
    guarded = rules.check(text, looked, vector, out_of_scope=out_of_scope, claimed=claimed, foreign=foreign)
    if guarded.reaction is not Reaction.PASS:
        return guarded
    readings = [(reading, rules.check_unveiled) for reading in looked.unveiled]
    if not foreign and looked.joined is not None:
        readings.append((looked.joined, rules.check_together))
    if not readings:
        return guarded
    vectors = await embedder.embed([reading for reading, _ in readings])
    for (reading, checked), its_vector in zip(readings, vectors, strict=True):
        found = checked(reading, its_vector)
        if found.reaction is not Reaction.PASS:
            return found
    return guarded


def _by_rule(rule: RiskRule, score: float, why: str) -> Guarded:
    return Guarded(Reaction(rule.action), rule.name, score, rule.reply, rule.priority, rule.queue, why)
