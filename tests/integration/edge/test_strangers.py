"""What stands between a stranger's browser and the API: the key's sites, and three sorts of limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from steward.edge.application import build_app
from steward.edge.contracts import Services
from steward.govern.access.keys import KeyKind

ONE, OTHER = "01a1fe76-f836-73af-8b6a-4d9d3c95a300", "01a1fe76-f836-73af-8b6a-4d9d3c95a301"


async def statuses(
    services: Services, calls: list[tuple[str, str]], *, origins: tuple[str, ...] = (), **limits: Any
) -> list[int]:
    """Make calls with a fresh public key, each from an origin to a path, and return the statuses."""
    key = await services.access.keys.issue(name="w", kind=KeyKind.PUBLIC, actor="system", origins=origins)
    app = build_app(replace(services, settings=replace(services.settings, **limits)))
    headers = {"Authorization": f"Bearer {key.token}"}
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://steward.test", headers=headers
    ) as client:
        return [
            (await client.post(path, headers={"Origin": origin} if origin else {})).status_code
            for origin, path in calls
        ]


class TestSites:
    @pytest.mark.parametrize(
        ("origin", "refused"),
        [("https://shop.example", False), ("", False), ("https://evil.example", True), ("null", True)],
    )
    async def test_a_page_of_another_site_is_refused(
        self, origin: str, refused: bool, services: Services
    ) -> None:
        found = await statuses(services, [(origin, "/v1/conversations")], origins=("https://shop.example",))
        assert (found == [403]) is refused


class TestLimits:
    async def test_a_conversation_has_its_own(self, services: Services) -> None:
        paths = [f"/v1/conversations/{ONE}/close"] * 3 + [f"/v1/conversations/{OTHER}/close"]
        found = await statuses(
            services, [("", path) for path in paths], requests_per_minute=100, messages_per_minute=2
        )
        assert [status == 429 for status in found] == [False, False, True, False]

    async def test_an_address_has_one_for_all_keys(self, services: Services) -> None:
        calls = [("", "/v1/conversations")] * 2
        found = [
            status for _ in range(6) for status in await statuses(services, calls, requests_per_minute=2)
        ]
        assert [status == 429 for status in found] == [False] * 10 + [True] * 2

    async def test_a_key_has_one_for_all_addresses(self, services: Services) -> None:
        calls = [("", "/v1/conversations")] * 4
        found = await statuses(services, calls, requests_per_minute=100, key_requests_per_minute=3)
        assert [status == 429 for status in found] == [False, False, False, True]
