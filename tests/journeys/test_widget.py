"""The widget in Chromium: what a customer sees, with mouse, keyboard, phone and in the dark."""

from __future__ import annotations

import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect
from tests.journeys.browsing import CHARGED_TWICE, FAINT, NAMELESS, say
from tests.journeys.conftest import Demo, OpenPage, picture

pytestmark = pytest.mark.browser


class TestRefund:
    async def test_cited_answer_offer_questions_confirmation_and_one_call(
        self, demo: Demo, page: Page
    ) -> None:
        await page.goto(demo.url)
        await page.get_by_role("button", name=CHARGED_TWICE).click()
        answer = page.locator("steward-chat .row.assistant").last
        await expect(answer).to_contain_text("I can look for the second payment and refund it for you.")
        await expect(answer.get_by_role("list", name="Sources")).to_contain_text("[1]")
        await expect(answer).to_contain_text("Suggested")
        await expect(page.locator("#trace")).to_contain_text("retrieve")
        await picture(page, "demo")
        await answer.get_by_role("button", name="Yes", exact=True).click()
        await expect(page.locator("steward-chat .row.assistant").last).to_contain_text("account number")
        assert "postcode" in await (await say(page, "NL-204816")).inner_text()
        asked = await say(page, "NW1 6ZZ")
        await expect(asked).to_contain_text("refund £42.50 for payment PAY-904418")
        await expect(asked).to_contain_text("Please confirm")
        assert demo.effects("NL-204816") == []
        await asked.get_by_role("button", name="Yes", exact=True).click()
        done = page.locator("steward-chat .row.assistant").last
        await expect(done).to_contain_text("I've refunded £42.50")
        await expect(done).to_contain_text("Done")
        (effect,) = demo.effects("NL-204816")
        assert effect["operation"] == "refund_payment"
        assert effect["effect"]["refund"] in await done.inner_text()
        await expect(page.locator("#trace")).to_contain_text("acted")
        await picture(page, "refund-done")

    async def test_a_reload_keeps_the_conversation(self, demo: Demo, page: Page) -> None:
        await page.goto(demo.url)
        answer = await (await say(page, "How do I read my bill?")).locator(".bubble").inner_text()
        await page.reload()
        last = page.locator("steward-chat .row.assistant").last
        await expect(last.locator(".bubble")).to_have_text(answer, use_inner_text=True)
        await expect(last.get_by_role("list", name="Sources")).to_be_visible()
        assert await page.locator("steward-chat .row.customer").count() == 1

    async def test_a_signed_in_customer_isnt_asked_who_they_are(self, demo: Demo, page: Page) -> None:
        await page.goto(demo.url)
        await page.get_by_label("You are").select_option("NL-330951")
        await page.get_by_role("button", name="Change").click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Grace")
        await say(page, CHARGED_TWICE)
        answer = await say(page, "yes")
        await expect(answer).to_contain_text("can't find one that was taken twice")


class TestAgent:
    async def test_hands_over_at_once_and_says_so(self, demo: Demo, page: Page) -> None:
        await page.goto(demo.url)
        await page.get_by_role("button", name="Talk to a person").click()
        answer = page.locator("steward-chat .row.assistant").last
        await expect(answer).to_contain_text(re.compile("to a person|are in their queue|is in their queue"))
        await expect(page.get_by_role("region").get_by_role("status").first).to_contain_text("queue")


class TestWhy:
    async def test_says_why_under_the_answer_by_keyboard(self, demo: Demo, page: Page) -> None:
        await page.goto(demo.url)
        answer = await say(page, "How long does a refund take to arrive?")
        await answer.get_by_text("Why this answer?").focus()
        await page.keyboard.press("Enter")
        await expect(answer).to_contain_text("sure of it")
        await expect(answer.get_by_role("list", name="Pages used")).to_contain_text("refunds")


class TestEnd:
    async def test_survey_closes_the_conversation_and_a_new_one_begins(self, demo: Demo, page: Page) -> None:
        await page.goto(demo.url)
        await say(page, "How do I read my bill?")
        await page.get_by_role("button", name="Helpful", exact=True).click()
        helpful = page.get_by_role("button", name="Helpful", exact=True)
        await expect(helpful).to_have_attribute("aria-pressed", "true")
        await page.get_by_role("button", name="End the conversation").click()
        await page.get_by_label("4 of 5").check(force=True)
        await page.get_by_role("button", name="Yes", exact=True).click()
        await page.get_by_role("button", name="End the chat").click()
        await expect(page.get_by_text("This conversation has ended.")).to_be_visible()
        await page.get_by_role("button", name="Start new conversation").click()
        await expect(page.locator("steward-chat .row")).to_have_count(1)


