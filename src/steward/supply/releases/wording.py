"""Says what differs between two folders, a sentence for each change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel

from steward.supply.assistant.folder import Folder
from steward.supply.assistant.schema.assistant import Model
from steward.supply.models.pricing import estimate_tokens
from steward.supply.releases.difference import Area, Change, changed_lines
from steward.supply.releases.identity import makers_of
from steward.supply.releases.wording_content import documents, intents, workflows
from steward.supply.releases.wording_phrases import (
    amount,
    gone,
    listed,
    new,
    number_of,
    pairs,
    quoted,
)

MEANINGS: Final = {
    "evidence.answer_from": "The evidence that an answer needs",
    "evidence.passages": "The number of passages that an answer may stand on",
    "evidence.sentence_support": "The support that a sentence needs from its passage",
    "evidence.grounding": "The probability that its passages say what a sentence says",
    "confidence.offer_workflow": "The confidence from which a workflow is offered",
    "confidence.most_wrong": "The share of messages that may be offered something wrong",
    "confidence.question_helps": "The share of questions back that help",
    "confidence.confirmed_though_wrong": "The share of wrong offers that are confirmed",
    "evidence.answered_share": "The share of questions that the knowledge base answers",
    "evidence.believed_though_wrong": "The share of answers beside the point that are believed",
    "confidence.scope_rejection": "The share of fitting messages that may be taken for others",
    "injection.head_threshold": "The score from which the trained head finds new orders in a message",
    "injection.document_threshold": "The score from which a passage is kept from answers",
    "injection.threshold": "The likeness from which a message counts as an attempt to give new orders",
}
"""What thresholds are called before people; others are named by their place in the file."""
_MAKERS: Final = {
    "encoder": "It was made with another encoder, so messages are understood anew.",
    "retrieval": "Its knowledge is searched with another encoder.",
    "trainer": "Its intents were trained by another version of the trainer.",
    "splitter": "Its documents were split by another version of the splitter.",
    "seed": "Its intents were trained from another seed.",
    "heads": "Its heads for masking, guard and verification came with another version of Steward.",
}
_TEXTS: Final = (
    ("greeting", "The greeting"),
    ("title", "The name that customers see"),
    ("time_zone", "The time zone"),
    ("currency", "The currency"),
    ("channels", "The channels"),
)


def in_words(
    before: Folder, after: Folder, old_manifest: Mapping[str, Any], new_manifest: Mapping[str, Any]
) -> tuple[Change, ...]:
    """Say what differs, in the order of `Area`."""
    return (
        *_of(Area.MODELS, _models(before, after)),
        *_of(Area.PROMPTS, _prompts(before, after)),
        *_of(Area.INTENTS, intents(before.intents, after.intents)),
        *_of(Area.THRESHOLDS, _thresholds(before, after)),
        *_of(Area.GUARDRAILS, _guardrails(before, after)),
        *_of(Area.KNOWLEDGE, documents(before.documents, after.documents)),
        *_of(Area.WORKFLOWS, workflows(before.workflows, after.workflows)),
        *_of(Area.SYSTEMS, _systems(before, after)),
        *_of(Area.DESK, _desk(before, after)),
        *_of(Area.ASSISTANT, _assistant(before, after)),
        *_of(Area.ROLLOUT, leaves(before.rollout, after.rollout, "rollout.yaml")),
        *_of(Area.CASES, _cases(before, after)),
        *_of(Area.MAKERS, _makers(old_manifest, new_manifest)),
    )


def leaves(old: BaseModel, other: BaseModel, file: str, above: str = "") -> Iterator[str]:
    """Say which values of a part differ, each by its place; numbers and words with old and new value."""
    for key in type(old).model_fields:
        was, becomes = getattr(old, key), getattr(other, key)
        place = f"{above}{key}"
        if was == becomes:
            continue
        if isinstance(was, BaseModel) and isinstance(becomes, BaseModel):
            yield from leaves(was, becomes, file, f"{place}.")
        elif _is_plain(was) and _is_plain(becomes):
            named = MEANINGS.get(place, f"{place} in {file}")
            yield f"{named} goes from {amount(was)} to {amount(becomes)}."
        elif isinstance(was, tuple) and isinstance(becomes, tuple) and _named(was) and _named(becomes):
            yield from _items(was, becomes, file, place)
        else:
            yield f"{MEANINGS.get(place, f'{place} in {file}')} is another."


def _items(was: Sequence[Any], becomes: Sequence[Any], file: str, place: str) -> Iterator[str]:
    """Compare lists of parts that have names."""
    for name, old, other in pairs(
        {item_name(item): item for item in was}, {item_name(item): item for item in becomes}
    ):
        if old is None:
            yield f"{place} in {file} has {quoted(name)} in addition."
        elif other is None:
            yield f"{place} in {file} has {quoted(name)} no longer."
        else:
            yield from leaves(old, other, file, f"{place}.{name}.")


def item_name(item: Any) -> str:
    """Return what a list's part goes by: its name, or the figure that it is about."""
    return str(getattr(item, "name", None) or getattr(item, "kpi", ""))


