"""Start the business system: `python -m steward.app.demo.business --port 8091 --data-dir DIR`."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path

from steward.app.demo.business.company import Company
from steward.app.demo.business.faults import Faults, read_faults
from steward.app.demo.business.service import Service
from steward.base.clock import SystemClock
from steward.improve.simulation.serving import listen, serve


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(
        prog="steward.app.demo.business", description="The sample's business system."
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8091)
    parser.add_argument("--data-dir", type=Path, required=True, help="where the journal is kept")
    parser.add_argument("--faults", default="[]", help="faults from the start, as JSON; see POST /faults")
    parser.add_argument(
        "--until-stdin-ends",
        action="store_true",
        help="stop when standard input closes: when the parent is gone",
    )
    given = parser.parse_args()
    try:
        faults = Faults(read_faults(given.faults))
        company = Company(given.data_dir, SystemClock())
        listener = listen(given.host, given.port)
    except (ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    if given.until_stdin_ends:
        threading.Thread(target=stop_with_stdin, daemon=True).start()
    print(f"business system on http://{given.host}:{listener.getsockname()[1]}", flush=True)
    serve(Service(company, faults), listener)
    company.close()


def stop_with_stdin() -> None:
    """Wait until standard input closes, then stop this process as a signal would."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