class TestNetwork:
    async def test_message_written_offline_goes_out_once_when_back(
        self, demo: Demo, browser: Browser
    ) -> None:
        context = await browser.new_context()
        page = await context.new_page()
        await page.goto(demo.url)
        await say(page, "hello")
        await context.set_offline(True)
        await page.get_by_label("Your message").fill("How do I read my bill?")
        await page.get_by_label("Your message").press("Enter")
        await expect(page.get_by_role("alert")).to_contain_text("offline")
        await context.set_offline(False)
        await expect(page.get_by_role("list", name="Sources")).to_be_visible()
        await expect(page.get_by_role("alert")).to_be_hidden()
        assert await page.locator("steward-chat .row.customer").count() == 2
        await page.reload()
        await expect(page.get_by_role("list", name="Sources")).to_be_visible()
        assert await page.locator("steward-chat .row.customer").count() == 2
        await context.close()


class TestKeyboard:
    async def test_everything_works_without_a_mouse(self, own_site: str, page: Page) -> None:
        await page.goto(own_site)
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("button", name="Help")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Your message")).to_be_focused()
        await page.keyboard.type("How do I read my bill?")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("list", name="Sources")).to_be_visible()
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Enter")
        for _ in range(14):
            inside = await page.evaluate("document.activeElement.tagName")
            assert inside == "STEWARD-CHAT", "the focus left the open window"
            await page.keyboard.press("Tab")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_be_hidden()
        await expect(page.get_by_role("button", name="Help")).to_be_focused()


class TestAccessibility:
    async def test_names_roles_and_announcements(self, demo: Demo, page: Page) -> None:
        await page.goto(demo.url)
        await say(page, CHARGED_TWICE)
        await expect(page.get_by_role("log", name="Conversation")).to_have_attribute("aria-live", "polite")
        assert await page.locator("html").get_attribute("lang") == "en"
        nameless = await page.evaluate(NAMELESS)
        assert nameless == []

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    async def test_texts_stand_out(self, demo: Demo, open_page: OpenPage, scheme: str) -> None:
        page = await open_page(color_scheme=scheme)
        await page.goto(demo.url)
        await say(page, CHARGED_TWICE)
        faint = await page.evaluate(FAINT)
        assert faint == [], scheme


class TestPlaces:
    async def test_phone_in_the_dark(self, own_site: str, open_page: OpenPage) -> None:
        page = await open_page(
            viewport={"width": 390, "height": 780},
            color_scheme="dark",
            is_mobile=True,
            has_touch=True,
            device_scale_factor=2,
        )
        await page.goto(own_site)
        await page.get_by_role("button", name="Help").tap()
        await page.get_by_label("Your message").fill(CHARGED_TWICE)
        await page.get_by_role("button", name="Send").tap()
        await expect(page.get_by_role("list", name="Sources")).to_be_visible()
        box = await page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert (box["width"], box["height"]) == (390, 780)
        wide = await page.evaluate("document.documentElement.scrollWidth")
        assert wide == 390
        await picture(page, "phone-dark")

    async def test_another_site_embeds_it_with_the_public_key(self, own_site: str, page: Page) -> None:
        await page.goto(own_site)
        await page.get_by_role("button", name="Help").click()
        answer = await say(page, "How do I read my bill?")
        await expect(answer.get_by_role("list", name="Sources")).to_contain_text("[1]")


@pytest.fixture
def own_site(demo: Demo, tmp_path: Path) -> Iterator[str]:
    """A page of another origin with the snippet of the console's page, under a policy of its own."""
    snippet = (
        f'<script src="{demo.url}/widget.js" defer></script>\n'
        f'<steward-chat server="{demo.url}" key="{demo.public_key}"></steward-chat>'
    )
    policy = f"default-src 'none'; script-src {demo.url}; connect-src {demo.url}; img-src data:"
    (tmp_path / "index.html").write_text(
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Corner shop</title>'
        '<link rel="icon" href="data:,"><meta name="viewport" content="width=device-width">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}"></head>'
        f'<body><h1>Corner shop</h1><p><a href="#offers">Offers</a></p>{snippet}</body></html>'
    )

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Print nothing."""

    handler = lambda *args: Quiet(*args, directory=str(tmp_path))  # noqa: E731
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()
        thread.join()
