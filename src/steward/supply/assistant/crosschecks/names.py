"""Names stand once: in each list of named things, the second of a name is a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault
from steward.supply.assistant.yaml_nodes import ListNode, Path, ScalarNode, at, child

_LISTS: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    ("assistant.yaml", ("models",), "model"),
    ("intents.yaml", ("categories",), "category"),
    ("intents.yaml", ("intents",), "intent"),
    ("guardrails.yaml", ("risks",), "risk"),
    ("guardrails.yaml", ("masking", "keep"), "pattern"),
    ("guardrails.yaml", ("masking", "mask"), "pattern"),
    ("desk.yaml", ("queues",), "queue"),
    ("connectors.yaml", ("systems",), "system"),
    ("rollout.yaml", ("phases",), "phase"),
    ("governance.yaml", ("use_cases",), "use case"),
    ("governance.yaml", ("risks",), "risk"),
)


def check_names(draft: Draft) -> Iterator[Fault]:
    """Yield a fault for each name that is given twice in one list."""
    for file, path, kind in _LISTS:
        yield from _twice(draft, file, path, kind)
    systems = at(draft.raw["connectors.yaml"], ("systems",)) if "connectors.yaml" in draft.raw else None
    for index in range(len(systems.items) if isinstance(systems, ListNode) else 0):
        yield from _twice(draft, "connectors.yaml", ("systems", index, "operations"), "operation")
    cases: dict[str, str] = {}
    for file in sorted(draft.raw):
        if file.startswith("cases/"):
            yield from _twice(draft, file, ("cases",), "case", seen=cases)


def _twice(
    draft: Draft, file: str, path: Path, kind: str, *, seen: dict[str, str] | None = None
) -> Iterator[Fault]:
    tree = draft.raw.get(file)
    items = at(tree, path) if tree is not None else None
    if not isinstance(items, ListNode):
        return
    places: dict[str, str] = {} if seen is None else seen
    for item in items.items:
        name = child(item, "name")
        if not isinstance(name, ScalarNode) or not isinstance(name.value, str):
            continue
        first = places.setdefault(name.value, f"{file}:{name.place.line}")
        if first != f"{file}:{name.place.line}":
            where = f"line {first.rpartition(':')[2]}" if first.startswith(f"{file}:") else first
            said = f"{kind} '{name.value}' stands here twice; the first is on {where}"
            if not first.startswith(f"{file}:"):
                said = f"{kind} '{name.value}' is named a second time; the first is at {where}"
            yield Fault(draft.shown(file), name.place.line, name.place.column, said)
