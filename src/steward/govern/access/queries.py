"""The SQL of access."""

_ACCOUNT_COLUMNS = """a.id, a.login, a.name, a.role, a.state, a.created_at, a.password, a.issuer, a.emergency,
    a.second_factor_since, a.disabled_because,
    array(select s.category from account_scope s where s.account_id = a.id order by s.category)"""

CREATE_ACCOUNT = """
insert into account (id, login, name, role, password, created_at) values (%s, %s, %s, %s, %s, %s)
on conflict (login) do nothing
"""
CREATE_PERSON = """
insert into account (id, login, name, role, created_at, issuer, subject) values (%s, %s, %s, %s, %s, %s, %s)
on conflict do nothing
"""
ACCOUNT = f"select {_ACCOUNT_COLUMNS} from account a where a.id = %s"
ACCOUNT_BY_LOGIN = f"select {_ACCOUNT_COLUMNS} from account a where a.login = %s"
ACCOUNT_OF_PERSON = f"select {_ACCOUNT_COLUMNS} from account a where a.issuer = %s and a.subject = %s"
ACCOUNTS = f"select {_ACCOUNT_COLUMNS} from account a order by a.login"
LOGIN_TAKEN = "select 1 from account where login = %s"
RENEW_HASH = "update account set password = %s where id = %s and password = %s"
SET_HASH = "update account set password = %s where id = %s and issuer is null"
SET_STATE = "update account set state = %s, disabled_because = %s where id = %s"
SET_ROLE = "update account set role = %s where id = %s"
SET_NAME = "update account set name = %s where id = %s"
SET_EMERGENCY = "update account set emergency = %s where id = %s"
LOCK_ACTIVE_ADMINS = """
select id from account where role = 'admin' and state = 'active' order by id for update
"""
CLEAR_SCOPE = "delete from account_scope where account_id = %s"
ADD_SCOPE = "insert into account_scope (account_id, category) select %s, unnest(%s::text[])"
COUNT_FAILED_SIGN_IN = (
    "update account set failed_sign_ins = failed_sign_ins + 1 where login = %s returning id"
)
TAKE_FAILED_SIGN_INS = """
with before as (select id, failed_sign_ins from account where id = %s for update),
     cleared as (update account set failed_sign_ins = 0 where id in (select id from before))
select failed_sign_ins from before
"""

SECOND_FACTOR = "select second_factor, second_factor_since, second_factor_step from account where id = %s"
SET_SECOND_FACTOR = """
update account set second_factor = %s, second_factor_since = null, second_factor_step = null
where id = %s and second_factor_since is null
"""
CONFIRM_SECOND_FACTOR = """
update account set second_factor_since = %s, second_factor_step = %s
where id = %s and second_factor_since is null and second_factor is not null
"""
USE_STEP = """
update account set second_factor_step = %s
where id = %s and second_factor_since is not null and (second_factor_step is null or second_factor_step < %s)
"""
CLEAR_SECOND_FACTOR = """
update account set second_factor = null, second_factor_since = null, second_factor_step = null
where id = %s
"""
CLEAR_RECOVERY_CODES = "delete from recovery_code where account_id = %s"
ADD_RECOVERY_CODES = "insert into recovery_code (account_id, digest) select %s, unnest(%s::bytea[])"
USE_RECOVERY_CODE = """
update recovery_code set used_at = %s where account_id = %s and digest = %s and used_at is null
"""
UNUSED_RECOVERY_CODES = "select count(*) from recovery_code where account_id = %s and used_at is null"

