"""The console in Chromium, and both sides of a hand-over and an approval at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, StorageState, expect
from tests.journeys.browsing import CHARGED_TWICE, FAINT, NAMELESS, say
from tests.journeys.conftest import Demo, OpenPage, picture

pytestmark = pytest.mark.browser

PAGES = (
    "",
    "/conversations",
    "/desk",
    "/approvals",
    "/rollouts",
    "/rollouts/new",
    "/releases",
    "/releases/1",
    "/governance",
    "/ledger",
    "/rights",
    "/site",
    "/people",
    "/account",
)


@pytest.fixture(scope="module")
async def signed_in(demo: Demo, browser: Browser) -> AsyncIterator[StorageState]:
    """The cookies of somebody who has signed in with the login that `up` printed."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{demo.url}/console")
    await page.get_by_label("Login").fill(demo.login)
    await page.get_by_label("Password").fill(demo.password)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("navigation", name="Console")).to_be_visible()
    yield await context.storage_state()
    await context.close()


@pytest.fixture
async def operator(open_page: OpenPage, signed_in: StorageState) -> Page:
    """The console's side, in a browser context of its own."""
    return await open_page(storage_state=signed_in)


class TestSignIn:
    async def test_wrong_password_is_told_in_a_sentence(self, demo: Demo, browser: Browser) -> None:
        page = await browser.new_page()
        await page.goto(f"{demo.url}/console/ledger")
        await page.get_by_label("Login").fill("nobody")
        await page.get_by_label("Password").fill("wrong")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        await page.close()


class TestTakeOver:
    async def test_person_takes_over_replies_and_gives_back(
        self, demo: Demo, page: Page, operator: Page
    ) -> None:
        await page.goto(demo.url)
        await say(page, CHARGED_TWICE)
        await say(page, "agent")
        await expect(page.locator("steward-chat")).to_contain_text("position")
        await operator.goto(f"{demo.url}/console/desk")
        row = operator.get_by_role("row").filter(has_text=await conversation_mark(page))
        await row.get_by_role("button", name="Take over").click()
        await expect(operator.get_by_text("You hold the word.")).to_be_visible()
        await operator.get_by_label("Your reply to the customer").fill(
            "Hello, Sam here. I see both payments."
        )
        await operator.get_by_role("button", name="Send").click()
        await expect(operator.locator(".talk .human")).to_contain_text("Sam here")
        await expect(page.locator("steward-chat .row.human")).to_contain_text("I see both payments.")
        await expect(page.locator("steward-chat")).to_contain_text("You're talking to a person")
        await page.get_by_label("Your message").fill("Great, thank you Sam")
        await page.get_by_label("Your message").press("Enter")
        await expect(operator.locator(".talk")).to_contain_text("Great, thank you")
        assert await page.locator("steward-chat .row.assistant").count() == 3
        await operator.evaluate("scrollTo(0, 0)")
        await picture(operator, "take-over")
        await operator.get_by_role("button", name="Give back to the assistant").click()
        await expect(operator.get_by_text("The assistant holds the word.")).to_be_visible()
        await expect(page.locator("steward-chat")).to_contain_text("Automated assistant")
        answer = await say(page, "How do I read my bill?")
        await expect(answer.get_by_role("list", name="Sources")).to_be_visible()


class TestReveal:
    async def test_person_sees_a_value_for_a_reason_that_is_kept(
        self, demo: Demo, page: Page, operator: Page
    ) -> None:
        await page.goto(demo.url)
        await say(page, "write to maya.patel@brackwater.example please")
        await operator.goto(f"{demo.url}/console/conversations")
        mark = await conversation_mark(page)
        await operator.get_by_role("row").filter(has_text=mark).get_by_role("link").click()
        await expect(operator.locator(".talk")).to_contain_text("[EMAIL_1]")
        await operator.get_by_text("Reveal personal data").click()
        await operator.get_by_label("Token").select_option("[EMAIL_1]")
        await operator.get_by_label("Reason").select_option("complaint")
        await operator.get_by_label("Note").fill("asked by call from 07700 900123")
        await operator.get_by_role("button", name="Reveal and record").click()
        await expect(operator.get_by_role("status")).to_contain_text("maya.patel@brackwater.example")
        seen = operator.get_by_role("table", name="Seen before")
        await expect(seen).to_contain_text("complaint: asked by call from [PHONE_1]")
        await picture(operator, "reveal")


