"""Reading a system's answer as a closed outcome. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from steward.supply.connectors.contracts import (
    CallResult,
    Done,
    FindResult,
    NeverSeen,
    OperationSpec,
    Refused,
    Unreachable,
    Unsure,
)

SENTENCE_LIMIT = 300

# 4xx answers that don't say "not done": the server gave up waiting, or the same key is still at work.
_UNDECIDED = frozenset({408, 425})
_CODE = re.compile(r"[^A-Za-z0-9_.-]+")


def read_answer(operation: OperationSpec, status: int, body: bytes) -> CallResult:
    """Turn status and body into an outcome.

    2xx with a JSON object (or nothing) is done; 4xx is refused; everything else leaves it open:
    a redirect isn't followed, and what the first address did is unknown.
    """
    if 200 <= status < 300:
        if not body.strip():
            return Done(result={}, status=status)
        result = _object(body)
        if result is None:
            return Unsure(f"{operation.full_name} answered {status} with something that isn't a JSON object")
        return Done(result=result, status=status)
    if 400 <= status < 500 and status not in _UNDECIDED:
        refusal = _refusal(status, _object(body) or {})
        if status == 409 and "in_progress" in refusal.code:
            return Unsure(f"{operation.full_name} is still working on the same idempotency key")
        return refusal
    if 300 <= status < 400:
        return Unsure(f"{operation.full_name} answered with a redirect ({status}), which isn't followed")
    return Unsure(f"{operation.full_name} answered {status}")


def read_finding(operation: OperationSpec, answer: CallResult) -> FindResult:
    """Turn the answer of a find operation into what became of the write that carried the key."""
    if isinstance(answer, Refused):
        if answer.status == 404:
            return NeverSeen()
        return Unsure(f"{operation.full_name} refused to tell ({answer.status} {answer.code})")
    if isinstance(answer, (Unsure, Unreachable)):
        return answer
    told = answer.result
    match told.get("status"):
        case "done":
            result = told.get("result")
            return Done(result=result if isinstance(result, dict) else {}, status=answer.status)
        case "refused":
            status = told.get("refused_status")
            return _refusal(status if isinstance(status, int) else 409, told)
        case "none":
            return NeverSeen()
        case _:
            return Unsure(f"{operation.full_name} doesn't know yet")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refusal(status: int, told: Mapping[str, Any]) -> Refused:
    """Read problem details (RFC 9457), or the `{"error": {"code", "message"}}` that others send."""
    inner = told.get("error")
    source = inner if isinstance(inner, dict) else told
    code = _first_text(source, "code", "type") or f"http_{status}"
    sentence = _first_text(source, "detail", "message", "sentence", "title")
    return Refused(
        status=status,
        code=_CODE.sub("_", code.rsplit("/", 1)[-1])[:64] or f"http_{status}",
        sentence=(sentence or f"The system refused ({status}).")[:SENTENCE_LIMIT],
    )


def _first_text(source: Mapping[str, Any], *names: str) -> str | None:
    for name in names:
        value = source.get(name)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return None
