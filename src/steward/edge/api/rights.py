"""/v1/admin/customers: what is kept about somebody, handing it to them, and erasing it.

References travel in bodies, never in addresses, which stand in logs.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import StringConstraints
from starlette.responses import Response

from steward.edge.api.answers import api, json_answer
from steward.edge.api.documents import described, takes
from steward.edge.api.objects import fields_of
from steward.edge.bodies import Body, read_body
from steward.edge.entrance import caller_of, services_of
from steward.edge.parameters import limit_of, record_id_of
from steward.govern.access.permissions import Permission

router = APIRouter(prefix="/v1/admin", tags=["customers' rights"])
Reference = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]


class CustomerBody(Body):
    """Whom it is about: the reference as the company knows it, or a customer's id."""

    customer: Reference


class ErasureBody(CustomerBody):
    """Whom to erase, and on which ground of the law."""

    ground: Annotated[str, StringConstraints(min_length=1, max_length=40)]


@router.post("/customers/find", openapi_extra=takes(CustomerBody), responses=described(200, 404, 422))
@api(Permission.PERSONAL_EXPORT)
async def find(request: Request) -> Response:
    """Count what is kept about a customer, by kind."""
    body = await read_body(request, CustomerBody)
    kept = await services_of(request).rights.exporting.counts(body.customer)
    return json_answer({"customers": [{"id": str(each), "kept": counts} for each, counts in kept.items()]})


@router.post("/customers/export", openapi_extra=takes(CustomerBody), responses=described(200, 404, 409, 422))
@api(Permission.PERSONAL_EXPORT)
async def export(request: Request) -> Response:
    """Return a zip with everything that is kept about a customer, in clear."""
    body = await read_body(request, CustomerBody)
    made = await services_of(request).rights.exporting.export(
        body.customer, actor=caller_of(request).account.actor
    )
    headers = {
        "Content-Disposition": f'attachment; filename="export-{made.id}.zip"',
        "Cache-Control": "no-store",
    }
    return Response(made.content, media_type="application/zip", headers=headers)


@router.post("/customers/erase", openapi_extra=takes(ErasureBody), responses=described(200, 404, 409, 422))
@api(Permission.PERSONAL_ERASE)
async def erase(request: Request) -> Response:
    """Erase a customer everywhere and return the certificate. There is no way back."""
    body = await read_body(request, ErasureBody)
    certificate = await services_of(request).rights.erasing.erase(
        body.customer, ground=body.ground, actor=caller_of(request).account.actor
    )
    return json_answer(certificate.as_json())


@router.get("/erasures", responses=described(200))
@api(Permission.PERSONAL_EXPORT)
async def list_erasures(request: Request, limit: str = "50") -> Response:
    """List erasures, the latest first."""
    lines = await services_of(request).rights.erasing.listed(limit=limit_of(limit))
    return json_answer({"erasures": [fields_of(line) for line in lines]})


@router.get("/erasures/{erasure_id}", responses=described(200, 404))
@api(Permission.PERSONAL_EXPORT)
async def read_certificate(request: Request, erasure_id: str) -> Response:
    """Return the certificate of a finished erasure."""
    identifier = record_id_of(erasure_id, "erasure")
    certificate = await services_of(request).rights.erasing.certificate(identifier)
    return json_answer(certificate.as_json())
