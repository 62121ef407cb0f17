"""However a running Steward ends, none of its processes stays, and the next start works."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from tests.journeys.running import Running, own_directory, run
from tests.journeys.talking import Talk


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A directory with an assistant folder; what is stored stays from one start to the next."""
    with own_directory("stopping") as directory:
        assert run("init", directory / "mine").code == 0
        yield directory


class TestStopping:
    """Each start finds what the one before has left."""

    @pytest.mark.parametrize(
        ("number", "code"),
        [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGINT, 0), (signal.SIGTERM, 0)],
    )
    def test_leaves_no_process_and_a_database_that_starts_again(
        self, place: Path, number: signal.Signals, code: int
    ) -> None:
        running = Running.up(place / "mine", "--demo", "--no-traffic", data_dir=place / "data")
        url, key = running.printed(r"^url: (\S+)"), running.printed(r"^key: (\S+)")
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=url, headers=headers, timeout=30) as client:
            assert Talk(client).say("hello")["outcome"] == "answered"
        assert len(running.family()) >= 4, "Steward, business system, guardian and database"
        assert running.stop(number) == code
        assert "Traceback" not in running.output
