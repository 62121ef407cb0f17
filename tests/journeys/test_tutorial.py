"""The tutorial, done to the letter: its own code blocks, in order, and what it says they print.

Only the port, the data directory, the public key and the model's address differ from the page.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.async_api import expect
from tests.journeys.conftest import OpenPage, picture
from tests.journeys.running import COMMAND_WITHIN_S, ROOT, Running, environment, own_directory
from tests.journeys.talking import Talk

TUTORIAL = ROOT / "docs" / "tutorials" / "first-assistant.md"
TAKEN = "serving release|has faults|not_taken"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """One code block of the page."""

    language: str
    text: str


@dataclass(slots=True)
class Desk:
    """Where the tutorial is done: a directory, an assistant that runs, what was printed last."""

    directory: Path
    running: Running | None = None
    printed: str = ""

    @property
    def up(self) -> Running:
        """The running assistant."""
        assert self.running is not None
        return self.running

    @property
    def url(self) -> str:
        """Its address."""
        return self.up.printed(r"^url: (\S+)")

    def shell(self, script: str, *, typed: str = "") -> str:
        """Run a block in a shell as the second terminal does, and return what it printed."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ran = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.directory,
            env=environment({"PATH": path, "STEWARD_DATA_DIR": str(self.directory / "data")}),
            input=typed,
            capture_output=True,
            text=True,
            timeout=COMMAND_WITHIN_S,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    """An empty directory; what was started in it is stopped."""
    with own_directory("tutorial") as directory:
        desk = Desk(directory)
        yield desk
        if desk.running is not None:
            assert desk.running.stop() == 0


@pytest.fixture(scope="module")
def model_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A simulated model service, in the place of the real one."""
    mark = tmp_path_factory.mktemp("model")
    command = [sys.executable, "-m", "steward.improve.simulation.model_server", "--port", "0"]
    running = Running(command, ready=r"http://", data_dir=mark)
    yield running.printed(r"(http://\S+)")
    running.stop()


def blocks() -> list[Block]:
    """Return the page's code blocks."""
    return [Block(*found) for found in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))]


def check_printed(expected: str, printed: str) -> None:
    """Find each line of a block in what was printed; … stands for anything."""
    for line in expected.strip().splitlines():
        pattern = ".*".join(re.escape(part) for part in re.sub(r":8080\b", ":…", line).split("…"))
        assert re.search(pattern, printed), f"{line!r} isn't in:\n{printed}"


class TestTutorial:
    """Each test goes on where the one before ended."""

    def test_folder_start_documents_and_questions(self, desk: Desk) -> None:
        for block in blocks():
            if block.language == "html":
                break
            if block.language == "text":
                check_printed(block.text, desk.printed)
            elif block.text.startswith("steward up "):
                folder = desk.directory / block.text.split()[2]
                desk.running = Running.up(folder, data_dir=desk.directory / "data")
                desk.printed = desk.running.output
            elif "knowledge" in block.text:
                before = len(desk.up.lines)
                desk.shell(block.text)
                desk.up.wait_for(TAKEN, after=before)
                desk.printed = desk.up.output
            else:
                desk.printed = desk.shell(block.text)
        assert len(list((desk.directory / "mine" / "knowledge").iterdir())) == 10

    @pytest.mark.parametrize(
        ("question", "document", "says"),
        [
            ("when are you open on thursdays?", "opening-hours.md", "20:00"),
            ("do you fix punctures without an appointment", "punctures.md", "appointment"),
            ("what does an e-bike cost for a day", "hire.md", "€35"),
            ("how long is the warranty on the frame?", "warranty.html", "five years"),
            ("I lost the key of my lock", "lost-keys.txt", "key card"),
            ("do you buy used bikes", "questions.csv", "six years"),
            ("can you keep my bike over the winter", "storage.md", "€60"),
        ],
    )
    def test_questions_that_the_folders_intents_dont_know(
        self, desk: Desk, question: str, document: str, says: str
    ) -> None:
        with self.client(desk) as client:
            done = Talk(client).say(question)
        assert done["outcome"] == "answered", done
        assert says in done["text"]
        assert done["citations"][0]["document"] == document

    @pytest.mark.browser
    async def test_widget_on_ones_own_page(self, desk: Desk, open_page: OpenPage) -> None:
        (block,) = (block for block in blocks() if block.language == "html")
        key = json.loads((desk.directory / "data" / "local-access.json").read_text())["public_key"]
        text = block.text.replace("http://127.0.0.1:8080", desk.url).replace("stw_pub_…", key)
        file = desk.directory / "page.html"
        file.write_text(text)
        page = await open_page()
        await page.goto(file.as_uri())
        await page.get_by_role("button", name="Help").click()
        await page.get_by_label("Your message").fill("When are you open on Thursdays?")
        await page.get_by_role("button", name="Send").click()
        await expect(page.locator("steward-chat .row.assistant").last).to_contain_text("20:00")
        await expect(page.get_by_role("list", name="Sources")).to_contain_text("Opening hours")
        await picture(page, "own-page")

    def test_model_key_pasted_in(self, desk: Desk, model_server: str) -> None:
        (models,) = (block.text for block in blocks() if block.language == "yaml")
        stored, asked = [block.text for block in blocks() if block.language == "sh"][-2:]
        file, before = desk.directory / "mine" / "assistant.yaml", len(desk.up.lines)
        changed, count = re.subn(
            r"^models:.*?^answer_with:.*?\n",
            models.replace("https://api.openai.com/v1", model_server),
            file.read_text(),
            flags=re.MULTILINE | re.DOTALL,
        )
        assert count == 1
        file.write_text(changed)
        desk.up.wait_for(TAKEN, after=before)
        desk.shell(stored, typed="sk-tutorial\n")
        desk.up.wait_for("secrets changed", after=before)
        done: dict[str, Any] = json.loads(desk.shell(asked))
        assert "€65" in done["text"]
        assert done["tokens"]["prompt"] > 0
        assert float(done["cost"]) > 0
        with self.client(desk) as client:
            assert Talk(client).say("How much is a full service?")["tokens"]["prompt"] > 0
        received = httpx.get(f"{model_server.removesuffix('/v1')}/received").json()
        assert len(received) >= 2

    def test_mistake_is_named_and_the_release_before_goes_on_serving(self, desk: Desk) -> None:
        file, before = desk.directory / "mine" / "intents.yaml", len(desk.up.lines)
        right = file.read_text()
        file.write_text(right.replace("category: money", "category: mony"))
        desk.up.wait_for("the release before it goes on serving", after=before)
        assert re.search(r"intents\.yaml:\d+:\d+ .*mony", "".join(desk.up.lines[before:]))
        with self.client(desk) as client:
            assert Talk(client).say("how long is the warranty on the frame?")["outcome"] == "answered"
        file.write_text(right)

    def test_another_name_needs_another_start(self, desk: Desk) -> None:
        file, before = desk.directory / "mine" / "assistant.yaml", len(desk.up.lines)
        file.write_text(file.read_text().replace("name: my_assistant", "name: corner_bikes"))
        desk.up.wait_for("name is now corner_bikes: start `steward up` again", after=before)

    def client(self, desk: Desk) -> httpx.Client:
        """Return a client with the key that `up` printed."""
        key = desk.up.printed(r"^key: (\S+)")
        return httpx.Client(base_url=desk.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
