"""Charts of a rollout as Vega-Lite specifications; colours are put in by the page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from steward.edge.console import measures
from steward.edge.console.charts import specification
from steward.edge.console.rollout_words import event_in_words
from steward.improve.rollout.contracts import ALL, LookPoint, RolloutPage, RolloutState, Stage

_CLOCK: Final = {"seconds": "%H:%M:%S", "minutes": "%H:%M", "hours": "%H:%M", "date": "%d %b", "day": "%d %b"}
_TIME: Final = {
    "type": "temporal",
    "title": None,
    "axis": {"format": _CLOCK, "tickCount": 6, "labelOverlap": True},
}
_MOST_POINTS: Final = 300
"""Looks that a chart draws; more can't be told apart."""
_FEW_POINTS: Final = 12
_DASHED: Final = {"strokeDash": [6, 4], "strokeWidth": 2}
_WIDE: Final = 4.0
"""Margins to each side that a chart shows; the first looks know so little that they'd flatten the rest."""
_NO_SHARE: Final = ("rolled_back", "aborted", "concluded")
_MARKED: Final = ("held", "paused", "rolled_back", "category_rolled_back", "promoted", "aborted")


def charts_of(page: RolloutPage, *, now: datetime) -> Mapping[str, str]:
    """Return the specifications as JSON text: `share`, and one for each trigger by its KPI's name."""
    charts = {"share": json.dumps(_share(page, now))}
    for trigger in page.rollout.plan.triggers:
        points = [
            point
            for point in page.points
            if point.verdict.kpi == trigger.kpi and point.verdict.category == ALL
        ]
        points = [point for point in points if point.verdict.harm is not None]
        if points:
            charts[trigger.kpi] = json.dumps(_sequence(page, trigger.kpi, trigger.margin, points))
    return charts


def _share(page: RolloutPage, now: datetime) -> dict[str, Any]:
    rows, marked = _shares(page, now)
    at = {"field": "at", **_TIME}
    share = {"field": "share", "type": "quantitative"}
    axis = {"title": "% of the customers", "scale": {"domainMin": 0, "nice": True}, "axis": {"tickCount": 4}}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": rows},
            "mark": {"type": "area", "interpolate": "step-after", "line": True, "opacity": 0.25},
            "encoding": {"x": at, "y": {**share, **axis}},
        }
    ]
    if marked:
        layers += [
            {
                "data": {"values": marked},
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1, "style": "event"},
                "encoding": {"x": at, "y": share},
            },
            {
                "data": {"values": marked},
                "mark": {"type": "text", "align": "right", "dx": -8, "dy": -8, "style": "caption"},
                "encoding": {"x": at, "y": share, "text": {"field": "what"}},
            },
        ]
    return specification(height=150, layer=layers)


def _shares(page: RolloutPage, now: datetime) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the candidate's share after each event, and the events that are marked."""
    rows: list[dict[str, Any]] = []
    marked: list[dict[str, Any]] = []
    share = 0.0
    for event in sorted(page.events, key=lambda event: event.at):
        if event.kind == "phase_started":
            phase = page.rollout.plan.phases[event.phase]
            share = 0.0 if phase.stage is Stage.INTERNAL else phase.share_percent
        elif event.kind in _NO_SHARE:
            share = 0.0
        elif event.kind == "promoted":
            share = 100.0
        rows.append({"at": _iso(event.at), "share": share, "what": event_in_words(event.kind)})
        if event.kind in _MARKED:
            marked.append(rows[-1])
    if rows and (page.rollout.state.is_open or page.rollout.state is RolloutState.PROMOTED):
        rows.append({"at": _iso(_until(page, now)), "share": share, "what": ""})
    return rows, marked


def _until(page: RolloutPage, now: datetime) -> datetime:
    """Return where the line ends: now, or a little after the end of a rollout that has ended."""
    rollout = page.rollout
    if rollout.ended_at is None:
        return now
    return min(now, rollout.ended_at + (rollout.ended_at - rollout.created_at) / 8)


def _sequence(page: RolloutPage, kpi: str, margin: float, points: list[LookPoint]) -> dict[str, Any]:
    scale = measures.scale_of(kpi)
    widest = _WIDE * margin * scale
    most = max((abs(point.verdict.harm or 0.0) for point in points), default=0.0) * scale
    widest = max(widest, 1.3 * most)
    step = max(1, len(points) // _MOST_POINTS)
    chosen = [*points[:-1:step], points[-1]]
    rows = [_row(page, point, scale, widest) for point in chosen]
    banded = [row for row in rows if row["low"] is not None]
    time = {"field": "at", **_TIME}
    harm = {"type": "quantitative", "title": f"harm, {measures.axis_of(kpi, page.currency)}"}
    scale_of_harm = {"scale": {"zero": True}, "axis": {"tickCount": 5}}
    phase = {"field": "phase", "type": "nominal"}
    band = {
        "data": {"values": banded},
        "mark": {"type": "area", "opacity": 0.22, "interpolate": "monotone"},
        "encoding": {
            "x": time,
            "y": {"field": "low", **harm, **scale_of_harm},
            "y2": {"field": "high"},
            "detail": phase,
        },
    }
    line = {
        "data": {"values": rows},
        "mark": {"type": "line", "interpolate": "monotone", "point": len(rows) < _FEW_POINTS},
        "encoding": {"x": time, "y": {"field": "harm", **harm, **scale_of_harm}, "detail": phase},
    }
    layers = [line, _rule(0.0, "zero", {}), _rule(margin * scale, "limit", _DASHED)]
    return specification(height=170, layer=[band, *layers] if banded else layers)


def _rule(value: float, style: str, mark: dict[str, Any]) -> dict[str, Any]:
    return {
        "data": {"values": [{"value": value}]},
        "mark": {"type": "rule", "style": style, **mark},
        "encoding": {"y": {"field": "value", "type": "quantitative"}},
    }


def _row(page: RolloutPage, point: LookPoint, scale: float, widest: float) -> dict[str, Any]:
    verdict = point.verdict
    known = verdict.low is not None or verdict.high is not None
    low = -widest if verdict.low is None else max(verdict.low * scale, -widest)
    high = widest if verdict.high is None else min(verdict.high * scale, widest)
    return {
        "at": _iso(point.at),
        "phase": page.rollout.plan.phases[point.phase].name,
        "harm": (verdict.harm or 0.0) * scale,
        "low": low if known else None,
        "high": high if known else None,
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat()
