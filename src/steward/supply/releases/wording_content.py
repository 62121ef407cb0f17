"""Says what differs in intents, documents and workflows, a sentence for each change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from steward.supply.assistant.folder import DocumentFile
from steward.supply.assistant.schema.intents import Category, Intent, Intents
from steward.supply.assistant.schema.workflow import Approval, Workflow
from steward.supply.releases.difference import MOST_LINES, changed_lines
from steward.supply.releases.wording_phrases import (
    SHOWN,
    amount,
    gone,
    listed,
    new,
    number_of,
    pairs,
    quoted,
)


def intents(before: Intents, after: Intents) -> Iterator[str]:
    """Compare categories, intents, and what is nobody's business."""
    for name, was, becomes in pairs(
        {item.name: item for item in before.categories}, {item.name: item for item in after.categories}
    ):
        if was is None and becomes is not None:
            yield new("category", name, f"; its risk is {becomes.risk.value}")
        elif becomes is None:
            yield gone("category", name)
        elif was is not None and was != becomes:
            yield from _category(name, was, becomes)
    for name, old, other in pairs(
        {item.name: item for item in before.intents}, {item.name: item for item in after.intents}
    ):
        if old is None and other is not None:
            yield new("intent", name, f", with {number_of(len(other.examples), 'example')}")
        elif other is None and old is not None:
            yield gone("intent", name, f"; it had {number_of(len(old.examples), 'example')}")
        elif old is not None and other is not None and old != other:
            yield from _intent(name, old, other)
    if before.out_of_scope != after.out_of_scope:
        yield _moved("The messages that it can't help with", before.out_of_scope, after.out_of_scope)


def _category(name: str, was: Category, becomes: Category) -> Iterator[str]:
    if was.risk != becomes.risk:
        yield f"The category {quoted(name)} is of {becomes.risk.value} risk instead of {was.risk.value}."
    for key in ("queue", "owner", "title"):
        if getattr(was, key) != getattr(becomes, key):
            yield (
                f"The category {quoted(name)} has the {key} {quoted(getattr(becomes, key))} instead of "
                f"{quoted(getattr(was, key))}."
            )
    for key in type(was.expected_costs).model_fields:
        old, other = getattr(was.expected_costs, key), getattr(becomes.expected_costs, key)
        if old != other:
            yield (
                f"In the category {quoted(name)} a {key.replace('_', ' ')} counts {amount(other)} instead of "
                f"{amount(old)}."
            )


def _intent(name: str, was: Intent, becomes: Intent) -> Iterator[str]:
    if was.examples != becomes.examples:
        yield _moved(f"The examples of the intent {quoted(name)}", was.examples, becomes.examples)
    if was.counter_examples != becomes.counter_examples:
        yield _moved(
            f"The counter-examples of the intent {quoted(name)}",
            was.counter_examples,
            becomes.counter_examples,
        )
    if was.category != becomes.category:
        yield f"The intent {quoted(name)} is in the category {becomes.category} instead of {was.category}."
    if was.title != becomes.title:
        yield f"The intent {quoted(name)} is called {quoted(becomes.title)} instead of {quoted(was.title)}."
    if was.workflow != becomes.workflow:
        yield (
            f"The intent {quoted(name)} offers {_workflow(becomes.workflow)} instead of "
            f"{_workflow(was.workflow)}."
        )
    if was.reply != becomes.reply:
        has = "no longer has a" if becomes.reply is None else "has another" if was.reply else "has a"
        yield f"The intent {quoted(name)} {has} fixed reply."
    if was.hand_over != becomes.hand_over:
        hands = "always hands over" if becomes.hand_over else "doesn't hand over by itself any longer"
        yield f"The intent {quoted(name)} {hands}."


def _workflow(name: str | None) -> str:
    return "no workflow" if name is None else f"the workflow {quoted(name)}"


def _moved(named: str, before: Sequence[str], after: Sequence[str]) -> str:
    came, went = len(set(after) - set(before)), len(set(before) - set(after))
    if not came and not went:
        return f"{named} stand in another order."
    return f"{named}: {came} came, {went} went; there are {len(after)} instead of {len(before)}."


# ---------------------------------------------------------------- knowledge


