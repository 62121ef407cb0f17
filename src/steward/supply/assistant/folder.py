"""The assistant folder in memory: frozen, validated, and the only form that other parts see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from steward.supply.assistant.schema.assistant import Assistant
from steward.supply.assistant.schema.cases import Case
from steward.supply.assistant.schema.connectors import Connectors
from steward.supply.assistant.schema.desk import Desk
from steward.supply.assistant.schema.documents import DocumentMeta, PromptMeta
from steward.supply.assistant.schema.governance import Governance
from steward.supply.assistant.schema.guardrails import Guardrails
from steward.supply.assistant.schema.intents import Category, Intent, Intents
from steward.supply.assistant.schema.rollout import Rollout
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.assistant.yaml_nodes import Node, Path, Place, key_place_of, place_of


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt's front matter and its template (Jinja, rendered by `prompts.render`)."""

    meta: PromptMeta
    template: str


@dataclass(frozen=True, slots=True)
class DocumentFile:
    """A knowledge document as it lies in the folder.

    `path` is below `knowledge/`, as cases cite it. `content` is what follows the front matter;
    `front_matter_lines` is how many lines were taken off its top.
    """

    path: str
    content: bytes
    meta: DocumentMeta
    front_matter_lines: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where the parts of one file stand; `shown` is how messages name the file."""

    shown: str
    tree: Node

    def place(self, path: Path) -> Place:
        """Return the place of the value at a path."""
        return place_of(self.tree, path)

    def key_place(self, path: Path) -> Place:
        """Return the place of the last key of a path."""
        return key_place_of(self.tree, path)


@dataclass(frozen=True, slots=True)
class Folder:
    """A whole assistant, read and checked.

    `name` is the assistant's name. `files` are the bytes of everything that shapes behaviour, by
    path; `sources` tells where each part of a YAML file stands, for messages only.
    """

    name: str
    assistant: Assistant
    intents: Intents
    workflows: Mapping[str, Workflow]
    connectors: Connectors
    guardrails: Guardrails
    desk: Desk
    rollout: Rollout
    governance: Governance | None
    prompts: Mapping[str, Prompt]
    documents: tuple[DocumentFile, ...]
    cases: tuple[Case, ...]
    files: Mapping[str, bytes]
    sources: Mapping[str, Source] = field(default_factory=dict, repr=False, compare=False)

    def category(self, name: str) -> Category:
        """Return a category by name.

        Raises:
            KeyError: the folder has no such category.
        """
        return {category.name: category for category in self.intents.categories}[name]

    def intent(self, name: str) -> Intent:
        """Return an intent by name.

        Raises:
            KeyError: the folder has no such intent.
        """
        return {intent.name: intent for intent in self.intents.intents}[name]
