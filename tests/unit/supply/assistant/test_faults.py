"""Each kind of fault, at its line and column, with its sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from steward.supply.assistant.faults import Fault, FolderFaults, choice_of, nearest_of, shortened
from steward.supply.assistant.places import REQUIRED
from steward.supply.assistant.reading import read_files

FaultsOf = Callable[[Mapping[str, bytes]], list[str]]


HERE = Path(__file__).parent


@dataclass(frozen=True)
class Break:
    """One edit of one file and the faults that it must give."""

    name: str
    file: str
    old: str
    new: str
    faults: list[str]


BREAKS = [Break(**entry) for entry in YAML(typ="safe").load(HERE / "breaks.yaml")]
MISPLACED = YAML(typ="safe").load(HERE / "misplaced.yaml")


class TestOneBreak:
    @pytest.mark.parametrize("broken", BREAKS, ids=lambda broken: broken.name.replace(" ", "_"))
    def test_is_said_at_its_place(self, broken: Break, spoke: dict[str, bytes], faults_of: FaultsOf) -> None:
        text = spoke[broken.file].decode()
        assert text.count(broken.old) == 1, "the edit must be unambiguous"
        spoke[broken.file] = text.replace(broken.old, broken.new).encode()
        assert faults_of(spoke) == broken.faults


class TestFiles:
    @pytest.mark.parametrize("missing", REQUIRED)
    def test_each_required_file_is_asked_for(
        self, missing: str, spoke: dict[str, bytes], faults_of: FaultsOf
    ) -> None:
        del spoke[missing]
        assert faults_of(spoke) == [f"spoke/{missing}  the file is missing; every assistant needs it"]

    def test_optional_files_may_be_missing(self, spoke: dict[str, bytes], faults_of: FaultsOf) -> None:
        for path in ("rollout.yaml", "governance.yaml", "cases/orders.yaml", "knowledge/cancelling.md"):
            del spoke[path]
        assert faults_of(spoke) == []

    @pytest.mark.parametrize(("path", "said"), MISPLACED.items(), ids=list(MISPLACED))
    def test_what_nothing_would_read(
        self, path: str, said: str, spoke: dict[str, bytes], faults_of: FaultsOf
    ) -> None:
        prompt = b"---\npurpose: x\nvariables: [passages]\n---\n{{ passages }}\n"
        spoke[path] = b" \n" if "empty" in path else prompt if "prompts" in path else b"title: x\n"
        assert faults_of(spoke) == [said]

    def test_bytes_that_are_no_text(self, spoke: dict[str, bytes], faults_of: FaultsOf) -> None:
        spoke["desk.yaml"] = spoke["desk.yaml"].replace(b"How was", b"How \xff was")
        assert faults_of(spoke) == [
            "spoke/desk.yaml:10:17  the file isn't UTF-8 text from here on; save it as UTF-8"
        ]


class TestSeveralFaults:
    def test_all_are_told_at_once_sorted_by_file_and_line(self, spoke: dict[str, bytes]) -> None:
        spoke["intents.yaml"] = spoke["intents.yaml"].replace(b"risk: low", b"risk: tiny")
        spoke["intents.yaml"] = spoke["intents.yaml"].replace(b"category: chat", b"category: chats")
        spoke["assistant.yaml"] = spoke["assistant.yaml"].replace(b"[extractive]", b"[main]")
        spoke["workflows/cancel.yaml"] = spoke["workflows/cancel.yaml"].replace(
            b"shop.order\n", b"shp.order\n"
        )
        with pytest.raises(FolderFaults, match="4 faults; nothing was changed") as error:
            read_files(spoke, "spoke")
        places = [fault.place for fault in error.value.faults]
        assert places == [
            "spoke/assistant.yaml:11:15",
            "spoke/intents.yaml:9:11",
            "spoke/intents.yaml:37:15",
            "spoke/workflows/cancel.yaml:11:11",
        ]

    def test_a_file_that_cannot_be_read_is_not_blamed_on_others(
        self, spoke: dict[str, bytes], faults_of: FaultsOf
    ) -> None:
        spoke["intents.yaml"] = b"categories: [\n"
        spoke["desk.yaml"] = b"- no\n"
        assert faults_of(spoke) == [
            "spoke/desk.yaml:1:1  the file is a list; it must be a mapping of keys to values",
            "spoke/intents.yaml:2:1  a value is missing or a bracket isn't closed",
        ]


class TestNearestOf:
    def test_finds_a_misspelt_name(self) -> None:
        assert nearest_of("billing.refund_paymnt", ["billing.refund", "billing.refund_payment"]) == (
            "billing.refund_payment"
        )

    def test_proposes_nothing_where_nothing_is_alike(self) -> None:
        assert nearest_of("zebra", ["queue", "shop"]) is None


class TestFault:
    def test_prints_without_a_place(self) -> None:
        assert str(Fault("a.yaml", None, None, "is missing")) == "a.yaml  is missing"

    def test_aligns_the_nearest_name_with_the_sentence(self) -> None:
        assert (
            str(Fault("a.yaml", 3, 1, "unknown", "known"))
            == "a.yaml:3:1  unknown\n            nearest: known"
        )


class TestWords:
    def test_choices(self) -> None:
        assert choice_of(["low", "medium", "high"]) == "low, medium or high"
        assert choice_of(["one"]) == "one"

    def test_shortens_to_one_line(self) -> None:
        assert shortened("a\n  b " + "c" * 80, length=10) == "a b ccccc…"
