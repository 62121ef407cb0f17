"""The demo's viewers, and what the widget's script must never contain."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest

from steward.base.errors import NotAllowed
from steward.edge.channels.web.demo import Viewers

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class TestViewers:
    def test_an_own_cookie_is_good_for_an_hour(self) -> None:
        viewers = Viewers()
        cookie = viewers.issue(NOW)
        viewers.check(cookie, NOW + timedelta(minutes=59))
        with pytest.raises(NotAllowed, match="load that page again"):
            viewers.check(cookie, NOW + timedelta(minutes=61))

    @pytest.mark.parametrize("cookie", ["", "1.2", "99999999999.abc", "x.ü"])
    def test_other_cookies_are_refused(self, cookie: str) -> None:
        with pytest.raises(NotAllowed, match="demo's page"):
            Viewers().check(cookie, NOW)


class TestScripts:
    @pytest.mark.parametrize("package", ["steward.edge.channels.web", "steward.edge.console"])
    def test_no_script_builds_html_or_code_out_of_text(self, package: str) -> None:
        for file in (files(package) / "static").iterdir():
            if file.name.endswith(".js"):
                script = file.read_text(encoding="utf-8")
                for word in (
                    "innerHTML",
                    "outerHTML",
                    "insertAdjacentHTML",
                    "document.write",
                    "eval(",
                    "new Function",
                ):
                    assert word not in script, f"{file.name} uses {word}"

    def test_the_widget_stays_small(self) -> None:
        assert len((files("steward.edge.channels.web") / "static" / "widget.js").read_bytes()) < 40_000

    @pytest.mark.parametrize("package", ["steward.edge.channels.web", "steward.edge.console"])
    def test_no_page_has_inline_script_or_style(self, package: str) -> None:
        for file in (files(package) / "templates").iterdir():
            page = file.read_text(encoding="utf-8")
            assert "<style" not in page
            assert " style=" not in page
            assert "<script" not in page
            assert " onclick" not in page