class TestHostileWords:
    async def test_stay_words_on_both_sides(self, demo: Demo, page: Page, operator: Page) -> None:
        hostile = """<img src=x onerror="window.ran=1"><script>window.ran=1</script>{{7*7}}"""
        await page.goto(demo.url)
        await say(page, hostile)
        await say(page, "agent")
        await expect(page.locator("steward-chat .row.customer").first).to_contain_text("<img src=x")
        await operator.goto(f"{demo.url}/console/conversations")
        mark = await conversation_mark(page)
        await operator.get_by_role("row").filter(has_text=mark).get_by_role("link").click()
        await expect(operator.locator(".talk")).to_contain_text("<img src=x")
        await operator.get_by_role("button", name="Take over").click()
        await operator.get_by_label("Your reply to the customer").fill(hostile)
        await operator.get_by_role("button", name="Send").click()
        await expect(page.locator("steward-chat .row.human")).to_contain_text("<img src=x")
        for side in (page, operator):
            assert await side.evaluate("window.ran") is None


class TestApproval:
    async def test_operator_approves_and_the_customer_is_told(
        self, demo: Demo, page: Page, operator: Page
    ) -> None:
        await page.goto(f"{demo.url}/?customer=NL-118273")
        await say(page, CHARGED_TWICE)
        asked = await say(page, "yes")
        await expect(asked).to_contain_text("refund £142.50")
        await expect(await say(page, "yes")).to_contain_text("one of my colleagues has to agree first")
        assert demo.effects("NL-118273") == []
        await operator.goto(f"{demo.url}/console/approvals")
        card = operator.locator(".card").filter(has_text="142.50")
        await card.get_by_label("Reason, for the record").fill("Two payments, one bill: seen")
        await card.get_by_role("button", name="Approve").click()
        await expect(card).to_have_count(0)
        await expect(page.locator("steward-chat")).to_contain_text("I've refunded £142.50")
        (effect,) = demo.effects("NL-118273")
        assert effect["operation"] == "refund_payment"
        await operator.goto(f"{demo.url}/console/ledger")
        await expect(operator.locator("main")).to_contain_text("approv")


class TestPages:
    @pytest.mark.parametrize("path", PAGES)
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    async def test_named_readable_and_without_errors(
        self, demo: Demo, open_page: OpenPage, signed_in: StorageState, path: str, scheme: str
    ) -> None:
        page = await open_page(storage_state=signed_in, color_scheme=scheme)
        await page.goto(f"{demo.url}/console{path}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await page.evaluate(NAMELESS) == []
        assert await page.evaluate(FAINT) == []

    async def test_first_page_shows_figures_and_charts(self, demo: Demo, page: Page, operator: Page) -> None:
        await page.goto(demo.url)
        await say(page, "My internet is down")
        await operator.goto(f"{demo.url}/console")
        await expect(operator.locator(".chart svg").first).to_be_visible()
        await expect(operator.locator(".figures")).to_contain_text("CSAT")
        await picture(operator, "console")

    async def test_anatomy_of_a_turn(self, demo: Demo, page: Page, operator: Page) -> None:
        await page.goto(demo.url)
        await say(page, CHARGED_TWICE)
        await operator.goto(f"{demo.url}/console/conversations")
        mark = await conversation_mark(page)
        await operator.get_by_role("row").filter(has_text=mark).get_by_role("link").click()
        await operator.locator(".turns").get_by_role("link").first.click()
        await expect(operator.get_by_role("heading", level=1)).to_contain_text("Turn")
        for stage in ("receive", "mask", "understand", "guard", "retrieve", "generate", "verify"):
            await expect(operator.get_by_role("rowheader", name=stage, exact=True)).to_be_visible()
        await expect(operator.locator("main")).to_contain_text("cited")
        await picture(operator, "turn")

    async def test_narrow_pages_dont_scroll_sideways(
        self, demo: Demo, open_page: OpenPage, signed_in: StorageState
    ) -> None:
        page = await open_page(storage_state=signed_in, viewport={"width": 390, "height": 780})
        for path in PAGES:
            await page.goto(f"{demo.url}/console{path}")
            assert await page.evaluate("document.documentElement.scrollWidth") <= 390, path

    @pytest.mark.parametrize("width", [390, 1280])
    async def test_an_admin_finds_every_page_from_one_line(
        self, demo: Demo, open_page: OpenPage, signed_in: StorageState, width: int
    ) -> None:
        page = await open_page(storage_state=signed_in, viewport={"width": width, "height": 780})
        await page.goto(f"{demo.url}/console/people")
        assert await page.evaluate("document.querySelector('.top').offsetHeight") < 60
        if width < 1100:
            await page.get_by_role("button", name="Menu").click()
        await page.locator("summary", has_text="Compliance").click()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("link", name="Ledger")).to_be_hidden()
        if width < 1100:
            await page.get_by_role("button", name="Menu").click()
        await page.locator("summary", has_text="Compliance").click()
        await page.get_by_role("link", name="Ledger").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Ledger")


async def conversation_mark(page: Page) -> str:
    """Return the short form of the id of a page's conversation, as the console shows it."""
    identifier: str = await page.evaluate("document.querySelector('steward-chat').id")
    return identifier[-8:]
