"""The OpenAPI document: what each call takes and answers, and the permission it needs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from pydantic import BaseModel

from steward.edge.declarations import routes_of
from steward.edge.entrance import PUBLIC, permission_of
from steward.edge.problems import MEDIA_TYPE

_PROBLEM: Final = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "reference": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
_ALWAYS: Final = (400, 401, 403, 413, 429, 500, 503)


def takes(shape: type[BaseModel]) -> dict[str, Any]:
    """Return the part of an operation that describes its JSON body."""
    schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def described(success: int, *refusals: int, stream: bool = False) -> dict[int | str, dict[str, Any]]:
    """Return the answers of an operation: one success, and problem details for the rest."""
    content: dict[str, Any] = {} if success == HTTPStatus.NO_CONTENT else {"application/json": {}}
    if stream:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    answers: dict[int | str, dict[str, Any]] = {
        success: {"description": HTTPStatus(success).phrase, **({"content": content} if content else {})}
    }
    for status in sorted({*_ALWAYS, *refusals}):
        answers[status] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    return answers


def document(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of the API's routes, built once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title="Steward",
            version=app.version,
            summary="Talk to the assistant, route a text, and run the desk.",
            routes=app.routes,
        )
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {})["Problem"] = _PROBLEM
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
        for route in routes_of(app):
            if route.include_in_schema:
                _declare(schema, route)
        app.openapi_schema = schema
    return app.openapi_schema


def _declare(schema: dict[str, Any], route: APIRoute) -> None:
    needed = permission_of(route.endpoint)
    for method in route.methods or ():
        operation = schema["paths"][route.path_format].get(method.lower())
        if operation is None or needed is None:
            continue
        operation["x-permission"] = needed.value
        operation["security"] = [] if needed is PUBLIC else [{"bearer": []}]
        operation["responses"].pop("422", None) if "requestBody" not in operation else None
