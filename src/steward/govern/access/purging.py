"""What access keeps for a while: logins that have ended, and counts of calls. Nothing of a customer."""

from __future__ import annotations

from steward.govern.retention.contracts import DataKind
from steward.govern.retention.purging import SqlPurger

_FORGET_SESSIONS = """
    with due as (select token_digest from console_session where expires_at < %(before)s limit %(limit)s),
    gone as (delete from console_session s using due where s.token_digest = due.token_digest returning 1)
    select count(*) from gone"""
_FORGET_WINDOWS = """
    with due as (select subject from rate_window where started_at < %(before)s limit %(limit)s),
    gone as (delete from rate_window w using due where w.subject = due.subject returning 1)
    select count(*) from gone"""


def sessions_purger() -> SqlPurger:
    """Return the purger of ended logins and of rate limits, which hold digests of addresses."""
    return SqlPurger(
        name="sessions",
        kind=DataKind.SESSIONS,
        holds="When members of staff signed in; digests of callers' addresses. Nothing of a customer.",
        tables=("console_session", "rate_window"),
        erasing=(),
        due_sql="select count(*) from console_session where expires_at < %(before)s",
        expiring=(_FORGET_SESSIONS, _FORGET_WINDOWS),
    )
