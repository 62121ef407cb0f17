"""Put it on your site: the snippet with the public key, and the keys themselves."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput, NotAllowed
from steward.edge.callers import staff_of
from steward.edge.console.entry import form_of, page, see, show
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import record_id_of
from steward.govern.access.keys import IssuedKey, KeyKind
from steward.govern.access.permissions import PUBLIC_KEY_PERMISSIONS, SCOPES, Permission
from steward.govern.access.principal import Principal

MOST_DAYS = 3650

router = APIRouter(prefix="/console/site", include_in_schema=False)


@router.get("")
@page(Permission.KEY_MANAGE)
async def site(request: Request) -> Response:
    """Show the snippet and the keys."""
    return await _page(request, issued=None)


@router.post("/keys")
@page(Permission.KEY_MANAGE)
async def issue(request: Request) -> Response:
    """Make a key and show it, this once."""
    services, form, caller = services_of(request), form_of(request), caller_of(request)
    name, kind = form.get("name", "").strip(), form.get("kind", "")
    if not 0 < len(name) <= 100 or kind not in set(KeyKind):
        raise InvalidInput("A key needs a name of up to 100 characters and a kind.")
    days = form.get("days", "").strip()
    if days and not (days.isascii() and days.isdigit() and len(days) < 5 and 0 < int(days) <= MOST_DAYS):
        raise InvalidInput(f"A key lasts 1 to {MOST_DAYS} days, or for good where that is left empty.")
    chosen = {Permission(scope) for scope in SCOPES if form.get(f"scope:{scope.value}")}
    if kind == KeyKind.SECRET:
        _refuse_more_than_own(caller.account, chosen)
    issued = await services.access.keys.issue(
        name=name,
        kind=KeyKind(kind),
        actor=caller.account.actor,
        scopes=PUBLIC_KEY_PERMISSIONS if kind == KeyKind.PUBLIC else chosen,
        created_by=staff_of(caller),
        expires_at=services.clock.now() + timedelta(days=int(days)) if days else None,
        origins=form.get("origins", "").replace(",", " ").split() if kind == KeyKind.PUBLIC else (),
    )
    return await _page(request, issued=issued)


@router.post("/keys/{key_id}/rotate")
@page(Permission.KEY_MANAGE)
async def rotate(request: Request, key_id: str) -> Response:
    """Make a key's successor and show it, this once; the old one goes on for a day."""
    caller, identifier = caller_of(request), record_id_of(key_id, "key")
    keys = services_of(request).access.keys
    for key in await keys.listed():
        if key.id == identifier and key.kind is KeyKind.SECRET:
            _refuse_more_than_own(caller.account, key.scopes)
    issued = await keys.rotate(identifier, actor=caller.account.actor, created_by=staff_of(caller))
    return await _page(request, issued=issued)


@router.post("/keys/{key_id}/revoke")
@page(Permission.KEY_MANAGE)
async def revoke(request: Request, key_id: str) -> Response:
    """Make a key useless."""
    identifier: UUID = record_id_of(key_id, "key")
    await services_of(request).access.keys.revoke(identifier, actor=caller_of(request).account.actor)
    return see("/console/site")


def _scopes_within(principal: Principal) -> frozenset[Permission]:
    """Return what a person may give a secret key: what they may themselves."""
    return SCOPES & principal.permissions


def _refuse_more_than_own(principal: Principal, scopes: Collection[Permission]) -> None:
    more = sorted(scope.value for scope in frozenset(scopes) - _scopes_within(principal))
    if more:
        raise NotAllowed(
            f"A secret key may do no more than who makes it, and you may not: {', '.join(more)}. "
            "Ask an admin for this key."
        )


async def _page(request: Request, *, issued: IssuedKey | None) -> Response:
    services = services_of(request)
    address = services.settings.public_url or str(request.base_url).rstrip("/")
    key = services.settings.public_key or "YOUR_PUBLIC_KEY"
    if issued is not None and issued.key.kind is KeyKind.PUBLIC:
        key = issued.token
    return await show(
        request,
        "site.html",
        page="site",
        title="Put it on your site",
        address=address,
        snippet=(
            f'<script src="{address}/widget.js" defer></script>\n'
            f'<steward-chat server="{address}" key="{key}"></steward-chat>'
        ),
        keys=await services.access.keys.listed(),
        scopes=sorted(scope.value for scope in _scopes_within(caller_of(request).account)),
        issued=issued,
        now=services.clock.now(),
    )