def _named(items: Sequence[Any]) -> bool:
    return all(isinstance(item, BaseModel) and item_name(item) for item in items)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | Decimal)


def _of(area: Area, sentences: Iterator[str]) -> Iterator[Change]:
    return (Change(area, sentence) for sentence in sentences)


# ---------------------------------------------------------------- models and prompts


def _models(before: Folder, after: Folder) -> Iterator[str]:
    old, other = before.assistant, after.assistant
    for name, was, becomes in pairs(
        {model.name: model for model in old.models}, {model.name: model for model in other.models}
    ):
        if was is None:
            yield new("model", name, _priced(becomes))
        elif becomes is None:
            yield gone("model", name)
        elif was != becomes:
            yield from _model(name, was, becomes)
    if old.answer_with != other.answer_with:
        yield (
            f"Answers come from {listed(other.answer_with)}, in this order; before from "
            f"{listed(old.answer_with)}."
        )


def _model(name: str, was: Model, becomes: Model) -> Iterator[str]:
    if was.model != becomes.model or was.provider != becomes.provider:
        yield (
            f"The model {quoted(name)} is {becomes.model or becomes.provider} instead of "
            f"{was.model or was.provider}."
        )
    if was.prices != becomes.prices:
        yield f"The model {quoted(name)} costs {_price(becomes)}; before {_price(was)}."
    if was.url != becomes.url:
        yield f"The model {quoted(name)} is reached at another address."
    for key in ("first_token_deadline_seconds", "deadline_seconds", "max_output_tokens", "temperature"):
        if getattr(was, key) != getattr(becomes, key):
            yield (
                f"The model {quoted(name)}: {key} goes from {amount(getattr(was, key))} to "
                f"{amount(getattr(becomes, key))}."
            )


def _priced(model: Model | None) -> str:
    return "" if model is None else f"; it costs {_price(model)}"


def _price(model: Model) -> str:
    if model.provider == "extractive":
        return "nothing"
    if model.prices is None:
        return "what nobody has stated"
    prices = model.prices
    return (
        f"{amount(prices.input_per_million)} for a million tokens read and "
        f"{amount(prices.output_per_million)} for a million written"
    )


def _prompts(before: Folder, after: Folder) -> Iterator[str]:
    for name, was, becomes in pairs(before.prompts, after.prompts):
        if was is None or becomes is None:
            yield new("prompt", name) if was is None else gone("prompt", name)
            continue
        if was.template != becomes.template:
            added, removed = changed_lines(was.template, becomes.template)
            size, longer = estimate_tokens(becomes.template), estimate_tokens(was.template)
            yield (
                f"The prompt {quoted(name)} has {number_of(added, 'new line')} and "
                f"{number_of(removed, 'line')} less; it is about {size} tokens long instead of {longer}."
            )
        yield from leaves(was.meta, becomes.meta, f"the prompt {name}")


# ---------------------------------------------------------------- guardrails


def _thresholds(before: Folder, after: Folder) -> Iterator[str]:
    old, other = before.guardrails, after.guardrails
    for part in ("evidence", "confidence", "injection"):
        for sentence in leaves(getattr(old, part), getattr(other, part), "guardrails.yaml", f"{part}."):
            if sentence.startswith(tuple(MEANINGS.values())):
                yield sentence
    risks = pairs({rule.name: rule for rule in old.risks}, {rule.name: rule for rule in other.risks})
    for name, was, becomes in risks:
        if was is not None and becomes is not None and was.threshold != becomes.threshold:
            yield (
                f"The likeness from which the risk {quoted(name)} applies goes from "
                f"{amount(was.threshold)} to {amount(becomes.threshold)}."
            )


