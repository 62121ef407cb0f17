"""A folder on its way: what could be read so far, with names and places for the cross-checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from steward.supply.assistant.faults import Fault, nearest_of
from steward.supply.assistant.folder import DocumentFile, Prompt, Source
from steward.supply.assistant.schema.assistant import Assistant
from steward.supply.assistant.schema.base import proper_name
from steward.supply.assistant.schema.cases import Cases
from steward.supply.assistant.schema.connectors import Connectors
from steward.supply.assistant.schema.desk import Desk
from steward.supply.assistant.schema.governance import Governance
from steward.supply.assistant.schema.guardrails import Guardrails
from steward.supply.assistant.schema.intents import Intents
from steward.supply.assistant.schema.rollout import Rollout
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.assistant.yaml_nodes import ListNode, Node, Path, ScalarNode, at, child


@dataclass(slots=True)
class Draft:
    """What has been read. A part is None where its file is missing or couldn't be saved.

    `sources` hold what the models were made of; `raw` the whole trees, faulty entries included,
    so that a name counts as defined even where its entry has another fault. `broken` are files
    whose names can't be known, so references into them aren't judged.
    """

    above: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    raw: dict[str, Node] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    assistant: Assistant | None = None
    intents: Intents | None = None
    guardrails: Guardrails | None = None
    desk: Desk | None = None
    connectors: Connectors | None = None
    rollout: Rollout | None = None
    governance: Governance | None = None
    workflows: dict[str, Workflow] = field(default_factory=dict)
    cases: dict[str, Cases] = field(default_factory=dict)
    prompts: dict[str, Prompt] = field(default_factory=dict)
    documents: list[DocumentFile] = field(default_factory=list)
    document_paths: set[str] = field(default_factory=set)
    workflow_names: set[str] = field(default_factory=set)

    def shown(self, path: str) -> str:
        """Return how messages name a file."""
        return f"{self.above}/{path}" if self.above else path

    def fault(
        self, file: str, path: Path, sentence: str, *, nearest: str | None = None, key: bool = False
    ) -> Fault:
        """Make a fault at a value (or at its key) of a file that was read."""
        source = self.sources[file]
        place = source.key_place(path) if key else source.place(path)
        return Fault(self.shown(file), place.line, place.column, sentence, nearest)

    def names(self, file: str, *path: str) -> set[str] | None:
        """Return the `name` of each entry of a list, faulty entries included.

        None means that they can't be known, because the file or the list couldn't be read.
        """
        if file in self.broken:
            return None
        return set(_names(at(self.raw[file], path))) if file in self.raw else set()

    def operation_names(self) -> set[str] | None:
        """Return `system.operation` of everything that connectors.yaml offers, faulty entries included."""
        if "connectors.yaml" in self.broken:
            return None
        systems = at(self.raw["connectors.yaml"], ("systems",)) if "connectors.yaml" in self.raw else None
        items = systems.items if isinstance(systems, ListNode) else ()
        return {
            f"{system}.{operation}"
            for item in items
            for system in _names(ListNode(item.place, (item,)))
            for operation in _names(at(item, ("operations",)))
        }

    def unknown(
        self, file: str, path: Path, name: str, *, known: set[str] | None, sentence: str
    ) -> Iterator[Fault]:
        """Yield a fault when a name isn't among the known ones (unless those can't be known)."""
        if known is not None and name not in known:
            yield self.fault(file, path, sentence, nearest=nearest_of(name, known))


def _names(node: Node) -> Iterator[str]:
    """Yield the names; one that isn't well formed counts as the name that it was meant to be."""
    if isinstance(node, ListNode):
        for item in node.items:
            name = child(item, "name")
            if isinstance(name, ScalarNode) and isinstance(name.value, str):
                yield proper_name(name.value) or name.value
