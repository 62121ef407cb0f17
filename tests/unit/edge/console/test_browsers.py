"""Browsers are told by the names that people know."""

from __future__ import annotations

import pytest

from steward.edge.console.browsers import browser_in_words

CHROMIUM = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
MOBILE = "Version/18.0 Mobile/15E148 Safari/604.1"


class TestBrowserInWords:
    @pytest.mark.parametrize(
        ("agent", "words"),
        [
            (f"Mozilla/5.0 (X11; Linux x86_64) {CHROMIUM}", "Chrome 156 on Linux"),
            (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROMIUM} Edg/140.0", "Edge 140 on Windows"),
            ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14.2) Firefox/128.0", "Firefox 128 on macOS"),
            (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {MOBILE}", "Safari 18 on iPhone"),
            ("curl/8.5.0", "curl/8.5.0"),
            (None, "unknown"),
            ("", "unknown"),
        ],
    )
    def test_name_version_and_system(self, agent: str | None, words: str) -> None:
        assert browser_in_words(agent) == words
