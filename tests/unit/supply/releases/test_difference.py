"""Differences between two folders: in files, in sentences, and in what a conversation costs."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

from steward.supply.assistant.collecting import collect
from steward.supply.assistant.folder import Folder
from steward.supply.assistant.reading import read_files
from steward.supply.releases.costs import Usage, expected_change
from steward.supply.releases.difference import Area, FileChange, changed_files
from steward.supply.releases.identity import Makers, manifest_of
from steward.supply.releases.wording import in_words

SPOKE = Path(__file__).parents[1] / "assistant" / "spoke"
MAKERS = Makers(encoder="e", trainer="1", splitter="1")
FILES: Mapping[str, bytes] = collect(SPOKE)[0]
MODEL = b"""models:
  - name: extractive
    provider: extractive
  - name: main
    provider: openai
    model: big
    prices: {input_per_million: 2, output_per_million: 8}
answer_with: [main, extractive]
"""
EXTRACTIVE = FILES["assistant.yaml"][FILES["assistant.yaml"].index(b"models:") :]


def edited(*edits: tuple[str, bytes, bytes]) -> dict[str, bytes]:
    """Return the small assistant's files with some bytes replaced."""
    files = dict(FILES)
    for path, old, new in edits:
        assert old in files[path]
        files[path] = files[path].replace(old, new)
    return files


def folder(files: Mapping[str, bytes] = FILES) -> Folder:
    return read_files(files, "spoke")


def sentences(after: Mapping[str, bytes], before: Mapping[str, bytes] = FILES) -> list[str]:
    old, new = manifest_of("spoke", before, MAKERS), manifest_of("spoke", after, MAKERS)
    return [change.sentence for change in in_words(folder(before), folder(after), old, new)]


class TestChangedFiles:
    def test_counts_lines(self) -> None:
        before = {"a.md": b"one\ntwo\n", "gone.md": b"x\n", "same.md": b"s"}
        after = {"a.md": b"one\n2\nthree\n", "new.pdf": b"\xff\xfe\x00", "same.md": b"s"}
        assert changed_files(before, after) == (
            FileChange("a.md", "changed", 2, 1),
            FileChange("gone.md", "removed", 0, 1),
            FileChange("new.pdf", "added", None, None),
        )