def _guardrails(before: Folder, after: Folder) -> Iterator[str]:
    old, other = before.guardrails, after.guardrails
    for name, was, becomes in pairs(
        {rule.name: rule for rule in old.risks}, {rule.name: rule for rule in other.risks}
    ):
        if was is None or becomes is None:
            yield new("risk rule", name) if was is None else gone("risk rule", name)
            continue
        if was.action != becomes.action:
            yield f"The risk rule {quoted(name)} does {becomes.action} instead of {was.action}."
        if (was.phrases, was.examples) != (becomes.phrases, becomes.examples):
            yield (
                f"The risk rule {quoted(name)} knows {number_of(len(becomes.phrases), 'phrase')} and "
                f"{number_of(len(becomes.examples), 'example')}; before {len(was.phrases)} and "
                f"{len(was.examples)}."
            )
        for key in ("reply", "priority", "queue"):
            if getattr(was, key) != getattr(becomes, key):
                yield f"The risk rule {quoted(name)} has another {key}."
    words = (
        ("override_words", "The words that call a human", old.override_words, other.override_words),
        ("forbidden", "The promises that never leave", old.forbidden_promises, other.forbidden_promises),
    )
    for _, named, was_words, words_now in words:
        if was_words != words_now:
            yield f"{named} are {listed(words_now) or 'none'}; before {listed(was_words) or 'none'}."
    if old.masking != other.masking:
        yield "What counts as personal data is another."
    for text, was_text, text_now in (
        ("question that asks back", old.evidence.ask_back, other.evidence.ask_back),
        ("reply to what it can't help with", old.out_of_scope_reply, other.out_of_scope_reply),
        ("reply to attempts to give new orders", old.injection.reply, other.injection.reply),
    ):
        if was_text != text_now:
            yield f"The {text} is worded otherwise."
    was_known = (*old.injection.phrases, *old.injection.examples)
    known_now = (*other.injection.phrases, *other.injection.examples)
    if was_known != known_now:
        yield (
            f"Attempts to give new orders are known by {number_of(len(known_now), 'example')}; before by "
            f"{len(was_known)}."
        )


# ---------------------------------------------------------------- the rest


def _systems(before: Folder, after: Folder) -> Iterator[str]:
    for name, was, becomes in pairs(
        {system.name: system for system in before.connectors.systems},
        {system.name: system for system in after.connectors.systems},
    ):
        if was is None or becomes is None:
            yield new("business system", name) if was is None else gone("business system", name)
            continue
        if was.url != becomes.url:
            yield f"The business system {quoted(name)} is reached at another address."
        for operation, old, other in pairs(
            {item.name: item for item in was.operations}, {item.name: item for item in becomes.operations}
        ):
            if old != other:
                state = "is new" if old is None else "is gone" if other is None else "is another"
                yield f"The operation {quoted(f'{name}.{operation}')} {state}."


def _desk(before: Folder, after: Folder) -> Iterator[str]:
    old, other = before.desk, after.desk
    for name, was, becomes in pairs(
        {queue.name: queue for queue in old.queues}, {queue.name: queue for queue in other.queues}
    ):
        if was is None or becomes is None:
            yield new("queue", name) if was is None else gone("queue", name)
        else:
            yield from leaves(was, becomes, f"the queue {name}")
    if old.hours != other.hours:
        yield "The opening hours of the desk are others."
    if old.default_queue != other.default_queue:
        yield f"Hand-overs without a category go to {other.default_queue} instead of {old.default_queue}."
    for key in ("hand_over_text", "out_of_hours_text", "give_back_text", "survey"):
        if getattr(old, key) != getattr(other, key):
            yield f"The desk's {key.replace('_', ' ')} is worded otherwise."


def _assistant(before: Folder, after: Folder) -> Iterator[str]:
    old, other = before.assistant, after.assistant
    for key, named in _TEXTS:
        was, becomes = getattr(old, key), getattr(other, key)
        if was == becomes:
            continue
        if key == "greeting":
            yield f"{named} is worded otherwise."
        elif isinstance(was, tuple):
            yield f"{named} are {listed(becomes)}; before {listed(was)}."
        else:
            yield f"{named} is {becomes} instead of {was}."
    if old.other_languages != other.other_languages:
        yield f"There is a sentence for {listed(sorted(other.other_languages)) or 'no other language'}."
    if old.business != other.business:
        yield from leaves(old.business, other.business, "assistant.yaml", "business.")
    if before.governance != after.governance:
        yield "Who answers for what, or the risk matrix, is another."


def _cases(before: Folder, after: Folder) -> Iterator[str]:
    found = list(pairs({case.name: case for case in before.cases}, {case.name: case for case in after.cases}))
    fresh = [name for name, was, _ in found if was is None]
    lost = [name for name, _, becomes in found if becomes is None]
    other = [name for name, was, becomes in found if was and becomes and was != becomes]
    for names, state in ((fresh, "new"), (lost, "gone"), (other, "another")):
        if names:
            verb = "is" if len(names) == 1 else "are"
            yield f"{number_of(len(names), 'evaluation case')} {verb} {state}: {listed(names, most=6)}."


def _makers(old_manifest: Mapping[str, Any], new_manifest: Mapping[str, Any]) -> Iterator[str]:
    old, other = makers_of(old_manifest), makers_of(new_manifest)
    for what, sentence in _MAKERS.items():
        if getattr(old, what) != getattr(other, what):
            yield sentence
