"""One demo and one browser serve all journeys of a worker; every page's errors are counted.

Set STEWARD_PICTURES to a directory to have the journeys write the screenshots of the docs there.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright
from tests.journeys.running import Running, own_directory

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PAGE_WITHIN_MS = 20_000


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the running demo is and how to get in."""

    url: str
    key: str
    public_key: str
    login: str
    password: str
    business_url: str
    running: Running

    def client(self, key: str | None = None) -> httpx.Client:
        """Return a client that calls with a key, the local one unless another is given."""
        return httpx.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {key or self.key}"}, timeout=30
        )

    def effects(self, account: str) -> list[dict[str, Any]]:
        """Return what the business system's journal says was done for a customer."""
        entries = httpx.get(f"{self.business_url}journal", timeout=10).json()["entries"]
        return [entry for entry in entries if entry.get("effect", {}).get("account") == account]


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """The demo, started as `make demo` starts it, on a free port."""
    with own_directory("demo") as data_dir:
        running = Running.up("--demo", "--no-traffic", data_dir=data_dir)
        try:
            yield Demo(
                url=running.printed(r"^url: (\S+)"),
                key=running.printed(r"^key: (\S+)"),
                public_key=json.loads((data_dir / "local-access.json").read_text())["public_key"],
                login=running.printed(r"login (\S+),"),
                password=running.printed(r"password (\S+)\)"),
                business_url=running.printed(r"the company: (\S+)"),
                running=running,
            )
            assert "Traceback" not in running.output
        finally:
            code = running.stop()
        assert code == 0


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium without a window."""
    if not os.access(CHROMIUM, os.X_OK):
        pytest.skip("Chromium isn't installed: the journeys in a browser were not run")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        await chromium.close()


OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def open_page(browser: Browser) -> AsyncIterator[OpenPage]:
    """Open pages, each in a browser context of its own, that must not log a single error."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Any) -> Page:
            return await stack.enter_async_context(clean_page(browser, options))

        yield open_one


@pytest.fixture
async def page(open_page: OpenPage) -> Page:
    """A page as wide as a laptop's."""
    return await open_page()


@asynccontextmanager
async def clean_page(browser: Browser, options: dict[str, Any]) -> AsyncIterator[Page]:
    """Open a page, and afterwards find no error, no warning and no breach of its security policy."""
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
    context.set_default_timeout(PAGE_WITHIN_MS)
    page, faults = await context.new_page(), list[str]()

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            faults.append(f"{message.type}: {message.text}")

    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(f"exception: {error}"))
    try:
        yield page
        assert faults == []
    finally:
        await context.close()


async def picture(page: Page, name: str) -> None:
    """Write a screenshot for the docs, when asked to."""
    directory = os.environ.get("STEWARD_PICTURES")
    if directory:
        await page.screenshot(path=Path(directory) / f"{name}.png", animations="disabled")
