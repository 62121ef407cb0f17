"""`guardrails.yaml`: what the assistant must notice, refuse, hide and never promise."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field

from steward.supply.assistant.schema.base import Amount, Name, Part, Share, Text


class RiskRule(Part):
    """A risk category of messages and the one action it has."""

    name: Name
    title: Text
    action: Literal["hand_over", "reply", "refuse"]
    """`hand_over` says `reply` and gives the word to a human; `reply` and `refuse` say `reply` and go on."""
    priority: Literal["normal", "high", "urgent"] = "normal"
    queue: Name | None = None
    reply: Text
    phrases: tuple[Text, ...] = ()
    """Words that show the risk for certain, matched as whole words in any case."""
    examples: tuple[Text, ...] = ()
    """Messages that show the risk; matched by meaning."""
    threshold: Share = Decimal("0.62")
    """Cosine similarity to the nearest example from which the rule applies."""
    concerns: tuple[Literal["sexual", "hate", "violence", "harassment", "self_harm"], ...] = ()
    """What the trained moderation head looks for as well; without any it takes no part in the rule."""
    concern_threshold: Share = Decimal("0.8")
    """The head's probability from which the rule applies."""


class Injection(Part):
    """Attempts to give the assistant new orders."""

    reply: Text
    phrases: tuple[Text, ...] = ()
    """Words that show an attempt for certain, matched as whole words in any case."""
    examples: tuple[Text, ...] = ()
    """Attempts; matched by meaning."""
    threshold: Share = Decimal("0.66")
    """Cosine similarity to the nearest example from which a message is refused."""
    head_threshold: Share = Decimal("0.5")
    """The trained head's score from which a message is refused. At 0.5 about one ordinary message in a
    thousand lies above."""
    document_threshold: Share = Decimal("0.92")
    """The trained head's score from which a passage or a tool's text is kept from answers. Higher than for
    messages: help pages tell people what to do. At 0.92 one clean page in a hundred lies above, and five of
    six orders that were hidden in an e-mail."""


class Evidence(Part):
    """How good a passage must be before the assistant answers from it."""

    answer_from: Share = Decimal("0.38")
    """Retrieval score (0..1) of the best passage from which an answer is given."""
    passages: int = Field(default=6, ge=1, le=20)
    """How many passages an answer may stand on."""
    sentence_support: Share = Decimal("0.5")
    """Share of a sentence's content words that its cited passage must hold."""
    grounding: Share = Decimal("0.15")
    """Probability that its cited passages say what a sentence says, below which it isn't sent. At 0.15 one
    sentence in fifteen of answers that people found faithful is dropped, and four in five of the others."""
    answered_share: Share = Decimal("0.9")
    """Share of the questions in scope that the knowledge base answers; says how likely an answer fits."""
    believed_though_wrong: Share = Decimal("0.5")
    """Share of answers beside the point that a customer takes for the answer; the others ask again."""
    ask_back: Text
    """Question put once when the evidence is weak."""


class Confidence(Part):
    """How sure the assistant must be."""

    offer_workflow: Share = Decimal("0.55")
    """Intent confidence below which no workflow is offered, whatever costs and `most_wrong` would allow."""
    most_wrong: Share = Decimal("0.05")
    """Share of messages that may be acted on with a wrong intent. Releases set the confidence from which they
    act so that the share stays below this in 95 of 100 cases; above one in twenty, customers notice."""
    question_helps: Share = Decimal("0.5")
    """Share of questions back after which the matter is clear; the others end with a human."""
    confirmed_though_wrong: Share = Decimal("0.02")
    """Share of wrongly offered workflows that a customer confirms all the same. Nothing acts unconfirmed."""
    scope_rejection: Share = Decimal("0.05")
    """Share of in-scope validation messages that may be taken for out of scope; sets the threshold at
    training."""


class Pattern(Part):
    """A named regular expression for values the built-in rules don't know."""

    name: Name
    pattern: Text


class Masking(Part):
    """Additions to the built-in masking rules."""

    keep: tuple[Pattern, ...] = ()
    """Values that look personal and aren't: order and invoice numbers."""
    mask: tuple[Pattern, ...] = ()
    """Values that are personal here; the name becomes the token, as in [ACCOUNT_1]."""
    documents: Literal["report", "mask", "refuse"] = "report"
    """What is done about personal data in knowledge documents: tell it in advice, take it out, or refuse."""
    document_keep: tuple[Pattern, ...] = ()
    """Values that documents may show, such as your own addresses; a pattern fits a whole value."""


class Judge(Part):
    """A second model that reads an answer before it is said, where a mistake is dear."""

    model: Name
    """A model of assistant.yaml; best another one than the one that answers."""
    categories: tuple[Name, ...]
    """Categories whose answers are judged. They are said whole, not sentence by sentence, and later."""
    deadline_seconds: Amount = Decimal("4")
    """How long to wait. Without a verdict the answer is given in the knowledge base's own words."""


class Guardrails(Part):
    """The whole of `guardrails.yaml`."""

    override_words: tuple[Text, ...] = ("agent", "human", "representative")
    risks: tuple[RiskRule, ...] = ()
    injection: Injection
    evidence: Evidence
    confidence: Confidence = Confidence()
    forbidden_promises: tuple[Text, ...] = ()
    """Phrases that never leave, whoever wrote them."""
    masking: Masking = Masking()
    out_of_scope_reply: Text
    judge: Judge | None = None
    """Needs prompts/judge.md."""
