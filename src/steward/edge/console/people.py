"""Actors of the ledger by the names that people go by."""

from __future__ import annotations

from collections.abc import Mapping

from steward.edge.contracts import Services


class People:
    """Names of accounts; who else acts is told in words."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    @classmethod
    async def of(cls, services: Services) -> People:
        """Read the names of all accounts."""
        accounts = await services.access.accounts.listed()
        return cls({account.principal.actor: account.name for account in accounts})

    def actors(self) -> tuple[str, ...]:
        """Return all accounts as the ledger names them."""
        return tuple(self._names)

    def name(self, actor: str | None) -> str:
        """Return how people call who did something."""
        if not actor:
            return "nobody"
        kind, _, identifier = actor.partition(":")
        match kind:
            case "account":
                return self._names.get(actor, f"account …{identifier[-8:]}")
            case "key":
                return f"a program (key …{identifier[-8:]})"
            case "system":
                return "Steward itself"
            case "operator":
                return "somebody at the command line"
            case _:
                return actor
