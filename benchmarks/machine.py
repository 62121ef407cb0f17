"""What the figures were taken on: a processor, a load, a disk."""

from __future__ import annotations

import os
import platform
import statistics
import time
from typing import Any

import psutil

_COMMITS = 60


def describe() -> dict[str, Any]:
    """Return the machine in a few words, with its load at this moment."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "processor": _processor_name(),
        "cores": psutil.cpu_count() or 0,
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load": [round(value, 2) for value in os.getloadavg()],
    }


def commit_ms(url: str) -> float:
    """Return the median time of a transaction that writes one row, in milliseconds: mostly the disk."""
    import psycopg

    times = []
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table if not exists commit_probe (at timestamptz)")
        for _ in range(_COMMITS):
            began = time.perf_counter()
            connection.execute("insert into commit_probe values (now())")
            times.append((time.perf_counter() - began) * 1000)
        connection.execute("drop table commit_probe")
    return round(statistics.median(times), 2)


def fsync_setting(url: str) -> str:
    """Return whether the database waits for the disk."""
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select concat(current_setting('fsync'), ', synchronous_commit ',"
            " current_setting('synchronous_commit'))"
        ).fetchone()
    return str(row[0]) if row else "unknown"


def _processor_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
