"""`steward mask`: files in, files out, nothing personal left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from steward.app.commands.mask import BadLine, NoFile, NoSuchFields, NotText, run_mask
from steward.supply.assistant.faults import FolderFaults

ROWS = [
    {"id": 1, "dialogue": "a", "text": "my card is 4929", "note": "jo@example.com"},
    {"id": 2, "dialogue": "a", "text": "1847 3650 2818"},
    {"id": 3, "dialogue": "b", "text": "thanks", "count": 4},
]


def run(file: Path, out: Path, *, conversation: str | None = "dialogue", processes: int = 1) -> int:
    return run_mask(
        file,
        out,
        fields=("text", "note"),
        conversation=conversation,
        folder=None,
        processes=processes,
        as_json=False,
    )


class TestRunMask:
    @pytest.mark.parametrize("processes", [1, 2])
    def test_objects_keep_everything_else(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], processes: int
    ) -> None:
        file, out = tmp_path / "logs.jsonl", tmp_path / "masked.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
        assert run(file, out, processes=processes) == 0
        first, second, third = (json.loads(line) for line in out.read_text().splitlines())
        assert first["text"].startswith("my card is [")
        assert first["note"] == "[EMAIL_1]"
        assert not any(letter.isdigit() for letter in second["text"].split("_")[0])
        assert third == ROWS[2]
        assert "1 EMAIL" in capsys.readouterr().out

    def test_text_of_any_length(self, tmp_path: Path) -> None:
        file, out = tmp_path / "long.txt", tmp_path / "masked.txt"
        file.write_text("Some words about a bill. Write to jo@example.com.\n" * 2_000)
        assert run(file, out) == 0
        assert out.read_text() == "Some words about a bill. Write to [EMAIL_1].\n" * 2_000

    def test_line_that_is_no_object_is_named(self, tmp_path: Path) -> None:
        file = tmp_path / "logs.jsonl"
        file.write_text('{"text": "hello"}\n[1]\n')
        with pytest.raises(BadLine, match=r"logs\.jsonl:2 isn't an object"):
            run(file, tmp_path / "out.jsonl")

    @pytest.mark.parametrize("value", [4111111111111111, ["jo@example.com"], {"said": "jo@example.com"}])
    def test_field_that_holds_no_text_is_refused_rather_than_left(
        self, tmp_path: Path, value: object
    ) -> None:
        file, out = tmp_path / "logs.jsonl", tmp_path / "out.jsonl"
        file.write_text(json.dumps({"text": "hello"}) + "\n" + json.dumps({"text": value}) + "\n")
        with pytest.raises(BadLine, match=r"logs\.jsonl:2 has something in text that isn't text"):
            run(file, out)
        assert "example" not in out.read_text()
        assert "1111" not in out.read_text()

    def test_mark_of_the_encoding_and_empty_lines_are_no_fault(self, tmp_path: Path) -> None:
        file, out = tmp_path / "logs.jsonl", tmp_path / "out.jsonl"
        file.write_bytes(b'\xef\xbb\xbf{"text": "jo@example.com"}\n\n{"text": null}\n')
        assert run(file, out) == 0
        assert [json.loads(line)["text"] for line in out.read_text().splitlines()] == ["[EMAIL_1]", None]

    def test_half_a_surrogate_pair_stays_what_it_is(self, tmp_path: Path) -> None:
        file, out = tmp_path / "logs.jsonl", tmp_path / "out.jsonl"
        file.write_text('{"text": "a\\ud800 jo@example.com"}\n')
        assert run(file, out) == 0
        assert json.loads(out.read_text())["text"] == "a\ud800 [EMAIL_1]"

    @pytest.mark.parametrize("processes", [1, 2])
    def test_folder_that_is_none_is_told_before_a_file_is_touched(
        self, tmp_path: Path, processes: int
    ) -> None:
        file, out = tmp_path / "logs.jsonl", tmp_path / "out.jsonl"
        file.write_text('{"text": "hello"}\n')
        out.write_text("older")
        with pytest.raises(FolderFaults, match="this isn't a folder"):
            run_mask(
                file, out, fields=("text",), conversation=None, folder=tmp_path / "none",
                processes=processes, as_json=False,
            )  # fmt: skip
        assert out.read_text() == "older"

    def test_missing_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(NoFile, match=r"nowhere\.txt can't be opened"):
            run(tmp_path / "nowhere.txt", tmp_path / "out.txt")

    def test_file_stays_when_it_is_named_twice(self, tmp_path: Path) -> None:
        file = tmp_path / "logs.txt"
        file.write_text("Write to jo@example.com.\n")
        (tmp_path / "link.txt").hardlink_to(file)
        with pytest.raises(NoFile, match="into itself"):
            run(file, tmp_path / "link.txt")
        assert file.read_text() == "Write to jo@example.com.\n"

    @pytest.mark.parametrize("name", ["logs.txt", "logs.jsonl"])
    def test_bytes_that_are_no_text_are_refused_in_words(self, tmp_path: Path, name: str) -> None:
        file = tmp_path / name
        file.write_bytes(b"\xff\xfe")
        with pytest.raises(NotText, match="isn't text in UTF-8"):
            run(file, tmp_path / "out.txt")

    def test_fields_that_no_line_has_leave_no_file_that_looks_masked(self, tmp_path: Path) -> None:
        file, out = tmp_path / "logs.jsonl", tmp_path / "out.jsonl"
        file.write_text('{"message": "write to jo@example.com"}\n')
        with pytest.raises(NoSuchFields, match=r"has text in text or note.*--field"):
            run(file, out)
        assert not out.exists()
