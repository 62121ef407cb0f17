"""`steward access`: accounts and keys from a terminal, for whoever may read the data directory."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from steward.app.commands.console import OPERATOR, prepared, print_json, run_async, say
from steward.app.keeping import open_keeping
from steward.app.settings import Settings
from steward.app.storage import Store, open_store
from steward.base.clock import SystemClock
from steward.base.errors import InvalidInput, NotFound
from steward.govern.access.account import Account
from steward.govern.access.accounts import Accounts
from steward.govern.access.keys import ApiKey, ApiKeys, IssuedKey, KeyKind
from steward.govern.access.limits import RateLimits
from steward.govern.access.passwords import Passwords
from steward.govern.access.permissions import PUBLIC_KEY_PERMISSIONS, SCOPES, Permission, Role
from steward.govern.access.queries import CLEAR_RECOVERY_CODES, CLEAR_SECOND_FACTOR
from steward.govern.access.sessions import ConsoleSessions
from steward.govern.access.tries import Tries
from steward.govern.ledger.contracts import Entry
from steward.govern.ledger.service import Ledger


@dataclass(frozen=True, slots=True)
class Change:
    """What is to change about an account; None leaves it."""

    role: str | None
    categories: str | None
    active: bool | None
    emergency: bool | None


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as the command line describes it."""

    name: str
    scopes: str
    origins: str
    days: int | None


@dataclass(frozen=True, slots=True)
class Desk:
    """What these commands work with."""

    store: Store
    clock: SystemClock
    accounts: Accounts
    keys: ApiKeys


def run_accounts(*, as_json: bool, data_dir: Path | None) -> int:
    """List the accounts."""

    async def work(desk: Desk) -> int:
        accounts = await desk.accounts.listed()
        if as_json:
            print_json([account_json(account) for account in accounts])
        for account in () if as_json else accounts:
            where = ", ".join(sorted(account.categories or ())) or "everywhere"
            state = "active" if account.active else "disabled"
            way = "provider" if account.issuer else "password"
            code = " and code" if account.second_factor_since else ""
            print(f"{account.login:24} {account.role:11} {state:9} {way}{code:10} {where}")
        return 0

    return _run(work, data_dir)


def run_create(
    login: str, *, role: str, name: str, categories: str, as_json: bool, data_dir: Path | None
) -> int:
    """Make a local account."""
    password = secrets.token_urlsafe(12)

    async def work(desk: Desk) -> int:
        account = await desk.accounts.create(
            login=login,
            name=name,
            role=_role(role),
            password=password,
            actor=OPERATOR,
            categories=_listed(categories),
        )
        if as_json:
            print_json({**account_json(account), "password": password})
        else:
            print(f"{account.login} may sign in as {account.role}; password, shown this once: {password}")
        return 0

    return _run(work, data_dir)


def run_change(login: str, change: Change, *, data_dir: Path | None) -> int:
    """Change an account."""
    if change == Change(None, None, None, None):
        raise InvalidInput("Say what is to change: --role, --categories, --active or --emergency.")

    async def work(desk: Desk) -> int:
        account = await _named(desk.accounts, login)
        await desk.accounts.assign(
            account.id,
            role=None if change.role is None else _role(change.role),
            categories=None if change.categories is None else _listed(change.categories),
            actor=OPERATOR,
        )
        if change.emergency is not None:
            await desk.accounts.set_emergency(account.id, emergency=change.emergency, actor=OPERATOR)
        if change.active is True:
            await desk.accounts.enable(account.id, actor=OPERATOR)
        elif change.active is False:
            await desk.accounts.disable(account.id, actor=OPERATOR)
        print(f"{login} is changed")
        return 0

    return _run(work, data_dir)


def run_reset(login: str, *, second_factor: bool, as_json: bool, data_dir: Path | None) -> int:
    """Set a new password, or take the second factor away."""
    password = secrets.token_urlsafe(12)

    async def work(desk: Desk) -> int:
        account = await _named(desk.accounts, login)
        if second_factor:
            await _remove_second_factor(desk, account)
            print(f"{login} has no second factor any more, and is signed out everywhere")
            return 0
        await desk.accounts.set_password(account.id, password, actor=OPERATOR)
        if as_json:
            print_json({"login": login, "password": password})
        else:
            print(f"the new password of {login}, shown this once: {password}")
        return 0

    return _run(work, data_dir)


def run_unlock(login: str, *, data_dir: Path | None) -> int:
    """Lift the locks of an account that hold for every address."""
    settings = prepared(data_dir)

    async def whole() -> int:
        async with open_keeping(settings, progress=say) as keeping:
            database, clock = keeping.store.database, SystemClock()
            accounts = Accounts(database, clock, passwords=Passwords(), local=settings.local_accounts)
            account = await _named(accounts, login)
            master_key = await keeping.keys.open()
            limits = RateLimits(database, clock, master_key=master_key)
            await Tries(database, clock, limits=limits, master_key=master_key).lift(account, actor=OPERATOR)
        print(f"{account.login} may try again; what locks a single address ends within a quarter of an hour")
        return 0

    return run_async(whole)


