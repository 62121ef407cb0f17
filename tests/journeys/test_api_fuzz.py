"""A few calls of each sort that Schemathesis makes; `make prove ONLY=api` makes many."""

from __future__ import annotations

from tests.journeys.conftest import Demo
from tests.prove.api_fuzz import fuzz, records_of, sign_in


class TestNothingFailsOnOurSide:
    def test_whatever_an_admin_sends(self, demo: Demo) -> None:
        found = fuzz(
            demo.url,
            sign_in(demo.url, demo.login, demo.password),
            examples=1,
            seed=1,
            known=records_of(demo.url, demo.key),
        )
        assert found.problems == []
        assert found.statuses[200] > 10
        assert found.statuses.total() > 80

    def test_whatever_a_stranger_sends(self, demo: Demo) -> None:
        found = fuzz(demo.url, {"Authorization": f"Bearer {demo.public_key}"}, examples=1, seed=2)
        assert found.problems == []
        assert found.statuses[403] > 20
