"""The sample's business system as a process beside Steward, which ends with it, however that ends."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from steward.base.errors import Unavailable

START_WITHIN_S = 20.0


class BusinessSystemAbsent(Unavailable):
    """The sample's business system didn't start."""

    def __init__(self) -> None:
        super().__init__("The sample's business system didn't start; its error stands above.")


@asynccontextmanager
async def business_system(data_dir: Path) -> AsyncIterator[str]:
    """Start the business system on a free port and give its address.

    It holds the reading end of a pipe whose writing end is ours alone, and ends when that closes:
    also when this process is killed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "steward.app.demo.business",
        "--port",
        "0",
        "--data-dir",
        str(data_dir / "business"),
        "--until-stdin-ends",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(START_WITHIN_S):
            line = (await process.stdout.readline()).decode()
        if "http://" not in line:
            raise BusinessSystemAbsent
        yield line[line.index("http://") :].strip()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
