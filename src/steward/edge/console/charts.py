"""The charts of the first page as Vega-Lite specifications; colours are put in by the page."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from steward.improve.insight.first_page import Figures, HourLine

_SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
_HOUR_AXIS = {
    "field": "hour",
    "type": "temporal",
    "timeUnit": "yearmonthdatehours",
    "title": None,
    "axis": {"format": "%d %b %H:00", "tickCount": 6, "labelOverlap": True},
}
_FEWEST_HOURS = 12
"""A chart reaches back so far at least; a single hour would fill it with one bar."""


def charts_of(figures: Figures) -> dict[str, str]:
    """Return the specifications as JSON text, by the name of the chart."""
    return {
        "traffic": json.dumps(_traffic(figures.hours)),
        "latency": json.dumps(_latency(figures.hours)),
        "outcomes": json.dumps(_bars(dict(figures.outcomes), "Turns")),
        "categories": json.dumps(_bars(dict(figures.categories), "Conversations")),
    }


def _rows(hours: tuple[HourLine, ...]) -> list[dict[str, Any]]:
    rows = [
        _row(line.hour, line.conversations, line.handed_over, line.p95_ms)
        for line in sorted(hours, key=lambda line: line.hour)
    ]
    if hours:
        times = [line.hour for line in hours]
        start = max(times) - timedelta(hours=_FEWEST_HOURS - 1)
        if start < min(times):
            rows.insert(0, _row(start, 0, 0, None))
    return rows


def _row(hour: datetime, conversations: int, handed_over: int, p95_ms: float | None) -> dict[str, Any]:
    return {
        "hour": hour.astimezone(UTC).isoformat(),
        "conversations": conversations,
        "handed over": handed_over,
        "p95": None if p95_ms is None else round(p95_ms, 1),
    }


def _traffic(hours: tuple[HourLine, ...]) -> dict[str, Any]:
    return _spec(
        _rows(hours),
        transform=[{"fold": ["conversations", "handed over"]}],
        mark={"type": "bar", "cornerRadiusEnd": 2},
        encoding={
            "x": _HOUR_AXIS,
            "xOffset": {"field": "key", "type": "nominal"},
            "y": {"field": "value", "type": "quantitative", "title": None, "axis": {"tickMinStep": 1}},
            "color": {"field": "key", "type": "nominal", "title": None, "legend": {"orient": "top"}},
        },
    )


def _latency(hours: tuple[HourLine, ...]) -> dict[str, Any]:
    return _spec(
        _rows(hours),
        mark={"type": "line", "point": True},
        encoding={
            "x": _HOUR_AXIS,
            "y": {"field": "p95", "type": "quantitative", "title": "ms", "scale": {"zero": True}},
        },
    )


def _bars(counts: dict[str, int], title: str) -> dict[str, Any]:
    return _spec(
        [{"name": name.replace("_", " "), "count": count} for name, count in counts.items()],
        mark={"type": "bar", "cornerRadiusEnd": 3},
        encoding={
            "y": {"field": "name", "type": "nominal", "sort": "-x", "title": None},
            "x": {
                "field": "count",
                "type": "quantitative",
                "title": title,
                "axis": {"format": "d", "tickCount": min(5, max(counts.values(), default=1))},
            },
        },
    )


def specification(*, height: int = 180, **parts: Any) -> dict[str, Any]:
    """Return a whole specification that is as wide as its place."""
    return {
        "$schema": _SCHEMA,
        "width": "container",
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        **parts,
    }


def _spec(rows: list[dict[str, Any]], **parts: Any) -> dict[str, Any]:
    return specification(data={"values": rows}, **parts)
