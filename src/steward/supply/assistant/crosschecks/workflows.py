"""Workflows: what they call exists and fits, and their texts name only what is known by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from steward.supply.assistant.conditions import Condition, ConditionError
from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault, nearest_of
from steward.supply.assistant.patterns import problem_of
from steward.supply.assistant.schema.connectors import Operation
from steward.supply.assistant.schema.workflow import Arguments, Slot, Workflow
from steward.supply.assistant.texts import TextError, placeholders
from steward.supply.assistant.yaml_nodes import Path

CLAIMS: Final = "customer"
"""Root of the verified customer's claims, known from the first word on."""


def check_workflows(draft: Draft) -> Iterator[Fault]:
    """Yield faults of every workflow."""
    operations = _operations(draft)
    for name, workflow in draft.workflows.items():
        yield from _Check(draft, f"workflows/{name}.yaml", workflow, operations).faults()


def _operations(draft: Draft) -> Mapping[str, Operation]:
    if draft.connectors is None:
        return {}
    return {
        f"{system.name}.{operation.name}": operation
        for system in draft.connectors.systems
        for operation in system.operations
    }


class _Check:
    """Walks one workflow in the order in which it runs, knowing more names at each step.

    `_fields` are names whose value is a group (results of checks and steps, claims); `_single`
    are slots, which have no fields. `_unjudged` are names of entries that have faults of their own.
    """

    def __init__(
        self, draft: Draft, file: str, workflow: Workflow, operations: Mapping[str, Operation]
    ) -> None:
        self._draft = draft
        self._file = file
        self._workflow = workflow
        self._operations = operations
        self._single: set[str] = set()
        self._fields: set[str] = {CLAIMS}
        named = {name for part in ("slots", "checks", "steps") for name in draft.names(file, part) or ()}
        self._unjudged = named - {*self._all_names()}

    def faults(self) -> Iterator[Fault]:
        workflow = self._workflow
        known = self._draft.names("intents.yaml", "categories")
        said = f"the workflow belongs to category '{workflow.category}', which intents.yaml doesn't have"
        yield from self._draft.unknown(
            self._file, ("category",), workflow.category, known=known, sentence=said
        )
        yield from self._doubled()
        yield from self._text(("offer",), workflow.offer)
        yield from self._slots()
        yield from self._checks()
        yield from self._text(("confirm",), workflow.confirm)
        if workflow.approval is not None:
            yield from self._condition(("approval", "when"), workflow.approval.when)
            yield from self._text(("approval", "say"), workflow.approval.say)
        yield from self._once_per()
        yield from self._text(("say", "cancelled"), workflow.say.cancelled)
        yield from self._text(("say", "failed"), workflow.say.failed)
        yield from self._text(("say", "unknown"), workflow.say.unknown)
        yield from self._steps()
        yield from self._text(("say", "done"), workflow.say.done)

    def _doubled(self) -> Iterator[Fault]:
        """Slots, checks and steps share one space of names, because texts name them alike."""
        workflow, seen = self._workflow, dict[str, str]()
        parts: tuple[tuple[str, Iterable[str]], ...] = (
            ("slots", [slot.name for slot in workflow.slots]),
            ("checks", [check.name for check in workflow.checks]),
            ("steps", [step.name for step in workflow.steps]),
        )
        for kind, names in parts:
            for index, name in enumerate(names):
                if name in seen:
                    said = f"'{name}' already names one of the {seen[name]}; texts couldn't tell them apart"
                    yield self._fault((kind, index, "name"), said)
                seen.setdefault(name, kind)

    def _slots(self) -> Iterator[Fault]:
        for index, slot in enumerate(self._workflow.slots):
            yield from self._text(("slots", index, "ask"), slot.ask)
            if slot.explain is not None:
                yield from self._text(("slots", index, "explain"), slot.explain)
            yield from self._slot_type(index, slot)
            self._single.add(slot.name)

    def _slot_type(self, index: int, slot: Slot) -> Iterator[Fault]:
        if slot.type == "choice" and len(slot.choices) < 2:
            yield self._fault(
                ("slots", index, "type"), f"slot '{slot.name}' is a choice; name two choices or more"
            )
        if slot.type != "choice" and slot.choices:
            said = f"slot '{slot.name}' has choices; its type must be choice"
            yield self._fault(("slots", index, "choices"), said)
        if slot.pattern is None:
            return
        if slot.type != "text":
            said = f"slot '{slot.name}' has a pattern, which only type text reads"
            yield self._fault(("slots", index, "pattern"), said)
        elif (problem := problem_of(slot.pattern)) is not None:
            yield self._fault(("slots", index, "pattern"), problem)

    def _checks(self) -> Iterator[Fault]:
        for index, check in enumerate(self._workflow.checks):
            path = ("checks", index)
            yield from self._call(path, f"check '{check.name}'", check.call, check.arguments, effect="read")
            self._fields.add(check.name)
            if check.require is not None:
                yield from self._condition((*path, "require"), check.require)
                if check.otherwise is None:
                    said = f"check '{check.name}' requires something; say in `otherwise` what happens if not"
                    yield self._fault((*path, "require"), said)
            if check.otherwise is not None:
                yield from self._text((*path, "otherwise", "say"), check.otherwise.say)

    def _once_per(self) -> Iterator[Fault]:
        yield from self._text(("once_per",), self._workflow.once_per)
        try:
            named = placeholders(self._workflow.once_per)
        except TextError:
            return
        if not named:
            said = "once_per names no value in braces, so this could only ever happen once for all customers"
            yield self._fault(("once_per",), said)

    def _steps(self) -> Iterator[Fault]:
        for index, step in enumerate(self._workflow.steps):
            path = ("steps", index)
            yield from self._call(path, f"step '{step.name}'", step.call, step.arguments, effect="write")
            self._fields.add(step.name)
            if step.undo is not None:
                who = f"undo of step '{step.name}'"
                undo = (*path, "undo")
                yield from self._call(undo, who, step.undo.call, step.undo.arguments, effect="write")

    def _call(self, path: Path, who: str, call: str, given: Arguments, *, effect: str) -> Iterator[Fault]:
        known = self._draft.operation_names()
        said = f"{who} calls {call}, which connectors.yaml doesn't offer"
        yield from self._draft.unknown(self._file, (*path, "call"), call, known=known, sentence=said)
        for name, value in given.items():
            if isinstance(value, str):
                yield from self._text((*path, "with", name), value)
        operation = self._operations.get(call)
        if operation is None:
            return
        if operation.effect != effect:
            must = "a check may only read" if effect == "read" else "a step must write"
            yield self._fault((*path, "call"), f"{who} calls {call}, which is a {operation.effect}; {must}")
        for name in given:
            if name not in operation.arguments:
                said = f"{who} gives '{name}', which {call} doesn't take"
                nearest = nearest_of(name, operation.arguments)
                yield self._fault((*path, "with", name), said, nearest=nearest, key=True)
        for name in placeholders(operation.path) if "{" in operation.path else ():
            if name in operation.arguments and name not in given:
                said = f"{who} doesn't give '{name}', which stands in the path of {call}"
                yield self._fault((*path, "call"), said)

    def _condition(self, path: Path, text: str) -> Iterator[Fault]:
        try:
            condition = Condition.parse(text)
        except ConditionError as error:
            yield self._fault(path, str(error))
            return
        if condition.path is not None:
            yield from self._named(path, condition.path)

    def _text(self, path: Path, text: str) -> Iterator[Fault]:
        try:
            named = placeholders(text)
        except TextError as error:
            yield self._fault(path, str(error))
            return
        for value in named:
            yield from self._named(path, value)

    def _named(self, path: Path, value: str) -> Iterator[Fault]:
        root, _, field = value.partition(".")
        if root in self._unjudged:
            return
        if root in self._single and field:
            yield self._fault(
                path, f"{{{value}}} names a field, but the slot '{root}' has none", nearest=root
            )
        elif root in self._fields and not field:
            yield self._fault(
                path, f"{{{value}}} is a whole result; name one of its fields, as in {{{value}.found}}"
            )
        elif root not in self._single and root not in self._fields:
            later = {*self._all_names()} - self._single - self._fields
            why = (
                "isn't known yet at this point"
                if root in later
                else "is neither a slot nor a check nor a step"
            )
            near = nearest_of(root, self._single | self._fields)
            yield self._fault(path, f"{{{value}}} {why}", nearest=near)

    def _all_names(self) -> Iterator[str]:
        workflow = self._workflow
        for part in (workflow.slots, workflow.checks, workflow.steps):
            yield from (item.name for item in part)

    def _fault(self, path: Path, sentence: str, *, nearest: str | None = None, key: bool = False) -> Fault:
        return self._draft.fault(self._file, path, sentence, nearest=nearest, key=key)
