"""A LiteLLM callback that writes one row per request to PostgreSQL; it runs in LiteLLM's environment.

LiteLLM's own spend log needs Prisma's engine binaries, which not every machine can fetch. Like that log,
this one holds figures and no texts, collects rows in memory and writes them as one statement; it does so
each second (LiteLLM's own: 10 to 15 s), so that the cost falls into the block that caused it.
"""

from __future__ import annotations

import asyncio
import json
import os
from datetime import datetime
from typing import Any

import asyncpg  # type: ignore[import-not-found, import-untyped, unused-ignore]
from litellm.integrations.custom_logger import (  # type: ignore[import-not-found, unused-ignore]
    CustomLogger,
)

_EVERY_S = 1.0
_COLUMNS = ("request_id", "call_type", "model", "spend", "tokens", "started_at", "ended_at", "metadata")


class PostgresLog(CustomLogger):  # type: ignore[misc, unused-ignore]
    """Collects rows and writes them each second."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[tuple[Any, ...]] = []
        self._writer: asyncio.Task[None] | None = None

    async def async_log_success_event(
        self, kwargs: dict[str, Any], response_obj: Any, start_time: datetime, end_time: datetime
    ) -> None:
        """Take note of a request that was answered."""
        payload = kwargs.get("standard_logging_object") or {}
        self._rows.append(
            (
                str(payload.get("id")),
                str(payload.get("call_type")),
                str(payload.get("model")),
                float(payload.get("response_cost") or 0),
                int(payload.get("total_tokens") or 0),
                start_time.astimezone(),
                end_time.astimezone(),
                json.dumps(payload.get("metadata") or {}, default=str),
            )
        )
        if self._writer is None:
            self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        connection = await asyncpg.connect(os.environ["REQUEST_LOG_URL"])
        while True:
            await asyncio.sleep(_EVERY_S)
            rows, self._rows = self._rows, []
            if rows:
                columns = ", ".join(_COLUMNS)
                types = ("text", "text", "text", "float8", "int", "timestamptz", "timestamptz", "jsonb")
                arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, 1))
                await connection.execute(
                    f"insert into request_log ({columns}) select * from unnest({arrays})",
                    *(list(column) for column in zip(*rows, strict=True)),
                )


log = PostgresLog()
