"""Differences between two folders, in files and in words."""

from __future__ import annotations

from pathlib import Path

from steward.supply.assistant.collecting import collect
from steward.supply.assistant.reading import read_files
from steward.supply.releases.difference import FileChange, changed_files, in_words
from steward.supply.releases.identity import Makers, manifest_of

SPOKE = Path(__file__).parents[1] / "assistant" / "spoke"
MAKERS = Makers(encoder="e", trainer="1", splitter="1")


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
    def test_names_what_changed(self) -> None:
        files, _ = collect(SPOKE)
        edited = {
            **files,
            "intents.yaml": files["intents.yaml"].replace(b"- undo my purchase", b"- take it back"),
            "knowledge/returns.md": b"# Returns\n\nSend it back.\n",
            "guardrails.yaml": files["guardrails.yaml"].replace(b"[agent, human]", b"[agent]"),
        }
        before, after = read_files(files, "spoke"), read_files(edited, "spoke")
        old, new = manifest_of("spoke", files, MAKERS), manifest_of("spoke", edited, MAKERS)
        assert in_words(before, after, old, new) == (
            "intent cancel_order changed",
            "document returns.md added",
            "override_words in guardrails.yaml changed",
        )

    def test_nothing_changed(self) -> None:
        files, _ = collect(SPOKE)
        folder, manifest = read_files(files, "spoke"), manifest_of("spoke", files, MAKERS)
        assert in_words(folder, folder, manifest, manifest) == ()