OPEN_SESSION = """
insert into console_session
    (token_digest, id, account_id, csrf_token, created_at, last_at, expires_at, stage, agent, id_token,
     provider_login)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
SESSION = f"""
select s.id, s.csrf_token, s.created_at, s.expires_at, s.stage, {_ACCOUNT_COLUMNS}
from console_session s join account a on a.id = s.account_id
where s.token_digest = %s
"""
SESSION_COLUMNS = 5
SESSIONS_OF = """
select id, created_at, last_at, expires_at, agent from console_session
where account_id = %s and stage = 'open' and expires_at > %s order by last_at desc nulls last
"""
PROLONG_SESSION = "update console_session set expires_at = %s, last_at = %s where token_digest = %s"
CLOSE_SESSION = "delete from console_session where token_digest = %s returning id_token"
END_SESSION = "delete from console_session where id = %s and account_id = %s"
CLOSE_SESSIONS_OF = "delete from console_session where account_id = %s"
CLOSE_OTHER_SESSIONS_OF = "delete from console_session where account_id = %s and id <> %s"
# A login whose name the provider never told ends with all of its person.
END_PROVIDER_LOGINS = """
delete from console_session s using account a
where a.id = s.account_id and a.issuer = %(issuer)s
  and (%(subject)s::text is null or a.subject = %(subject)s)
  and (%(login)s::bytea is null or s.provider_login = %(login)s
       or (s.provider_login is null and %(subject)s::text is not null))
returning s.account_id
"""
SWEEP_SESSIONS = "delete from console_session where expires_at < %s"

BEGIN_SIGN_IN = """
insert into sign_in (state_digest, browser_digest, nonce, verifier, next, expires_at)
values (%s, %s, %s, %s, %s, %s)
"""
TAKE_SIGN_IN = """
delete from sign_in where state_digest = %s returning browser_digest, nonce, verifier, next, expires_at
"""
SWEEP_SIGN_INS = "delete from sign_in where expires_at < %s"

_KEY_COLUMNS = """id, name, kind, hint, scopes, created_by, created_at, expires_at, revoked_at, origins,
    last_used_on, replaces"""

ISSUE_KEY = """
insert into api_key
    (id, name, kind, digest, hint, scopes, created_by, created_at, expires_at, origins, replaces)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
KEY = f"select {_KEY_COLUMNS} from api_key where id = %s for update"
KEY_BY_DIGEST = f"select {_KEY_COLUMNS} from api_key where digest = %s"
KEYS = f"select {_KEY_COLUMNS} from api_key order by created_at desc, id desc"
NOTE_KEY_USE = """
update api_key set last_used_on = %s where id = %s and (last_used_on is null or last_used_on < %s)
"""
END_KEY_AT = """
update api_key set expires_at = least(expires_at, %s) where id = %s returning digest
"""
REVOKE_KEY = """
update api_key set revoked_at = %s where id = %s and revoked_at is null returning digest
"""
KEY_EXISTS = "select 1 from api_key where id = %s"

LOCK_SIGNING_KEYS = "select pg_advisory_xact_lock(%s)"
SIGNING_KEYS = """
select id, sealed from signing_key where purpose = %s and retired_at is null order by created_at desc, id
"""
ADD_SIGNING_KEY = "insert into signing_key (id, purpose, sealed, created_at) values (%s, %s, %s, %s)"
TAKE_ONCE = "insert into used_token (digest, expires_at) values (%s, %s) on conflict do nothing"
SWEEP_TAKEN = "delete from used_token where expires_at < %s"

# One statement for several subjects; their order is the same for everybody, so that two callers can't
# wait for each other. `most` keeps a counter that nobody looks at from running over.
TAKE = """
insert into rate_window as w (subject, started_at, used)
select subject, %(now)s, %(cost)s from unnest(%(subjects)s::bytea[]) subject order by subject
on conflict (subject) do update set
    used = case when w.started_at <= %(since)s then %(cost)s else least(w.used + %(cost)s, %(most)s) end,
    started_at = case when w.started_at <= %(since)s then %(now)s else w.started_at end
returning subject, used, started_at
"""
PEEK = "select used, started_at from rate_window where subject = %s"
FORGET = "delete from rate_window where subject = %s"
SWEEP_WINDOWS = "delete from rate_window where started_at < %s"
