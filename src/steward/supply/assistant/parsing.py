"""Reads each file of a folder by its place: YAML parts, prompts, knowledge documents, cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import TypeVar

from pydantic import BaseModel

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault, choice_of, nearest_of
from steward.supply.assistant.folder import DocumentFile, Prompt, Source
from steward.supply.assistant.front_matter import FIRST_LINE, split_front_matter
from steward.supply.assistant.places import DOCUMENT_KINDS, REQUIRED, SIDECAR, TOP_FILES, TOP_FOLDERS
from steward.supply.assistant.schema.assistant import Assistant
from steward.supply.assistant.schema.base import is_name
from steward.supply.assistant.schema.cases import Cases
from steward.supply.assistant.schema.connectors import Connectors
from steward.supply.assistant.schema.desk import Desk
from steward.supply.assistant.schema.documents import DocumentMeta, PromptMeta
from steward.supply.assistant.schema.governance import Governance
from steward.supply.assistant.schema.guardrails import Guardrails
from steward.supply.assistant.schema.intents import Intents
from steward.supply.assistant.schema.rollout import Rollout
from steward.supply.assistant.schema.workflow import Workflow
from steward.supply.assistant.validation import validate
from steward.supply.assistant.yaml_reading import decoded_text, read_yaml

_WITH_FRONT_MATTER = (".md", ".markdown", ".txt", ".html", ".htm")

ModelT = TypeVar("ModelT", bound=BaseModel)


def parse(files: Mapping[str, bytes], above: str) -> Draft:
    """Read all files into a draft; what is wrong with single files is in `draft.faults`."""
    draft = Draft(above, files)
    draft.faults.extend(_misplaced(draft, files))
    for required in REQUIRED:
        if required not in files:
            draft.faults.append(_missing(draft, required, files))
    _parse_top(draft, files)
    for path, content in files.items():
        place = PurePosixPath(path)
        if len(place.parts) < 2:
            continue
        match place.parts[0]:
            case "workflows" if place.suffix == ".yaml":
                _parse_workflow(draft, path, content)
            case "cases" if place.suffix == ".yaml":
                cases = _parse_yaml(draft, path, content, Cases)
                if cases is not None:
                    draft.cases[path] = cases
            case "prompts" if place.suffix == ".md":
                _parse_prompt(draft, path, content)
            case "knowledge":
                draft.document_paths.add(path.removeprefix("knowledge/"))
    _parse_documents(draft, files)
    return draft


def _missing(draft: Draft, required: str, files: Iterable[str]) -> Fault:
    others = [path for path in files if path not in TOP_FILES and "/" not in path]
    nearest = nearest_of(required, others)
    hint = f" (is {nearest} meant?)" if nearest else ""
    return Fault(draft.shown(required), None, None, f"the file is missing{hint}; every assistant needs it")


def _misplaced(draft: Draft, files: Mapping[str, bytes]) -> Iterable[Fault]:
    """Find files that nothing would read."""
    for path in files:
        place = PurePosixPath(path)
        top, deep = place.parts[0], len(place.parts) > 1
        said, nearest = None, None
        if not deep and path not in TOP_FILES:
            said = "this file isn't part of an assistant folder"
            nearest = nearest_of(path, TOP_FILES) or nearest_of(place.stem, [*TOP_FOLDERS])
        elif deep and top not in TOP_FOLDERS:
            said = f"the folder {top}/ isn't part of an assistant folder"
            nearest = nearest_of(top, TOP_FOLDERS)
        elif top in ("workflows", "cases") and place.suffix != ".yaml":
            said = f"{top}/ holds .yaml files only"
            nearest = f"{place.stem}.yaml" if place.suffix == ".yml" else None
        elif top == "prompts" and place.suffix != ".md":
            said = "prompts/ holds .md files only"
        elif top == "knowledge" and place.suffix.lower() not in DOCUMENT_KINDS and not path.endswith(SIDECAR):
            said = f"knowledge/ reads {choice_of(DOCUMENT_KINDS)} files; convert this one"
        elif top in ("workflows", "prompts") and len(place.parts) > 2:
            said = f"{top}/ has no folders of its own; put the file directly into it"
        if said is not None:
            yield Fault(draft.shown(path), None, None, said, nearest)


def _parse_top(draft: Draft, files: Mapping[str, bytes]) -> None:
    for path in TOP_FILES:
        if path not in files and path in REQUIRED:
            draft.broken.add(path)
    read = {path: files[path] for path in TOP_FILES if path in files}
    draft.assistant = _parse_yaml(draft, "assistant.yaml", read.get("assistant.yaml"), Assistant)
    draft.intents = _parse_yaml(draft, "intents.yaml", read.get("intents.yaml"), Intents)
    draft.guardrails = _parse_yaml(draft, "guardrails.yaml", read.get("guardrails.yaml"), Guardrails)
    draft.desk = _parse_yaml(draft, "desk.yaml", read.get("desk.yaml"), Desk)
    draft.connectors = _parse_yaml(draft, "connectors.yaml", read.get("connectors.yaml"), Connectors)
    draft.rollout = _parse_yaml(draft, "rollout.yaml", read.get("rollout.yaml"), Rollout)
    draft.governance = _parse_yaml(draft, "governance.yaml", read.get("governance.yaml"), Governance)


def _parse_yaml(
    draft: Draft, path: str, content: bytes | None, schema: type[ModelT], *, first_line: int = 1
) -> ModelT | None:
    if content is None:
        return None
    tree, faults = read_yaml(content, file=draft.shown(path), first_line=first_line)
    draft.faults.extend(faults)
    if tree is None:
        draft.broken.add(path)
        return None
    validated = validate(schema, tree, file=draft.shown(path))
    draft.faults.extend(validated.faults)
    draft.raw[path] = tree
    draft.sources[path] = Source(draft.shown(path), validated.tree)
    if validated.model is None:
        draft.broken.add(path)
    return validated.model


def _parse_workflow(draft: Draft, path: str, content: bytes) -> None:
    name = PurePosixPath(path).stem
    if not is_name(name):
        said = (
            "the file's name is the workflow's name: lower-case letters, digits and _, starting with a letter"
        )
        draft.faults.append(Fault(draft.shown(path), None, None, said))
    draft.workflow_names.add(name)
    workflow = _parse_yaml(draft, path, content, Workflow)
    if workflow is not None:
        draft.workflows[name] = workflow


def _parse_prompt(draft: Draft, path: str, content: bytes) -> None:
    parts = split_front_matter(content)
    text, faults = decoded_text(parts.body, file=draft.shown(path))
    draft.faults.extend(faults)
    if parts.yaml is None:
        said = (
            "front matter is missing; a prompt starts with --- and its purpose and variables, closed by ---"
        )
        draft.faults.append(Fault(draft.shown(path), 1, 1, said))
        return
    meta = _parse_yaml(draft, path, parts.yaml, PromptMeta, first_line=FIRST_LINE)
    if meta is not None and not faults:
        draft.prompts[PurePosixPath(path).stem] = Prompt(meta, text)


def _parse_documents(draft: Draft, files: Mapping[str, bytes]) -> None:
    sidecars = {path for path in files if path.startswith("knowledge/") and path.endswith(SIDECAR)}
    draft.document_paths -= {path.removeprefix("knowledge/") for path in sidecars}
    used: set[str] = set()
    for path, content in files.items():
        suffix = PurePosixPath(path).suffix.lower()
        if not path.startswith("knowledge/") or path in sidecars or suffix not in DOCUMENT_KINDS:
            continue
        document = _document(draft, path, content, files, used)
        if document is not None:
            draft.documents.append(document)
    for lonely in sorted(sidecars - used):
        described = lonely.removeprefix("knowledge/").removesuffix(SIDECAR)
        said = "no document stands beside this file; it describes NAME where the document is knowledge/NAME"
        nearest = nearest_of(described, draft.document_paths)
        draft.faults.append(Fault(draft.shown(lonely), None, None, said, nearest))


def _document(
    draft: Draft, path: str, content: bytes, files: Mapping[str, bytes], used: set[str]
) -> DocumentFile | None:
    suffix = PurePosixPath(path).suffix
    found = [side for side in (path + SIDECAR, path.removesuffix(suffix) + SIDECAR) if side in files]
    used.update(found)
    if not content.strip():
        draft.faults.append(
            Fault(draft.shown(path), None, None, "the document is empty; write it or delete it")
        )
        return None
    meta: DocumentMeta | None = DocumentMeta()
    body, lines = content, 0
    if suffix.lower() in _WITH_FRONT_MATTER:
        parts = split_front_matter(content)
        body, lines = parts.body, parts.lines
        _, faults = decoded_text(content, file=draft.shown(path))
        draft.faults.extend(faults)
        if parts.yaml is not None:
            meta = _parse_yaml(draft, path, parts.yaml, DocumentMeta, first_line=FIRST_LINE)
    if found:
        if lines:
            said = f"this document has front matter and {found[0]} as well; keep one of them"
            draft.faults.append(Fault(draft.shown(path), 1, 1, said))
        meta = _parse_yaml(draft, found[0], files[found[0]], DocumentMeta)
    return None if meta is None else DocumentFile(path.removeprefix("knowledge/"), body, meta, lines)
