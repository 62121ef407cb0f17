"""Customers' rights: what is kept about somebody, handing it to them, and erasing it."""

from __future__ import annotations

import json
from typing import Final
from uuid import UUID

from fastapi import APIRouter, Request
from starlette.responses import Response

from steward.base.errors import InvalidInput, StewardError
from steward.edge.console.entry import form_of, page, show
from steward.edge.console.people import People
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import record_id_of
from steward.govern.access.permissions import Permission
from steward.govern.retention.certificate import Certificate, as_html, as_markdown
from steward.govern.retention.contracts import Ground

router = APIRouter(prefix="/console/rights", include_in_schema=False)
LONGEST_REFERENCE: Final = 200


@router.get("")
@page(Permission.PERSONAL_EXPORT)
async def rights(request: Request) -> Response:
    """Ask for a customer; show who was erased and what left the house."""
    return await _page(request)


@router.post("/find")
@page(Permission.PERSONAL_EXPORT)
async def find(request: Request) -> Response:
    """Show what is kept about a customer. Posted, so that the reference stands in no address."""
    reference = _reference(request)
    try:
        kept = await services_of(request).rights.exporting.counts(reference)
    except StewardError as refusal:
        return await _page(request, reference=reference, problem=refusal)
    return await _page(request, reference=reference, kept=kept)


@router.post("/export")
@page(Permission.PERSONAL_EXPORT)
async def export(request: Request) -> Response:
    """Hand out everything that is kept about a customer."""
    reference = _reference(request)
    actor = caller_of(request).account.actor
    try:
        made = await services_of(request).rights.exporting.export(reference, actor=actor)
    except StewardError as refusal:
        return await _page(request, reference=reference, problem=refusal)
    return _file(made.content, "application/zip", f"export-{made.id}.zip")


@router.post("/erase")
@page(Permission.PERSONAL_ERASE)
async def erase(request: Request) -> Response:
    """Erase a customer, when the reference was typed a second time."""
    form, reference = form_of(request), _reference(request)
    try:
        if form.get("again", "").strip() != reference:
            raise InvalidInput("The reference typed to confirm isn't the same, so nothing was erased.")
        certificate = await services_of(request).rights.erasing.erase(
            reference, ground=form.get("ground", ""), actor=caller_of(request).account.actor
        )
    except StewardError as refusal:
        kept = await _counts(request, reference)
        return await _page(request, reference=reference, kept=kept, problem=refusal)
    return await _page(request, erased=certificate)


@router.get("/erasures/{erasure_id}/{form}")
@page(Permission.PERSONAL_EXPORT)
async def certificate(request: Request, erasure_id: str, form: str) -> Response:
    """Hand out a certificate of erasure as JSON, Markdown or a page."""
    identifier = record_id_of(erasure_id, "erasure")
    made = await services_of(request).rights.erasing.certificate(identifier)
    name = f"erasure-{identifier}"
    match form:
        case "html":
            return _file(as_html(made).encode(), "text/html; charset=utf-8", f"{name}.html")
        case "md":
            return _file(as_markdown(made).encode(), "text/markdown; charset=utf-8", f"{name}.md")
        case "json":
            content = json.dumps(made.as_json(), indent=2).encode()
            return _file(content, "application/json", f"{name}.json")
        case _:
            raise InvalidInput("A certificate is there as json, md or html.")


async def _page(
    request: Request,
    *,
    reference: str = "",
    kept: dict[UUID, dict[str, int]] | None = None,
    problem: StewardError | None = None,
    erased: Certificate | None = None,
) -> Response:
    services = services_of(request)
    return await show(
        request,
        "rights.html",
        status=200 if problem is None else int(problem.status),
        page="rights",
        title="Customers' rights",
        reference=reference,
        kept=kept,
        problem=problem,
        erased=None if erased is None else erased.facts,
        grounds=[ground.value for ground in Ground],
        erasures=await services.rights.erasing.listed(limit=50),
        exports=await services.rights.exporting.listed(limit=50),
        people=await People.of(services),
    )


async def _counts(request: Request, reference: str) -> dict[UUID, dict[str, int]] | None:
    try:
        return await services_of(request).rights.exporting.counts(reference)
    except StewardError:
        return None


def _reference(request: Request) -> str:
    reference = form_of(request).get("reference", "").strip()
    if not 0 < len(reference) <= LONGEST_REFERENCE:
        raise InvalidInput(f"A customer's reference has 1 to {LONGEST_REFERENCE} characters.")
    return reference


def _file(content: bytes, media_type: str, name: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=disposition)
