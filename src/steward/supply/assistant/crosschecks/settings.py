"""Models, time zone, desk, guardrails, rollout, governance: references and values that fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from zoneinfo import available_timezones

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault, choice_of, nearest_of
from steward.supply.assistant.patterns import problem_of
from steward.supply.assistant.schema.governance import CONTROLS

_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?\Z")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d\Z")


def check_assistant(draft: Draft) -> Iterator[Fault]:
    """Yield faults of assistant.yaml."""
    assistant, file = draft.assistant, "assistant.yaml"
    if assistant is None:
        return
    if assistant.time_zone not in available_timezones():
        nearest = nearest_of(assistant.time_zone, available_timezones())
        said = f"time_zone '{assistant.time_zone}' isn't a zone's name, as in Europe/London"
        yield draft.fault(file, ("time_zone",), said, nearest=nearest)
    for code in assistant.other_languages:
        if not _LANGUAGE.match(code):
            said = f"'{code}' isn't a language's code, as in de or pt-BR"
            yield draft.fault(file, ("other_languages", code), said, key=True)
    known = draft.names(file, "models")
    for index, name in enumerate(assistant.answer_with):
        said = f"answer_with names model '{name}', which isn't among the models"
        yield from draft.unknown(file, ("answer_with", index), name, known=known, sentence=said)
    if not assistant.answer_with:
        said = "answer_with is empty; name at least one model (one of provider extractive needs no key)"
        yield draft.fault(file, ("answer_with",), said)
    for index, model in enumerate(assistant.models):
        if model.provider == "openai" and model.model is None:
            said = f"model '{model.name}' lacks the provider's name of it, as in `model: gpt-4.1-mini`"
            yield draft.fault(file, ("models", index), said)
        if not model.url.startswith(("http://", "https://")):
            said = f"url of model '{model.name}' must start with http:// or https://"
            yield draft.fault(file, ("models", index, "url"), said)


def check_desk(draft: Draft) -> Iterator[Fault]:
    """Yield faults of desk.yaml."""
    desk, file = draft.desk, "desk.yaml"
    if desk is None:
        return
    queues = draft.names(file, "queues")
    said = f"default_queue '{desk.default_queue}' isn't among the queues"
    yield from draft.unknown(file, ("default_queue",), desk.default_queue, known=queues, sentence=said)
    for index, hours in enumerate(desk.hours):
        odd = [key for key in ("opens", "closes") if not _TIME.match(getattr(hours, key))]
        for key in odd:
            if not (key == "closes" and hours.closes == "24:00"):
                said = f"{key} is '{getattr(hours, key)}'; the day has 00:00 to 23:59"
                yield draft.fault(file, ("hours", index, key), said)
        if not odd and hours.opens >= hours.closes:
            said = f"closes ({hours.closes}) must be after opens ({hours.opens}); write a night as two spans"
            yield draft.fault(file, ("hours", index, "closes"), said)


def check_guardrails(draft: Draft) -> Iterator[Fault]:
    """Yield faults of guardrails.yaml."""
    guardrails, file = draft.guardrails, "guardrails.yaml"
    if guardrails is None:
        return
    if not guardrails.override_words:
        said = "override_words is empty; at least one word must always bring a person"
        yield draft.fault(file, ("override_words",), said)
    yield from _judge_faults(draft)
    queues = draft.names("desk.yaml", "queues")
    for index, risk in enumerate(guardrails.risks):
        if risk.queue is not None:
            said = f"risk '{risk.name}' hands over to queue '{risk.queue}', which desk.yaml doesn't have"
            yield from draft.unknown(file, ("risks", index, "queue"), risk.queue, known=queues, sentence=said)
        if not risk.phrases and not risk.examples:
            said = f"risk '{risk.name}' has neither phrases nor examples, so it can never apply"
            yield draft.fault(file, ("risks", index), said)
    for kind in ("keep", "mask"):
        for index, pattern in enumerate(getattr(guardrails.masking, kind)):
            problem = problem_of(pattern.pattern)
            if problem is None and re.search(pattern.pattern, "") is not None:
                problem = "the pattern matches empty text; say what must be there"
            if problem is not None:
                yield draft.fault(file, ("masking", kind, index, "pattern"), problem)


def check_rollout(draft: Draft) -> Iterator[Fault]:
    """Yield faults of rollout.yaml."""
    rollout, file, before = draft.rollout, "rollout.yaml", None
    if rollout is None:
        return
    categories = draft.names("intents.yaml", "categories")
    for index, phase in enumerate(rollout.phases):
        path = ("phases", index, "share_percent")
        if phase.share_percent > 100:
            yield draft.fault(file, path, f"share_percent is {phase.share_percent}; it can't be above 100")
        elif before is not None and phase.share_percent < before.share_percent:
            said = (
                f"phase '{phase.name}' has a smaller share than '{before.name}' before it; a share only grows"
            )
            yield draft.fault(file, path, said)
        if phase.stage == "full" and before is not None and before.advance != "safe":
            said = f"phase '{before.name}' comes before '{phase.name}', so it must have `advance: safe`"
            yield draft.fault(file, ("phases", index - 1), said)
        for number, name in enumerate(phase.categories):
            said = f"phase '{phase.name}' names category '{name}', which intents.yaml doesn't have"
            place = ("phases", index, "categories", number)
            yield from draft.unknown(file, place, name, known=categories, sentence=said)
        before = phase if phase.stage != "internal" else before
    if rollout.baseline.kind == "external" and not (rollout.baseline.url or "").startswith("http"):
        said = "an external baseline needs `url`, the address of an OpenAI-compatible server up to /v1"
        yield draft.fault(file, ("baseline",), said)


def check_governance(draft: Draft) -> Iterator[Fault]:
    """Yield faults of governance.yaml."""
    governance, file = draft.governance, "governance.yaml"
    if governance is None:
        return
    categories = draft.names("intents.yaml", "categories")
    for index, case in enumerate(governance.use_cases):
        for number, name in enumerate(case.categories):
            said = f"use case '{case.name}' covers category '{name}', which intents.yaml doesn't have"
            path = ("use_cases", index, "categories", number)
            yield from draft.unknown(file, path, name, known=categories, sentence=said)
    for index, risk in enumerate(governance.risks):
        for number, control in enumerate(risk.controls):
            said = f"risk '{risk.name}' names control '{control}'; known are {choice_of(CONTROLS)}"
            path = ("risks", index, "controls", number)
            yield from draft.unknown(file, path, control, known=set(CONTROLS), sentence=said)
    kept: dict[str, int] = {}
    for index, rule in enumerate(governance.retention):
        if kept.setdefault(rule.data, index) != index:
            yield draft.fault(
                file, ("retention", index, "data"), f"'{rule.data}' has a retention already above"
            )


def _judge_faults(draft: Draft) -> Iterator[Fault]:
    """Yield what a judge names and the folder doesn't have."""
    file = "guardrails.yaml"
    judge = draft.guardrails.judge if draft.guardrails else None
    if judge is None:
        return
    said = f"the judge is model '{judge.model}', which isn't among the models of assistant.yaml"
    known = draft.names("assistant.yaml", "models")
    yield from draft.unknown(file, ("judge", "model"), judge.model, known=known, sentence=said)
    if draft.assistant and any(
        m.name == judge.model and m.provider != "openai" for m in draft.assistant.models
    ):
        said = f"the judge is model '{judge.model}', which only quotes and can't judge"
        yield draft.fault(file, ("judge", "model"), said)
    categories = draft.names("intents.yaml", "categories")
    for index, name in enumerate(judge.categories):
        said = f"the judge has category '{name}', which intents.yaml doesn't have"
        place = ("judge", "categories", index)
        yield from draft.unknown(file, place, name, known=categories, sentence=said)
    if "judge" not in draft.prompts:
        yield draft.fault(file, ("judge",), "a judge is named, but prompts/judge.md isn't there; write it")
