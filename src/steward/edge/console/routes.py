"""All pages of the console, in one router."""

from __future__ import annotations

from fastapi import APIRouter

from steward.edge.console import (
    comparisons,
    conversations,
    desk,
    overview,
    records,
    releases,
    rollouts,
    signing_in,
    site,
    starting,
    turns,
)

router = APIRouter()
for area in (
    signing_in,
    overview,
    conversations,
    desk,
    starting,
    turns,
    comparisons,
    rollouts,
    releases,
    records,
    site,
):
    router.include_router(area.router)
