"""Where a login may lead."""

from __future__ import annotations

import pytest

from steward.edge.console.signing_in import own_path


class TestOwnPath:
    @pytest.mark.parametrize("path", ["/console", "/console/desk", "/console/conversations/1"])
    def test_pages_of_the_console_are_led_to(self, path: str) -> None:
        assert own_path(path) == path

    @pytest.mark.parametrize(
        "path",
        ["", "https://evil.example", "//evil.example", "/consolex", "/console/\\evil", "/console/login"],
    )
    def test_everything_else_leads_to_the_overview(self, path: str) -> None:
        assert own_path(path) == "/console"
