"""All pages of the console, in one router."""

from __future__ import annotations

from fastapi import APIRouter

from steward.edge.console import conversations, desk, overview, records, signing_in, site

router = APIRouter()
for area in (signing_in, overview, conversations, desk, records, site):
    router.include_router(area.router)
