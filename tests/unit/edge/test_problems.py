"""Every error in one shape, and none that tells more than it should."""

from __future__ import annotations

import json

import pytest
from structlog.testing import capture_logs

from steward.base.errors import Conflict, Misconfigured, NotFound, StewardError, Unavailable
from steward.edge.problems import (
    Fault,
    InvalidBody,
    Malformed,
    TooLarge,
    kind_of,
    problem_of,
    problem_response,
    unexpected,
)
from steward.govern.access.errors import NoCredential, PermissionMissing, RateLimited


class TestProblemResponse:
    @pytest.mark.parametrize(
        ("error", "status", "kind"),
        [
            (Malformed("The body isn't valid JSON."), 400, "malformed"),
            (NoCredential(), 401, "no-credential"),
            (PermissionMissing("kpi:read"), 403, "permission-missing"),
            (NotFound("There is no such turn."), 404, "not-found"),
            (Conflict("It has been decided already."), 409, "conflict"),
            (TooLarge("The body is too long."), 413, "too-large"),
            (InvalidBody([Fault("/text", "Field required")]), 422, "invalid-body"),
            (RateLimited(9), 429, "rate-limited"),
            (Misconfigured("A file is missing."), 500, "misconfigured"),
            (Unavailable("The database doesn't answer."), 503, "unavailable"),
        ],
    )
    def test_each_error_has_its_status_and_type(self, error: StewardError, status: int, kind: str) -> None:
        response = problem_response(error)
        problem = json.loads(bytes(response.body))
        assert response.status_code == problem["status"] == status
        assert response.headers["content-type"] == "application/problem+json"
        assert problem["type"] == f"urn:steward:problem:{kind}"
        assert problem["detail"] == str(error)

    def test_a_rate_limit_says_when_to_come_back(self) -> None:
        assert problem_response(RateLimited(9)).headers["retry-after"] == "9"

    def test_a_missing_proof_names_the_scheme(self) -> None:
        assert problem_response(NoCredential()).headers["www-authenticate"].startswith("Bearer")


class TestProblemOf:
    def test_validation_points_into_the_body(self) -> None:
        problem = problem_of(InvalidBody([Fault("/steward/key", "too long"), Fault("/model", "missing")]))
        assert [fault["pointer"] for fault in problem["errors"]] == ["/steward/key", "/model"]


class TestUnexpected:
    def test_neither_answer_nor_log_holds_the_message(self) -> None:
        with capture_logs() as logs:
            try:
                raise ValueError("4111 1111 1111 1111")
            except ValueError as failure:
                error = unexpected(failure)
        assert "4111" not in json.dumps([problem_of(error), logs])
        assert logs[0]["reference"] == error.reference == problem_of(error)["reference"]
        assert logs[0]["error"] == "ValueError"


class TestKindOf:
    def test_a_class_name_becomes_words(self) -> None:
        assert kind_of(InvalidBody([Fault("", "x")])) == "invalid-body"
