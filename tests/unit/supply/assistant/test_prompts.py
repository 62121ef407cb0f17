"""Prompt templates: what they name, and a sandbox around them."""

from __future__ import annotations

from typing import Any

import pytest

from steward.supply.assistant.folder import Prompt
from steward.supply.assistant.prompts import PromptError, render, variables_of
from steward.supply.assistant.schema.documents import PromptMeta


def prompt(template: str) -> Prompt:
    return Prompt(PromptMeta(purpose="test", variables=()), template)


class TestRender:
    def test_puts_values_in_and_reads_them_once(self) -> None:
        text = "{% for passage in passages %}\n[{{ loop.index }}] {{ passage.text }}\n{% endfor %}\n"
        passages = [{"text": "{{ 7 * 7 }} <b>"}, {"text": "two"}]
        assert render(prompt(text), passages=passages) == "[1] {{ 7 * 7 }} <b>\n[2] two\n"

    def test_a_value_that_is_not_there(self) -> None:
        with pytest.raises(PromptError, match="'today' is undefined"):
            render(prompt("{{ today }}"))

    @pytest.mark.parametrize(
        "template",
        [
            "{{ ''.__class__.__mro__ }}",
            "{{ passages.append(1) }}",
            "{{ render.__globals__ }}",
            "{{ (1).__class__.__base__.__subclasses__() }}",
        ],
    )
    def test_a_template_cannot_reach_out(self, template: str) -> None:
        values: dict[str, Any] = {"passages": [], "render": render}
        with pytest.raises(PromptError, match="can't be rendered"):
            render(prompt(template), **values)


class TestVariablesOf:
    def test_leaves_its_own_names_out(self) -> None:
        text = "{% set x = 1 %}{% for p in passages %}{{ loop.index }}{{ p }}{{ x }}{% endfor %}{{ today }}"
        assert variables_of(text) == {"passages", "today"}

    @pytest.mark.parametrize("template", ["{% include 'x' %}", "{% extends 'x' %}", "{% import 'x' as y %}"])
    def test_other_files_are_refused(self, template: str) -> None:
        with pytest.raises(PromptError, match="can't include other files"):
            variables_of(template)

    def test_tells_the_line_of_a_mistake(self) -> None:
        with pytest.raises(PromptError, match="can't be read") as error:
            variables_of("one\n{{ two \n")
        assert error.value.line in (2, 3)
