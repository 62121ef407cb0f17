"""The SQL of access."""

_ACCOUNT_COLUMNS = "id, login, name, role, state, created_at, password"

CREATE_ACCOUNT = """
insert into account (id, login, name, role, password, created_at) values (%s, %s, %s, %s, %s, %s)
on conflict (login) do nothing
"""
ACCOUNT = f"select {_ACCOUNT_COLUMNS} from account where id = %s"
ACCOUNT_BY_LOGIN = f"select {_ACCOUNT_COLUMNS} from account where login = %s"
ACCOUNTS = f"select {_ACCOUNT_COLUMNS} from account order by login"
RENEW_HASH = "update account set password = %s where id = %s and password = %s"
SET_HASH = "update account set password = %s where id = %s"
SET_STATE = "update account set state = %s where id = %s"
SET_ROLE = "update account set role = %s where id = %s"
LOCK_ACTIVE_ADMINS = """
select id from account where role = 'admin' and state = 'active' order by id for update
"""

OPEN_SESSION = """
insert into console_session (token_digest, account_id, csrf_token, created_at, expires_at)
values (%s, %s, %s, %s, %s)
"""
SESSION = """
select s.csrf_token, s.created_at, s.expires_at, a.id, a.login, a.name, a.role, a.state, a.created_at
from console_session s join account a on a.id = s.account_id
where s.token_digest = %s
"""
PROLONG_SESSION = "update console_session set expires_at = %s where token_digest = %s"
CLOSE_SESSION = "delete from console_session where token_digest = %s"
CLOSE_SESSIONS_OF = "delete from console_session where account_id = %s"
SWEEP_SESSIONS = "delete from console_session where expires_at < %s"

_KEY_COLUMNS = "id, name, kind, hint, scopes, created_by, created_at, expires_at, revoked_at"

ISSUE_KEY = """
insert into api_key (id, name, kind, digest, hint, scopes, created_by, created_at, expires_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
KEY_BY_DIGEST = f"select {_KEY_COLUMNS} from api_key where digest = %s"
KEYS = f"select {_KEY_COLUMNS} from api_key order by created_at desc, id desc"
REVOKE_KEY = """
update api_key set revoked_at = %s where id = %s and revoked_at is null returning digest
"""
KEY_EXISTS = "select 1 from api_key where id = %s"

LOCK_SIGNING_KEYS = "select pg_advisory_xact_lock(%s)"
SIGNING_KEYS = """
select id, sealed from signing_key where purpose = %s and retired_at is null order by created_at desc, id
"""
ADD_SIGNING_KEY = "insert into signing_key (id, purpose, sealed, created_at) values (%s, %s, %s, %s)"

TAKE = """
insert into rate_window as w (subject, started_at, used) values (%(subject)s, %(now)s, %(cost)s)
on conflict (subject) do update set
    used = case when w.started_at <= %(since)s then %(cost)s else least(w.used + %(cost)s, %(most)s) end,
    started_at = case when w.started_at <= %(since)s then %(now)s else w.started_at end
returning used, started_at
"""
SWEEP_WINDOWS = "delete from rate_window where started_at < %s"
