"""Start the business system: `python -m steward.app.demo.business --port 8091 --data-dir DIR`."""

from __future__ import annotations

import argparse
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
    given = parser.parse_args()
    try:
        faults = Faults(read_faults(given.faults))
        company = Company(given.data_dir, SystemClock())
        listener = listen(given.host, given.port)
    except (ValueError, OSError) as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    print(f"business system on http://{given.host}:{listener.getsockname()[1]}", flush=True)
    serve(Service(company, faults), listener)
    company.close()


if __name__ == "__main__":
    main()
