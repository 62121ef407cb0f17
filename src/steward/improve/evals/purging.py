"""How runs of evaluation cases expire. They answer a folder's cases, so nothing of a customer is in them."""

from __future__ import annotations

from steward.govern.retention.contracts import DataKind
from steward.govern.retention.purging import SqlPurger

_OLD = """
    e.finished_at < %(before)s
    and not exists (select from serving s where s.release_id = e.release_id)
    and not exists (select from rollout o where o.ended_at is null
                    and e.release_id in (o.candidate_release, o.baseline_release))"""
_FORGET = f"""
    with due as (select e.id from eval_run e where {_OLD} order by e.finished_at limit %(limit)s),
    gone as (delete from eval_run e using due where e.id = due.id returning 1)
    select count(*) from gone"""


def evaluations_purger() -> SqlPurger:
    """Return the purger of evaluation runs; those of releases at work stay."""
    return SqlPurger(
        name="evaluations",
        kind=DataKind.EVALUATIONS,
        holds="Answers to the cases of assistant folders, which people wrote; nothing of a customer.",
        tables=("eval_run", "eval_result", "eval_gate"),
        erasing=(),
        due_sql=f"select count(*) from eval_run e where {_OLD}",
        expiring=(_FORGET,),
    )
