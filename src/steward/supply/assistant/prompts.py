"""Renders prompt templates (Jinja) in a sandbox: a template reads what it is given, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from jinja2 import StrictUndefined, Template, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from steward.base.errors import InvalidInput
from steward.supply.assistant.folder import Prompt

PROMPT_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "answer": ("assistant", "today", "passages", "conversation"),
    "summarise": ("assistant", "conversation"),
    "rewrite": ("conversation", "message"),
    "judge": ("question", "answer", "passages"),
}
"""The prompts there are and what each is given; `passages` have a title and a text."""

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)  # plain text for a model, so nothing is escaped


class PromptError(InvalidInput):
    """A prompt's template can't be read or rendered. `line` counts from the template's first line."""

    def __init__(self, sentence: str, *, line: int | None = None) -> None:
        super().__init__(sentence)
        self.line = line


def render(prompt: Prompt, **values: Any) -> str:
    """Render a prompt; every variable that its template names must be among the values.

    Raises:
        PromptError: the template can't be read, names something that isn't there, or fails.
    """
    try:
        return _compiled(prompt.template).render(values)
    except TemplateError as error:
        raise PromptError(f"the prompt can't be rendered: {error.message}") from error


def variables_of(template: str) -> frozenset[str]:
    """Return the variables that a template takes from outside.

    Raises:
        PromptError: the template isn't valid, or includes other files.
    """
    try:
        tree = _ENVIRONMENT.parse(template)
    except TemplateError as error:
        line = getattr(error, "lineno", None)
        raise PromptError(f"the template can't be read: {error.message}", line=line) from error
    for loader in (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends):
        if (found := tree.find(loader)) is not None:
            raise PromptError("a prompt can't include other files; write it out", line=found.lineno)
    return frozenset(meta.find_undeclared_variables(tree))


@lru_cache(maxsize=64)
def _compiled(template: str) -> Template:
    return _ENVIRONMENT.from_string(template)
