"""Set structured logging up: JSON for machines, coloured lines for people.

A field whose name says that it holds a secret or someone's words is left out, at any depth. The
text of an exception that isn't Steward's own is left out as well: a driver's error may quote the
value that it refused.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import structlog
from structlog.typing import EventDict, WrappedLogger

from steward.base.errors import StewardError

LEFT_OUT = "(left out)"
SECRET_NAMES = frozenset(
    {"password", "passwd", "secret", "token", "authorization", "cookie", "key", "url", "dsn", "credentials"}
)
WORDS_NAMES = frozenset({"text", "body", "content", "message", "messages", "prompt", "answer", "query"})
# Names of harmless values that end like a secret.
HARMLESS_NAMES = frozenset({"idempotency_key", "dedupe_key", "first_token"})


def configure_logging(*, json: bool, level: str = "info") -> None:
    """Send Steward's and the libraries' logs to standard error in one form.

    Args:
        json: one JSON object per line; otherwise lines for a terminal.
        level: the least severe level that is shown.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        leave_out_secrets,
        quiet_exception,
    ]
    people = (exception_in_lines, structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    rendering = (structlog.processors.JSONRenderer(),) if json else people
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # These tell each connection and request, with addresses and statements.
    for chatty in ("psycopg", "httpx2", "httpcore2", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(max(logging.ERROR, root.level))
    logging.getLogger("alembic.runtime.plugins").setLevel(max(logging.WARNING, root.level))


def leave_out_secrets(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace the values of fields that may hold a secret or someone's words."""
    return {name: _cleaned(name, value) for name, value in event.items()}


def _cleaned(name: str, value: Any) -> Any:
    if name.startswith("_") or name == "event":
        return value
    if _is_private(name):
        return LEFT_OUT
    if isinstance(value, Mapping):
        return {inner: _cleaned(str(inner), content) for inner, content in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cleaned("", item) for item in value]
    return value


def _is_private(name: str) -> bool:
    lowered = name.lower().replace("-", "_")
    if lowered in HARMLESS_NAMES:
        return False
    return lowered.rpartition("_")[2] in SECRET_NAMES | WORDS_NAMES


def quiet_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Turn `exc_info` into the exception's type and the lines it passed, without its text."""
    found = event.pop("exc_info", None)
    if not found:
        return event
    if isinstance(found, BaseException):
        error: BaseException | None = found
    elif isinstance(found, tuple):
        error = found[1]
    else:
        error = sys.exc_info()[1]
    if error is not None:
        event["exception"] = describe_exception(error)
    return event


def exception_in_lines(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put an exception's lines into one text, which is what a terminal is shown."""
    lines = event.get("exception")
    if isinstance(lines, list):
        event["exception"] = "\n".join(f"  {line}" for line in lines)
    return event


def describe_exception(error: BaseException) -> list[str]:
    """Return one line per exception of the chain, the outermost first, with the last three places."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None and len(lines) < 10:
        said = f": {current}" if isinstance(current, StewardError) else ""
        lines.append(f"{type(current).__qualname__}{said} at {_places(current.__traceback__)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return lines


def _places(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-3:]
    return " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
