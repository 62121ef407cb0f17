"""What the journeys in a browser have in common: talking to the widget, and looking a page over."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, Page, expect

TURN_WITHIN_S = 20.0
CHARGED_TWICE = "I was charged twice this month"


async def say(page: Page, text: str) -> Locator:
    """Type a message when the last turn has ended, send it, and return the answer when it is whole."""
    log = page.get_by_role("log", name="Conversation")
    await expect(log).not_to_have_attribute("aria-busy", "true")
    await page.evaluate(
        "() => { window.ended = new Promise((end) => addEventListener('steward-done', end, {once: true})); }"
    )
    field = page.get_by_label("Your message")
    await field.fill(text)
    await field.press("Enter")
    async with asyncio.timeout(TURN_WITHIN_S):
        await page.evaluate("() => window.ended.then(() => null)")
    return page.locator("steward-chat .row.assistant").last


NAMELESS = """() => {
  const everything = (root) => [...root.querySelectorAll("*")]
    .flatMap((one) => [one, ...(one.shadowRoot ? everything(one.shadowRoot) : [])]);
  const named = (one) => one.getAttribute("aria-label") || one.getAttribute("aria-labelledby") ||
    one.labels?.length || one.textContent.trim();
  const seen = everything(document).filter((one) => one.getClientRects().length);
  const controls = "button, a[href], input, textarea, select, [role=log], [role=dialog], [role=img]";
  return [
    ...seen.filter((one) => one.matches(controls) && !named(one)).map((one) => `no name: ${one.outerHTML}`),
    ...seen.filter((one) => one.matches("img:not([alt])")).map((one) => `no alternative: ${one.outerHTML}`),
    ...(document.querySelectorAll("h1").length === 1 ? [] : ["not exactly one first heading"]),
    ...(document.querySelectorAll("main").length === 1 ? [] : ["not exactly one main part"]),
  ];
}"""
"""Names what on a page a screen reader couldn't name."""

FAINT = """() => {
  const everything = (root) => [...root.querySelectorAll("*")]
    .flatMap((one) => [one, ...(one.shadowRoot ? everything(one.shadowRoot) : [])]);
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (rgb) => {
    const [r, g, b] = rgb.map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (one) => {
    for (let at = one; at; at = at.parentElement || at.getRootNode().host) {
      const [r, g, b, alpha = 1] = parts(getComputedStyle(at).backgroundColor);
      if (alpha > 0.95) return [r, g, b];
    }
    return dark ? [0, 0, 0] : [255, 255, 255];
  };
  const written = (one) =>
    [...one.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  const shown = (one) => one.getClientRects().length && !one.disabled && one.tagName !== "OPTION" &&
    getComputedStyle(one).clipPath === "none";
  const look = (one) => {
    const style = getComputedStyle(one), size = parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const [low, high] = [light(parts(style.color).slice(0, 3)), light(behind(one))].sort((a, b) => a - b);
    return { ratio: (high + 0.05) / (low + 0.05), least: large ? 3 : 4.5, one };
  };
  return everything(document).filter((one) => shown(one) && written(one)).map(look)
    .filter(({ ratio, least }) => ratio < least)
    .map(({ ratio, one }) => `${ratio.toFixed(2)} ${one.tagName}.${one.className} ${one.textContent.trim()}`);
}"""
"""Names the texts whose contrast is below WCAG 2.2, 1.4.3: 4.5 to 1, or 3 to 1 for large ones."""
