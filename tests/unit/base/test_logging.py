"""Logs leave out secrets, customers' words, and the texts of foreign exceptions."""

from __future__ import annotations

import structlog

from steward.base.errors import Unavailable
from steward.base.telemetry.logging import (
    LEFT_OUT,
    describe_exception,
    exception_in_lines,
    leave_out_secrets,
    quiet_exception,
)


class TestLeaveOutSecrets:
    def test_by_name_at_any_depth(self) -> None:
        event = {
            "event": "called",
            "api_key": "k",
            "headers": {"Authorization": "Bearer x", "accept": "json"},
            "rows": [{"text": "my card is"}],
            "latency_ms": 4,
        }
        assert leave_out_secrets(None, "info", event) == {
            "event": "called",
            "api_key": LEFT_OUT,
            "headers": {"Authorization": LEFT_OUT, "accept": "json"},
            "rows": [{"text": LEFT_OUT}],
            "latency_ms": 4,
        }


class TestDescribeException:
    def test_stewards_own_says_its_sentence(self) -> None:
        assert describe_exception(Unavailable("come back later")) == ["Unavailable: come back later at "]

    def test_a_foreign_one_keeps_its_text_to_itself(self) -> None:
        try:
            int("4111 1111")
        except ValueError as error:
            described = quiet_exception(None, "error", {"event": "failed", "exc_info": error})
        assert "4111" not in str(described)
        assert "ValueError at" in described["exception"][0]

    def test_a_terminal_shows_its_lines(self) -> None:
        event: dict[str, object] = {"event": "failed", "level": "error", "exc_info": ValueError("4111 1111")}
        readable = exception_in_lines(None, "error", quiet_exception(None, "error", event))
        shown = structlog.dev.ConsoleRenderer(colors=False)(None, "error", readable)
        assert "ValueError at" in str(shown)
        assert "4111" not in str(shown)
