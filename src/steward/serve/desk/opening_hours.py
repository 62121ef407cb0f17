"""Whether the desk is open, and what a customer who asks for a human hears."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from steward.supply.assistant.folder import Folder

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def is_open(folder: Folder, now: datetime) -> bool:
    """Tell whether the desk is open at a moment, in the assistant's time zone."""
    hours = folder.desk.hours
    local = now.astimezone(ZoneInfo(folder.assistant.time_zone))
    today, time = _DAYS[local.weekday()], f"{local:%H:%M}"
    return not hours or any(today in span.days and span.opens <= time < span.closes for span in hours)


def hand_over_text(folder: Folder, now: datetime) -> str:
    """Return the release's sentence for a hand-over at a moment."""
    return folder.desk.hand_over_text if is_open(folder, now) else folder.desk.out_of_hours_text
