"""Which schema each YAML file of a folder has, and which folders there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import BaseModel

from steward.supply.assistant.schema.assistant import Assistant
from steward.supply.assistant.schema.cases import Cases
from steward.supply.assistant.schema.connectors import Connectors
from steward.supply.assistant.schema.desk import Desk
from steward.supply.assistant.schema.governance import Governance
from steward.supply.assistant.schema.guardrails import Guardrails
from steward.supply.assistant.schema.intents import Intents
from steward.supply.assistant.schema.rollout import Rollout
from steward.supply.assistant.schema.workflow import Workflow

REQUIRED: Final = ("assistant.yaml", "intents.yaml", "guardrails.yaml", "desk.yaml", "prompts/answer.md")
TOP_FILES: Final[Mapping[str, type[BaseModel]]] = {
    "assistant.yaml": Assistant,
    "intents.yaml": Intents,
    "guardrails.yaml": Guardrails,
    "desk.yaml": Desk,
    "connectors.yaml": Connectors,
    "rollout.yaml": Rollout,
    "governance.yaml": Governance,
}
FILES_IN: Final[Mapping[str, type[BaseModel]]] = {"workflows": Workflow, "cases": Cases}
"""Schema of every YAML file in a folder."""
TOP_FOLDERS: Final = ("workflows", "prompts", "knowledge", "cases")
DOCUMENT_KINDS: Final = (".md", ".markdown", ".html", ".htm", ".txt", ".pdf", ".docx", ".csv")
SIDECAR: Final = ".meta.yaml"
"""Ending of a file that describes the document beside it."""
