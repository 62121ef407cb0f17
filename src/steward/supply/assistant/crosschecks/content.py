"""Cases, prompts and knowledge: what they expect, name and promise exists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from steward.supply.assistant.draft import Draft
from steward.supply.assistant.faults import Fault, choice_of, nearest_of
from steward.supply.assistant.folder import Prompt, Source
from steward.supply.assistant.front_matter import split_front_matter
from steward.supply.assistant.places import SIDECAR
from steward.supply.assistant.prompts import PROMPT_VARIABLES, PromptError, variables_of
from steward.supply.assistant.schema.cases import Expect
from steward.supply.assistant.schema.governance import CONTROLS
from steward.supply.assistant.yaml_nodes import Path


def check_cases(draft: Draft) -> Iterator[Fault]:
    """Yield faults of the cases."""
    for file, cases in draft.cases.items():
        for index, case in enumerate(cases.cases):
            for number, control in enumerate(case.controls):
                said = f"case '{case.name}' tests control '{control}'; known are {choice_of(CONTROLS)}"
                place = ("cases", index, "controls", number)
                yield from draft.unknown(file, place, control, known=set(CONTROLS), sentence=said)
            for number, turn in enumerate(case.turns):
                path = ("cases", index, "turns", number, "expect")
                yield from _expectations(draft, file, path, case.name, turn.expect)


def _expectations(draft: Draft, file: str, path: Path, case: str, expect: Expect) -> Iterator[Fault]:
    if expect.intent is not None:
        known = draft.names("intents.yaml", "intents")
        said = f"case '{case}' expects intent '{expect.intent}', which intents.yaml doesn't have"
        yield from draft.unknown(file, (*path, "intent"), expect.intent, known=known, sentence=said)
    if expect.workflow is not None:
        said = f"case '{case}' expects workflow '{expect.workflow}', which workflows/ doesn't have"
        names = draft.workflow_names
        yield from draft.unknown(file, (*path, "workflow"), expect.workflow, known=names, sentence=said)
    if expect.queue is not None:
        said = f"case '{case}' expects queue '{expect.queue}', which desk.yaml doesn't have"
        known = draft.names("desk.yaml", "queues")
        yield from draft.unknown(file, (*path, "queue"), expect.queue, known=known, sentence=said)
    for index, document in enumerate(expect.cites):
        said = f"case '{case}' expects a citation of '{document}', which knowledge/ doesn't have"
        paths = draft.document_paths
        yield from draft.unknown(file, (*path, "cites", index), document, known=paths, sentence=said)


def check_prompts(draft: Draft) -> Iterator[Fault]:
    """Yield faults of the prompts."""
    for name, prompt in draft.prompts.items():
        file = f"prompts/{name}.md"
        if name not in PROMPT_VARIABLES:
            said = f"nothing uses a prompt '{name}'; prompts are {choice_of(PROMPT_VARIABLES)}"
            yield Fault(draft.shown(file), None, None, said, nearest_of(name, PROMPT_VARIABLES))
            continue
        yield from _declared(draft, file, name, prompt)
        yield from _named(draft, file, prompt, PROMPT_VARIABLES[name])


def _declared(draft: Draft, file: str, name: str, prompt: Prompt) -> Iterator[Fault]:
    given = PROMPT_VARIABLES[name]
    for index, variable in enumerate(prompt.meta.variables):
        said = f"variable '{variable}' isn't given to this prompt; given are {choice_of(given)}"
        yield from draft.unknown(file, ("variables", index), variable, known=set(given), sentence=said)


def _named(draft: Draft, file: str, prompt: Prompt, given: tuple[str, ...]) -> Iterator[Fault]:
    above = split_front_matter(draft.files[file]).lines
    try:
        named = variables_of(prompt.template)
    except PromptError as error:
        line = None if error.line is None else above + error.line
        yield Fault(draft.shown(file), line, None if line is None else 1, str(error))
        return
    for variable in sorted(named - set(prompt.meta.variables)):
        line, column = _first(prompt.template, variable)
        said = f"the template names '{variable}', which the front matter doesn't declare in variables"
        nearest = nearest_of(variable, prompt.meta.variables)
        yield Fault(draft.shown(file), above + line, column, said, nearest)
    for index, variable in enumerate(prompt.meta.variables):
        if variable not in named and variable in given:
            said = f"variable '{variable}' is declared and never named in the template"
            yield draft.fault(file, ("variables", index), said)


def _first(template: str, variable: str) -> tuple[int, int]:
    """Return line and column of a variable's first mention inside a tag."""
    inside = re.compile(rf"\{{[{{%][^}}%]*?(\b{re.escape(variable)}\b)")
    found = inside.search(template) or re.search(rf"(\b{re.escape(variable)}\b)", template)
    start = found.start(1) if found else 0
    return template.count("\n", 0, start) + 1, start - template.rfind("\n", 0, start)


def check_documents(draft: Draft) -> Iterator[Fault]:
    """Yield faults of the documents' dates."""
    for document in draft.documents:
        meta = document.meta
        file = file_that_describes(draft.sources, document.path)
        if file is None:
            continue
        if meta.valid_from and meta.valid_until and meta.valid_from > meta.valid_until:
            said = f"valid_until ({meta.valid_until}) is before valid_from ({meta.valid_from})"
            yield draft.fault(file, ("valid_until",), said)
        if meta.source is not None and not meta.source.startswith(("http://", "https://")):
            yield draft.fault(
                file, ("source",), "source must be an address that starts with http:// or https://"
            )


def file_that_describes(sources: Mapping[str, Source], path: str) -> str | None:
    """Return the file that holds a document's front matter, or None where it has none."""
    place = f"knowledge/{path}"
    stem = place.removesuffix(PurePosixPath(path).suffix)
    candidates = (place, f"{place}{SIDECAR}", f"{stem}{SIDECAR}")
    return next((file for file in candidates if file in sources), None)
