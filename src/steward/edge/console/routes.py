"""All pages of the console, in one router."""

from __future__ import annotations

from fastapi import APIRouter

from steward.edge.console import conversations, desk, overview, records, rollouts, signing_in, site

router = APIRouter()
for area in (signing_in, overview, conversations, desk, rollouts, records, site):
    router.include_router(area.router)
