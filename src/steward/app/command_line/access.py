"""`steward access`: names, arguments and help."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

Json = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON for other programs.")]
DataDir = Annotated[
    Path | None, Parameter(name="--data-dir", help="Where the embedded database and secrets are kept.")
]

app = App(name="access", help="Accounts and API keys.")
account = App(name="account", help="Who may sign in to the console, as what, and where.")
key = App(name="key", help="Keys of widgets and of servers.")
app.command(account)
app.command(key)


@account.command(name="list")
def list_accounts(*, json: Json = False, data_dir: DataDir = None) -> int:
    """List the accounts."""
    from steward.app.commands.access import run_accounts

    return run_accounts(as_json=json, data_dir=data_dir)


@account.command
def create(
    login: str,
    *,
    role: str,
    name: str | None = None,
    categories: str = "",
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Make a local account and print its password, this once.

    Args:
        login: what the person types.
        role: admin, operator, editor, reviewer, agent, compliance or viewer.
        name: what others see; the login unless given.
        categories: the categories that the account is limited to, separated by commas.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.access import run_create

    return run_create(
        login, role=role, name=name or login, categories=categories, as_json=json, data_dir=data_dir
    )


@account.command(name="set")
def set_account(
    login: str,
    *,
    role: str | None = None,
    categories: str | None = None,
    active: bool | None = None,
    emergency: bool | None = None,
    data_dir: DataDir = None,
) -> int:
    """Change an account's role, categories, state or emergency access; it holds from the next request on.

    Args:
        login: whose account.
        role: its new role.
        categories: the categories that it is limited to, separated by commas; "" for everywhere.
        active: let it in, or shut it out at once.
        emergency: whether its password signs in where local accounts are switched off.
        data_dir: where everything is kept.
    """
    from steward.app.commands.access import Change, run_change

    change = Change(role=role, categories=categories, active=active, emergency=emergency)
    return run_change(login, change, data_dir=data_dir)


@account.command
def reset(
    login: str,
    *,
    second_factor: Annotated[bool, Parameter(negative="", help="Take the second factor away.")] = False,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Set a new password and print it, or take a lost second factor away; all logins end.

    Args:
        login: whose account.
        second_factor: leave the password and take the second factor away.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.access import run_reset

    return run_reset(login, second_factor=second_factor, as_json=json, data_dir=data_dir)


@account.command
def unlock(login: str, *, data_dir: DataDir = None) -> int:
    """Let somebody try again who is locked out for every address, after too many wrong passwords or codes.

    Args:
        login: whose account.
        data_dir: where everything is kept.
    """
    from steward.app.commands.access import run_unlock

    return run_unlock(login, data_dir=data_dir)


@key.command(name="list")
def list_keys(*, json: Json = False, data_dir: DataDir = None) -> int:
    """List the keys, newest first, ended ones too."""
    from steward.app.commands.access import run_keys

    return run_keys(as_json=json, data_dir=data_dir)


@key.command
def issue(
    name: str,
    *,
    scopes: str = "",
    origins: str = "",
    days: Annotated[int | None, Parameter(help="How long it lasts; for good unless given.")] = None,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Make a key and print it, this once: a secret one with scopes, a widget's public one without.

    Args:
        name: what people call it.
        scopes: what a secret key may, separated by commas.
        origins: sites whose pages may use a public key, separated by commas.
        days: how long it lasts.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.access import NewKey, run_issue

    new = NewKey(name=name, scopes=scopes, origins=origins, days=days)
    return run_issue(new, as_json=json, data_dir=data_dir)


@key.command
def rotate(
    key_id: str,
    *,
    hours: Annotated[float, Parameter(help="How long the old key goes on.")] = 24.0,
    json: Json = False,
    data_dir: DataDir = None,
) -> int:
    """Make a key's successor and print it, this once; the old key ends later.

    Args:
        key_id: the key's id, as `list` shows it.
        hours: how long the old key goes on.
        json: print JSON.
        data_dir: where everything is kept.
    """
    from steward.app.commands.access import run_rotate

    return run_rotate(key_id, hours=hours, as_json=json, data_dir=data_dir)


@key.command
def revoke(key_id: str, *, data_dir: DataDir = None) -> int:
    """Make a key useless: at once in the process that does it, within ten seconds in others.

    Args:
        key_id: the key's id, as `list` shows it.
        data_dir: where everything is kept.
    """
    from steward.app.commands.access import run_revoke

    return run_revoke(key_id, data_dir=data_dir)
