"""Advice on a folder without faults: what works, and would work better or last longer otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Final

from steward.govern.policy.controls import BY_PROBE
from steward.supply.assistant.crosschecks.content import file_that_describes
from steward.supply.assistant.crosschecks.intents import normalised
from steward.supply.assistant.faults import Fault, shortened
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.personal_documents import personal_finds
from steward.supply.assistant.yaml_nodes import Path

ENOUGH_EXAMPLES: Final = 20
"""Below this, accuracy of an intent on held-out messages falls quickly."""
ENOUGH_OUT_OF_SCOPE: Final = 20


def advise(
    folder: Folder, *, today: date, secret_is_set: Callable[[str], bool] | None = None
) -> tuple[Fault, ...]:
    """Return advice at its places, sorted like faults; an empty tuple where all is well.

    Args:
        folder: the folder, which has no faults.
        today: the day on which dates are judged.
        secret_is_set: tells whether this installation has a secret; None leaves secrets out.
    """
    found = [*_intents(folder), *_documents(folder, today), *_connectors(folder), *_governance(folder)]
    if folder.guardrails.masking.documents != "refuse":
        found.extend(personal_finds(folder))
    if secret_is_set is not None:
        found.extend(_secrets(folder, secret_is_set))
    return tuple(sorted(found, key=lambda fault: (fault.file, fault.line or 0, fault.column or 0)))


def _at(folder: Folder, file: str, path: Path, sentence: str) -> Fault:
    source = folder.sources[file]
    place = source.place(path)
    return Fault(source.shown, place.line, place.column, sentence)


def _intents(folder: Folder) -> Iterator[Fault]:
    file, intents = "intents.yaml", folder.intents
    used = {intent.category for intent in intents.intents}
    for index, category in enumerate(intents.categories):
        if category.name not in used:
            said = f"category '{category.name}' has no intents"
            yield _at(folder, file, ("categories", index, "name"), said)
    for index, intent in enumerate(intents.intents):
        count = len(intent.examples)
        if count < ENOUGH_EXAMPLES:
            said = f"intent '{intent.name}' has {count} examples; {ENOUGH_EXAMPLES} or more make it reliable"
            yield _at(folder, file, ("intents", index, "examples"), said)
        seen: set[str] = set()
        for number, example in enumerate(intent.examples):
            if normalised(example) in seen:
                said = f"'{shortened(example)}' stands twice among the examples of '{intent.name}'"
                yield _at(folder, file, ("intents", index, "examples", number), said)
            seen.add(normalised(example))
    if not any(intent.hand_over for intent in intents.intents):
        said = "no intent has `hand_over: true`; only override words will bring a person"
        yield _at(folder, file, ("intents",), said)
    if len(intents.out_of_scope) < ENOUGH_OUT_OF_SCOPE:
        count = len(intents.out_of_scope)
        said = f"out_of_scope has {count} messages; from {ENOUGH_OUT_OF_SCOPE} on it is learned well"
        yield _at(folder, file, ("out_of_scope",), said)


def _documents(folder: Folder, today: date) -> Iterator[Fault]:
    for document in folder.documents:
        meta = document.meta
        file = file_that_describes(folder.sources, document.path)
        if file is None:
            continue
        if meta.valid_until is not None and meta.valid_until < today:
            said = f"the document expired on {meta.valid_until} and is never found"
            yield _at(folder, file, ("valid_until",), said)
        elif meta.review_by is not None and meta.review_by < today:
            said = f"the document should have been reviewed by {meta.review_by}"
            yield _at(folder, file, ("review_by",), said)


def _connectors(folder: Folder) -> Iterator[Fault]:
    for index, system in enumerate(folder.connectors.systems):
        for number, operation in enumerate(system.operations):
            if operation.effect == "write" and operation.find is None:
                said = f"'{operation.name}' writes and has no `find`: a person must settle each lost answer"
                path = ("systems", index, "operations", number)
                yield _at(folder, "connectors.yaml", path, said)


def _governance(folder: Folder) -> Iterator[Fault]:
    if folder.governance is None:
        return
    covered = {name for case in folder.governance.use_cases for name in case.categories}
    for category in folder.intents.categories:
        if category.name not in covered:
            said = f"no use case covers category '{category.name}', so nobody is named as accountable for it"
            yield _at(folder, "governance.yaml", ("use_cases",), said)
    tested = {control for case in folder.cases for control in case.controls}
    for index, risk in enumerate(folder.governance.risks):
        if risk.score < folder.governance.high_risk:
            continue
        for number, control in enumerate(risk.controls):
            if control not in tested and control not in BY_PROBE:
                said = (
                    f"no case tests control '{control}', so it doesn't count against high risk '{risk.name}'"
                )
                yield _at(folder, "governance.yaml", ("risks", index, "controls", number), said)


def _secrets(folder: Folder, secret_is_set: Callable[[str], bool]) -> Iterator[Fault]:
    for index, model in enumerate(folder.assistant.models):
        if model.secret is not None and not secret_is_set(model.secret):
            said = f"secret {model.secret} isn't set here, so model '{model.name}' is passed over"
            yield _at(folder, "assistant.yaml", ("models", index, "secret"), said)
    for index, system in enumerate(folder.connectors.systems):
        if system.secret is not None and not secret_is_set(system.secret):
            said = f"secret {system.secret} isn't set here, so calls of '{system.name}' carry no token"
            yield _at(folder, "connectors.yaml", ("systems", index, "secret"), said)
