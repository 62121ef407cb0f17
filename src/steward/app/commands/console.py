"""What commands share: who acts, printing for people and for programs, running the asynchronous part."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final, TypeVar

from steward.app.settings import Settings, read_settings
from steward.base.telemetry.logging import configure_logging

Result = TypeVar("Result")
OPERATOR: Final = "operator"
"""Who acts on the command line, as the ledger writes it."""


def prepared(data_dir: Path | None = None, *, serving: bool = False, **given: Any) -> Settings:
    """Read the settings and set logging up; what doesn't serve logs warnings only, unless told otherwise."""
    settings = read_settings(data_dir=data_dir, **given)
    told = serving or "log_level" in settings.model_fields_set
    configure_logging(json=settings.log_format == "json", level=settings.log_level if told else "warning")
    return settings


def run_async(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run the asynchronous part on the fast event loop."""
    try:
        import uvloop
    except ImportError:
        return asyncio.run(work())
    return uvloop.run(work())


def say(text: str) -> None:
    """Tell progress, apart from the command's result."""
    print(f"  {text}", file=sys.stderr, flush=True)


def print_json(value: Any) -> None:
    """Print a result for other programs."""
    print(json.dumps(value, indent=2, ensure_ascii=False, default=str))