class TestInWords:
    def test_nothing_changed(self) -> None:
        assert sentences(FILES) == []

    @pytest.mark.parametrize(
        ("edit", "told"),
        [
            (
                ("intents.yaml", b"- undo my purchase", b"- take it back\n      - hand it back"),
                "The examples of the intent 'cancel_order': 2 came, 1 went; there are 7 instead of 6.",
            ),
            (
                ("intents.yaml", b"    risk: low", b"    risk: high"),
                "The category 'chat' is of high risk instead of low.",
            ),
            (
                ("intents.yaml", b"    workflow: cancel\n", b""),
                "The intent 'cancel_order' offers no workflow instead of the workflow 'cancel'.",
            ),
            (
                ("intents.yaml", b"  - write a poem about the sea\n", b""),
                "The messages that it can't help with: 0 came, 1 went; there are 5 instead of 6.",
            ),
            (
                ("guardrails.yaml", b"evidence:\n", b"evidence:\n  answer_from: 0.450\n"),
                "The evidence that an answer needs goes from 0.38 to 0.45.",
            ),
            (
                ("guardrails.yaml", b"    priority: urgent\n", b"    priority: urgent\n    threshold: 0.7\n"),
                "The likeness from which the risk 'injury' applies goes from 0.62 to 0.7.",
            ),
            (
                ("guardrails.yaml", b"[agent, human]", b"[agent]"),
                "The words that call a human are agent; before agent and human.",
            ),
            (
                ("guardrails.yaml", b"[in hospital]", b"[in hospital, broken arm]"),
                "The risk rule 'injury' knows 2 phrases and 2 examples; before 1 and 2.",
            ),
            (
                ("workflows/cancel.yaml", b"order.amount > 500", b"always"),
                "The workflow 'cancel' needs the approval of an operator always; "
                "before, it needs the approval of an operator when order.amount > 500.",
            ),
            (
                ("workflows/cancel.yaml", b"offer: I can cancel", b"offer: May I cancel"),
                "The workflow 'cancel' words its offer otherwise.",
            ),
            (
                ("prompts/answer.md", b"{{ conversation }}", b"Be brief.\n{{ conversation }}"),
                "The prompt 'answer' has 1 new line and no lines less; "
                "it is about 28 tokens long instead of 25.",
            ),
            (
                ("assistant.yaml", b"greeting: Hello", b"greeting: Hi"),
                "The greeting is worded otherwise.",
            ),
        ],
    )  # fmt: skip
    def test_one_sentence_for_one_change(self, edit: tuple[str, bytes, bytes], told: str) -> None:
        assert sentences(edited(edit)) == [told]

    def test_documents_come_change_and_go(self) -> None:
        after = {**FILES, "knowledge/returns.md": b"# Returns\n\nSend it back.\n"}
        after["knowledge/delivery.md"] = FILES["knowledge/delivery.md"] + b"\nOne more line.\n"
        del after["knowledge/cancelling.md"]
        changes = [sentence for sentence in sentences(after) if "document" in sentence]
        assert changes == [
            "The document 'returns.md' is new.",
            "The document 'cancelling.md' is gone.",
            "The document 'delivery.md' says something else: 2 new lines, no lines less.",
        ]

    def test_many_documents_are_told_together(self) -> None:
        after = {**FILES, **{f"knowledge/page{n:02}.md": b"# Page\n\nText.\n" for n in range(40)}}
        (told,) = sentences(after)
        assert told.startswith("40 documents are new: page00.md, page01.md")
        assert told.endswith("and 28 more.")

    def test_models_are_told_with_their_prices(self) -> None:
        with_model = edited(("assistant.yaml", EXTRACTIVE, MODEL))
        assert sentences(with_model) == [
            "The model 'main' is new; it costs 2 for a million tokens read and 8 for a million written.",
            "Answers come from main and extractive, in this order; before from extractive.",
        ]
        dearer = {
            **with_model,
            "assistant.yaml": with_model["assistant.yaml"].replace(b"million: 8", b"million: 9"),
        }
        assert sentences(dearer, with_model) == [
            "The model 'main' costs 2 for a million tokens read and 9 for a million written; before 2 for a "
            "million tokens read and 8 for a million written."
        ]

    def test_other_makers(self) -> None:
        old = manifest_of("spoke", FILES, MAKERS)
        new = manifest_of("spoke", FILES, Makers(encoder="f", trainer="1", splitter="2"))
        changes = in_words(folder(), folder(), old, new)
        assert [change.area for change in changes] == [Area.MAKERS, Area.MAKERS]
        assert changes[0].sentence == "It was made with another encoder, so messages are understood anew."


class TestExpectedChange:
    # 100 conversations, 2 answers each, 1,000 tokens read and 100 written: at 2 and 8 per million
    # 2 x (1,000 x 2 + 100 x 8) / 1,000,000 = 0.0056.
    usage = Usage(conversations=100, answers=200, prompt_tokens=1000.0, completion_tokens=100.0)
    with_model = edited(("assistant.yaml", EXTRACTIVE, MODEL))

    def test_prices_change(self) -> None:
        cheaper = {**self.with_model}
        cheaper["assistant.yaml"] = cheaper["assistant.yaml"].replace(
            b"input_per_million: 2", b"input_per_million: 1"
        )
        change = expected_change(folder(self.with_model), folder(cheaper), self.usage)
        assert change is not None
        assert (change.before, change.after) == (Decimal("0.0056"), Decimal("0.0036"))
        assert change.sentence == (
            "A conversation is expected to cost 0.0036 GBP instead of 0.0056 GBP, 36 % less "
            "(from 100 conversations of the older release)."
        )

    def test_a_longer_prompt_costs_its_tokens(self) -> None:
        longer = {**self.with_model}
        longer["prompts/answer.md"] = longer["prompts/answer.md"].replace(
            b"{{ conv", b"x" * 4000 + b"{{ conv"
        )
        change = expected_change(folder(self.with_model), folder(longer), self.usage)
        assert change is not None
        assert change.after - change.before == Decimal(2 * 1000 * 2) / 1_000_000

    def test_nothing_is_claimed_of_what_was_not_seen(self) -> None:
        extractive, model = folder(), folder(self.with_model)
        few = Usage(5, 10, 1000.0, 100.0)
        assert expected_change(model, model, few) is None
        assert expected_change(extractive, model, self.usage) is None
        free = expected_change(model, extractive, self.usage)
        assert free is not None
        assert free.after == 0