def documents(before: Sequence[DocumentFile], after: Sequence[DocumentFile]) -> Iterator[str]:
    """Compare documents; many of a kind are told together."""
    old = {document.path: document for document in before}
    other = {document.path: document for document in after}
    came, went = sorted(other.keys() - old.keys()), sorted(old.keys() - other.keys())
    for names, state in ((came, "new"), (went, "gone")):
        if len(names) > SHOWN:
            yield f"{len(names)} documents are {state}: {listed(names)}."
        else:
            yield from (f"The document {quoted(name)} is {state}." for name in names)
    changed = [path for path in sorted(old.keys() & other.keys()) if old[path] != other[path]]
    if len(changed) > SHOWN:
        yield f"{len(changed)} documents say something else: {listed(changed)}."
        return
    for path in changed:
        yield from _document(old[path], other[path])


def _document(was: DocumentFile, becomes: DocumentFile) -> Iterator[str]:
    if was.content != becomes.content:
        yield f"The document {quoted(was.path)} says something else{_lines(was.content, becomes.content)}."
    if was.meta.audience != becomes.meta.audience:
        yield (
            f"The document {quoted(was.path)} is for the audience {becomes.meta.audience.value} instead of "
            f"{was.meta.audience.value}."
        )
    for key, named in (("valid_from", "holds from"), ("valid_until", "holds until")):
        old, other = getattr(was.meta, key), getattr(becomes.meta, key)
        if old != other:
            yield (
                f"The document {quoted(was.path)} {named} {other or 'no stated day'} instead of "
                f"{old or 'no stated day'}."
            )
    others = [
        key
        for key in type(was.meta).model_fields
        if key not in ("audience", "valid_from", "valid_until")
        and getattr(was.meta, key) != getattr(becomes.meta, key)
    ]
    if others:
        named = listed([key.replace("_", " ") for key in others])
        yield f"The document {quoted(was.path)} is described otherwise: {named}."


def _lines(before: bytes, after: bytes) -> str:
    try:
        old, other = before.decode(), after.decode()
    except UnicodeDecodeError:
        return ""
    if old.count("\n") + other.count("\n") > MOST_LINES:
        return ""
    came, went = changed_lines(old, other)
    return f": {number_of(came, 'new line')}, {number_of(went, 'line')} less" if came or went else ""


# ---------------------------------------------------------------- workflows


def workflows(before: Mapping[str, Workflow], after: Mapping[str, Workflow]) -> Iterator[str]:
    """Compare workflows by what they ask, check and do."""
    for name, was, becomes in pairs(before, after):
        if was is None or becomes is None:
            yield new("workflow", name) if was is None else gone("workflow", name)
        elif was != becomes:
            told = list(_changed(name, was, becomes))
            yield from told or [f"The workflow {quoted(name)} is worded otherwise."]


def _changed(name: str, was: Workflow, becomes: Workflow) -> Iterator[str]:
    named = f"The workflow {quoted(name)}"
    for slot, old, other in pairs(
        {item.name: item for item in was.slots}, {item.name: item for item in becomes.slots}
    ):
        if old != other:
            yield (
                f"{named} asks for '{slot}' as well."
                if old is None
                else f"{named} doesn't ask for '{slot}' any longer."
                if other is None
                else f"{named} asks for '{slot}' in another way."
            )
    for check, before, after in pairs(
        {item.name: item for item in was.checks}, {item.name: item for item in becomes.checks}
    ):
        if before != after:
            state = (
                "checks" if before is None else "no longer checks" if after is None else "checks otherwise"
            )
            yield f"{named} {state} {quoted(check)} before it asks to go on."
    if was.approval != becomes.approval:
        yield f"{named} {_approval(becomes.approval)}; before, it {_approval(was.approval)}."
    if was.steps != becomes.steps:
        yield (
            f"{named} does {listed([step.call for step in becomes.steps])}; before, "
            f"{listed([step.call for step in was.steps])}"
            f"{', with other values' if _calls(was) == _calls(becomes) else ''}."
        )
    if was.once_per != becomes.once_per:
        yield f"{named} happens once per {becomes.once_per} instead of once per {was.once_per}."
    if was.category != becomes.category:
        yield f"{named} is in the category {becomes.category} instead of {was.category}."
    worded = [
        what
        for key, what in (
            ("offer", "its offer"),
            ("confirm", "its question before it acts"),
            ("say", "its results"),
        )
        if getattr(was, key) != getattr(becomes, key)
    ]
    if worded:
        yield f"{named} words {listed(worded)} otherwise."


def _approval(approval: Approval | None) -> str:
    if approval is None:
        return "needs nobody's approval"
    when = "always" if approval.when == "always" else f"when {approval.when}"
    return f"needs the approval of an {approval.role} {when}"


def _calls(workflow: Workflow) -> list[str]:
    return [step.call for step in workflow.steps]
