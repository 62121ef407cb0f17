"""What a release's evaluations said of each case, the newest word counting."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from steward.base.db.contracts import ReadSession

_NEWEST: Final = """
select distinct on (result.case_name) result.case_name, bool_and(result.state = 'passed'), max(result.at)
from eval_result result join eval_run run on run.id = result.run_id
where run.release_id = %s and run.finished_at is not null
group by result.case_name, run.id, run.finished_at
order by result.case_name, run.finished_at desc
"""


class Tested(NamedTuple):
    """A case's newest result: whether each attempt passed, and when."""

    passed: bool
    at: datetime


async def newest_results(session: ReadSession, release_id: str) -> Mapping[str, Tested]:
    """Return by case what the newest finished run that had it said."""
    rows = await session.all(_NEWEST, [release_id])
    return {name: Tested(bool(passed), at) for name, passed, at in rows}
