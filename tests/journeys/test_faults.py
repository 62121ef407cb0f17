"""What a person gets who types something wrong: one sentence, the right exit code, no stack trace."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.running import Ran, run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A blank assistant folder, as `steward init` writes it."""
    ran = run("init", tmp_path / "mine")
    assert ran.code == 0, ran.both
    return tmp_path / "mine"


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def explained(ran: Ran, *, code: int, says: str) -> None:
    """Check the exit code, the sentence, and that no trace of the program's inside is shown."""
    assert ran.code == code, ran.both
    assert says in " ".join(ran.both.split())
    assert "Traceback" not in ran.both
    assert ".py" not in ran.both


class TestUp:
    def test_without_a_folder(self, tmp_path: Path) -> None:
        ran = run("up", tmp_path / "nowhere", "--data-dir", tmp_path / "data", "--port", "0")
        explained(ran, code=2, says="There is no assistant folder at")
        assert "steward init" in ran.err
        assert len(ran.err.strip().splitlines()) == 1

    def test_with_a_broken_folder_names_every_fault_with_file_and_line(
        self, folder: Path, tmp_path: Path
    ) -> None:
        assistant = folder / "assistant.yaml"
        text = assistant.read_text()
        assistant.write_text(text.replace("language: en", "langage: en").replace("USD", "DOLLARS"))
        (folder / "desk.yaml").write_text("queues: [\n")
        ran = run("up", folder, "--data-dir", tmp_path / "data", "--port", "0")
        explained(ran, code=1, says="language")
        at = {line.split(":")[0]: line.split(":")[1] for line in ran.err.splitlines() if ".yaml:" in line}
        assert {Path(name).name for name in at} == {"assistant.yaml", "desk.yaml"}
        assert all(number.isdigit() for number in at.values())
        assert ran.err.count("assistant.yaml:") == 2

    def test_on_a_taken_port(self, folder: Path, tmp_path: Path, taken_port: int) -> None:
        ran = run("up", folder, "--data-dir", tmp_path / "data", "--port", str(taken_port))
        explained(ran, code=2, says=f"Port {taken_port} on 127.0.0.1 is taken")
        assert len(ran.err.strip().splitlines()) == 1
        assert not (tmp_path / "data" / "postgres").exists()

    def test_with_a_file_for_a_data_directory(self, folder: Path, tmp_path: Path) -> None:
        (tmp_path / "data").write_text("not a directory")
        ran = run("up", folder, "--data-dir", tmp_path / "data", "--port", "0")
        explained(ran, code=2, says=str(tmp_path / "data"))

    def test_with_a_database_that_doesnt_answer(self, folder: Path, tmp_path: Path, taken_port: int) -> None:
        url = "postgresql://steward:pass-word@127.0.0.1:1/steward"
        ran = run(
            "up",
            folder,
            "--data-dir",
            tmp_path / "data",
            "--port",
            "0",
            more={"STEWARD_DATABASE_URL": url},
        )
        explained(ran, code=2, says="127.0.0.1:1")
        assert "pass-word" not in ran.both


class TestSettings:
    def test_unknown_name_proposes_the_nearest(self, tmp_path: Path) -> None:
        ran = run("doctor", "--data-dir", tmp_path, more={"STEWARD_PROT": "1"})
        explained(ran, code=2, says="STEWARD_PROT isn't a setting of Steward; nearest: STEWARD_PORT")

    @pytest.mark.parametrize(("name", "value"), [("STEWARD_PORT", "many"), ("STEWARD_LOG_FORMAT", "xml")])
    def test_value_that_doesnt_fit(self, tmp_path: Path, name: str, value: str) -> None:
        ran = run("doctor", "--data-dir", tmp_path, more={name: value})
        explained(ran, code=2, says=f"The setting {name} doesn't fit")

    def test_file_that_isnt_toml(self, tmp_path: Path) -> None:
        (tmp_path / "steward.toml").write_text("port = = 1\n")
        explained(run("doctor", "--data-dir", tmp_path), code=2, says="can't be read as TOML")

    @pytest.mark.parametrize("url", ["mysql://u:hidden@h/d", "postgresql://", "not a url"])
    def test_database_url_of_the_wrong_kind(self, tmp_path: Path, url: str) -> None:
        more = {"STEWARD_DATABASE_URL": url}
        ran = run("db", "upgrade", "--data-dir", tmp_path, more=more)
        explained(ran, code=2, says="URL")
        assert "hidden" not in ran.both


class TestCommandLine:
    @pytest.mark.parametrize(
        "arguments",
        [
            ("up", "--prot", "1"),
            ("up", "--port", "many"),
            ("upp",),
            ("init",),
            ("release", "show"),
            ("chat", "--message"),
        ],
    )
    def test_wrong_words_are_named(self, arguments: tuple[str, ...]) -> None:
        ran = run(*arguments)
        assert ran.code == 2, ran.both
        assert "Traceback" not in ran.both
        assert ran.both.strip()

    def test_init_never_overwrites(self, folder: Path) -> None:
        explained(run("init", folder), code=2, says=str(folder))

    def test_init_proposes_a_template(self, tmp_path: Path) -> None:
        explained(run("init", tmp_path / "x", "--template", "northlane"), code=2, says="northline")

    def test_secret_needs_a_name_and_a_value(self, tmp_path: Path) -> None:
        explained(run("secret", "set", "A B", "--data-dir", tmp_path), code=2, says="can't name a secret")
        explained(run("secret", "set", "KEY", "--data-dir", tmp_path), code=2, says="Nothing was given")

    def test_check_of_a_folder_that_isnt_there(self, tmp_path: Path) -> None:
        ran = run("check", tmp_path / "nowhere")
        assert ran.code in {1, 2}
        assert "nowhere" in ran.both
        assert "Traceback" not in ran.both

    @pytest.mark.parametrize("command", [("release", "create"), ("simulate", "--key", "k"), ("chat",)])
    def test_a_folder_that_isnt_there_stops_what_needs_one(
        self, command: tuple[str, ...], tmp_path: Path
    ) -> None:
        ran = run(*command, tmp_path / "nowhere", "--data-dir", tmp_path)
        explained(ran, code=2, says="There is no assistant folder at")
