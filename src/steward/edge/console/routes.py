"""All pages of the console, in one router."""

from __future__ import annotations

from fastapi import APIRouter

from steward.edge.console import (
    accounts,
    comparisons,
    conversations,
    desk,
    governance,
    overview,
    own_account,
    records,
    releases,
    rights,
    rollouts,
    second_step,
    signing_in,
    site,
    starting,
    turns,
)

router = APIRouter()
for area in (
    signing_in,
    second_step,
    overview,
    conversations,
    desk,
    starting,
    turns,
    comparisons,
    rollouts,
    releases,
    governance,
    records,
    rights,
    site,
    accounts,
    own_account,
):
    router.include_router(area.router)
