"""Folders on disk: what counts, what is junk, and what comes out."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from steward.supply.assistant.advice import advise
from steward.supply.assistant.collecting import collect, is_junk
from steward.supply.assistant.faults import FolderFaults
from steward.supply.assistant.reading import read_files, read_folder
from steward.supply.assistant.schema.base import Audience

SPOKE = Path(__file__).parent / "spoke"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the small assistant that a test may change."""
    return Path(shutil.copytree(SPOKE, tmp_path / "spoke"))


class TestReadFolder:
    def test_gives_everything_by_name(self) -> None:
        folder = read_folder(SPOKE)
        assert folder.name == "spoke"
        assert [intent.name for intent in folder.intents.intents] == [
            "cancel_order",
            "delivery_time",
            "human",
        ]
        assert list(folder.workflows) == ["cancel"]
        assert [case.name for case in folder.cases] == ["delivery", "cancels"]
        assert folder.category("orders").queue == "shop"
        assert folder.intent("human").hand_over
        assert folder.prompts["answer"].template.startswith("{% for passage")

    def test_takes_front_matter_off_documents(self) -> None:
        documents = {document.path: document for document in read_folder(SPOKE).documents}
        delivery = documents["delivery.md"]
        assert delivery.meta.title == "Delivery"
        assert delivery.content.startswith(b"# Delivery")
        assert delivery.front_matter_lines == 4
        assert documents["cancelling.md"].front_matter_lines == 0

    def test_reads_a_sidecar(self, copied: Path) -> None:
        (copied / "knowledge" / "manual.pdf").write_bytes(b"%PDF-1.7\n")
        (copied / "knowledge" / "manual.meta.yaml").write_text("title: Manual\naudience: agent\n")
        documents = {document.path: document for document in read_folder(copied).documents}
        assert documents["manual.pdf"].meta.audience is Audience.AGENT

    def test_is_the_same_from_disk_and_from_bytes(self) -> None:
        folder = read_folder(SPOKE)
        assert read_files(folder.files, "elsewhere") == folder

    def test_a_place_that_is_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FolderFaults, match="isn't a folder; name an assistant folder"):
            read_folder(tmp_path / "nothing")

    def test_an_empty_folder_lacks_every_required_file(self, tmp_path: Path) -> None:
        with pytest.raises(FolderFaults, match="5 faults"):
            read_folder(tmp_path)


class TestCollect:
    @pytest.mark.parametrize(
        "junk",
        [".DS_Store", ".git/config", "intents.yaml~", "#intents.yaml#", "knowledge/.hidden.md", "x.swp",
         "__MACOSX/a", "README.md", "workflows/cancel.yaml.orig", ".schema/intents.schema.json"],
    )  # fmt: skip
    def test_leaves_junk_out(self, junk: str, copied: Path) -> None:
        (copied / junk).parent.mkdir(parents=True, exist_ok=True)
        (copied / junk).write_text("junk")
        assert collect(copied) == collect(SPOKE)

    def test_a_readme_inside_knowledge_is_a_document(self, copied: Path) -> None:
        (copied / "knowledge" / "README.md").write_text("# Read me\n")
        assert "knowledge/README.md" in collect(copied)[0]

    def test_links_are_faults(self, copied: Path) -> None:
        os.symlink("/etc/hostname", copied / "knowledge" / "host.txt")
        os.symlink("/etc", copied / "knowledge" / "etc")
        _, faults = collect(copied)
        assert [fault.sentence for fault in faults] == [
            "this is a link; put the file itself here, so that the release holds it"
        ] * 2

    def test_names_that_differ_in_case_alone_are_faults(self, copied: Path) -> None:
        (copied / "knowledge" / "Delivery.md").write_text("# D\n")
        _, faults = collect(copied)
        assert [fault.sentence for fault in faults] == [
            "only capital letters tell this file from knowledge/Delivery.md; rename one"
        ]

    def test_junk_is_told_by_name(self) -> None:
        assert is_junk(".git")
        assert not is_junk("intents.yaml")


class TestAdvise:
    def test_tells_what_could_be_better(self, spoke: dict[str, bytes]) -> None:
        spoke["knowledge/delivery.md"] = spoke["knowledge/delivery.md"].replace(b"2030", b"2020")
        spoke["connectors.yaml"] = spoke["connectors.yaml"].replace(b"        find: outcome\n", b"")
        folder = read_files(spoke, "spoke")
        advice = advise(folder, today=date(2026, 3, 2), secret_is_set=lambda name: False)
        assert [fault.place for fault in advice] == [
            "spoke/connectors.yaml:5:13",
            "spoke/connectors.yaml:19:9",
            "spoke/intents.yaml:18:7",
            "spoke/intents.yaml:28:7",
            "spoke/intents.yaml:41:7",
            "spoke/intents.yaml:48:3",
            "spoke/knowledge/delivery.md:3:12",
        ]
        assert advice[-1].sentence == "the document should have been reviewed by 2020-01-01"

    def test_says_nothing_of_secrets_unless_it_can_know(self) -> None:
        advice = advise(read_folder(SPOKE), today=date(2026, 3, 2))
        assert not any("secret" in fault.sentence for fault in advice)