def run_keys(*, as_json: bool, data_dir: Path | None) -> int:
    """List the keys."""

    async def work(desk: Desk) -> int:
        keys = await desk.keys.listed()
        if as_json:
            print_json([key_json(key) for key in keys])
        for key in () if as_json else keys:
            ended = key.expires_at is not None and key.expires_at <= desk.clock.now()
            state = "revoked" if key.revoked_at else "ended" if ended else "works"
            used = f"used {key.last_used_on}" if key.last_used_on else "never used"
            print(f"{key.id} {key.hint:14} {key.kind:7} {state:8} {used:16} {key.name}")
        return 0

    return _run(work, data_dir)


def run_issue(new: NewKey, *, as_json: bool, data_dir: Path | None) -> int:
    """Make a key."""
    if new.days is not None and new.days < 1:
        raise InvalidInput("A key lasts a day or more; leave --days out for one without an end.")
    scopes = {_scope(text) for text in _listed(new.scopes)}

    async def work(desk: Desk) -> int:
        issued = await desk.keys.issue(
            name=new.name,
            kind=KeyKind.SECRET if scopes else KeyKind.PUBLIC,
            actor=OPERATOR,
            scopes=scopes or PUBLIC_KEY_PERMISSIONS,
            expires_at=None if new.days is None else desk.clock.now() + timedelta(days=new.days),
            origins=_listed(new.origins),
        )
        return _show(issued, as_json=as_json)

    return _run(work, data_dir)


def run_rotate(key_id: str, *, hours: float, as_json: bool, data_dir: Path | None) -> int:
    """Make a key's successor."""
    if hours < 0:
        raise InvalidInput("The old key ends now or later; --hours can't be below 0.")

    async def work(desk: Desk) -> int:
        issued = await desk.keys.rotate(_id(key_id), actor=OPERATOR, grace=timedelta(hours=hours))
        return _show(issued, as_json=as_json)

    return _run(work, data_dir)


def run_revoke(key_id: str, *, data_dir: Path | None) -> int:
    """Make a key useless."""

    async def work(desk: Desk) -> int:
        await desk.keys.revoke(_id(key_id), actor=OPERATOR)
        print(f"{key_id} is revoked")
        return 0

    return _run(work, data_dir)


def account_json(account: Account) -> dict[str, Any]:
    """Return an account for other programs."""
    return {
        "id": str(account.id),
        "login": account.login,
        "name": account.name,
        "role": account.role.value,
        "categories": None if account.categories is None else sorted(account.categories),
        "active": account.active,
        "issuer": account.issuer,
        "second_factor": account.second_factor_since is not None,
        "emergency": account.emergency,
    }


def key_json(key: ApiKey) -> dict[str, Any]:
    """Return a key for other programs; the key itself isn't kept anywhere."""
    return {
        "id": str(key.id),
        "name": key.name,
        "kind": key.kind.value,
        "hint": key.hint,
        "scopes": sorted(scope.value for scope in key.scopes),
        "origins": list(key.origins),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_on": key.last_used_on,
    }


def _run(work: Callable[[Desk], Awaitable[int]], data_dir: Path | None) -> int:
    settings = prepared(data_dir)

    async def whole() -> int:
        async with _open(settings) as desk:
            return await work(desk)

    return run_async(whole)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Desk]:
    async with open_store(settings, progress=say) as store:
        clock = SystemClock()
        accounts = Accounts(store.database, clock, passwords=Passwords(), local=settings.local_accounts)
        yield Desk(store, clock, accounts, ApiKeys(store.database, clock))


async def _remove_second_factor(desk: Desk, account: Account) -> None:
    """Take a second factor away; that needs no master key, so none is loaded."""
    async with desk.store.database.write() as session:
        await session.execute(CLEAR_SECOND_FACTOR, [account.id])
        await session.execute(CLEAR_RECOVERY_CODES, [account.id])
        entry = Entry(OPERATOR, "second_factor.removed", f"account:{account.id}", {})
        await Ledger(desk.clock).append(session, entry)
    await ConsoleSessions(desk.store.database, desk.clock).close_all(account.id, actor=OPERATOR)


async def _named(accounts: Accounts, login: str) -> Account:
    for account in await accounts.listed():
        if account.login == login.strip().casefold():
            return account
    raise NotFound(f"There is no account {login!r}; `steward access account list` shows them.")


def _show(issued: IssuedKey, *, as_json: bool) -> int:
    if as_json:
        print_json({**key_json(issued.key), "key": issued.token})
    else:
        print(f"{issued.key.name} ({issued.key.id}), shown this once: {issued.token}")
    return 0


def _role(text: str) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise InvalidInput(f"{text!r} isn't a role; there are {', '.join(Role)}.") from None


def _scope(text: str) -> Permission:
    if text not in SCOPES:
        raise InvalidInput(f"{text!r} isn't a scope of a key; there are {', '.join(sorted(SCOPES))}.")
    return Permission(text)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part for part in re.split(r"[\s,]+", text.strip()) if part)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{text!r} isn't a key's id; `steward access key list` shows them.") from None
