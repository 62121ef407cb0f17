"""KPI values and harms as people read them: a rate in per cent, its change in points, money with currency."""

from __future__ import annotations

import re
from typing import Final

from steward.edge.templates import DASH, money, words
from steward.improve.insight import kpis
from steward.improve.insight.contracts import Better, Kpi
from steward.improve.rollout.contracts import TriggerVerdict

_SHARE: Final = "share"
_MONEY: Final = "money"
_MARKS: Final = "of 5"
_NAMES: Final = re.compile(rf"\b(?:{'|'.join(map(re.escape, kpis.names()))})\b")


def definition_of(name: str) -> Kpi | None:
    """Return a KPI's definition, or None for one that nobody defines any more."""
    return kpis.kpi(name) if name in kpis.names() else None


def title_of(name: str) -> str:
    """Return how people call a KPI."""
    found = definition_of(name)
    return words(name).capitalize() if found is None else found.title


def with_titles(text: str) -> str:
    """Return a text with the names of KPIs replaced by what people call them."""
    return _NAMES.sub(lambda found: title_of(found.group()).lower(), text)


def meaning_of(name: str) -> str:
    """Return the one sentence that says what a KPI is."""
    found = definition_of(name)
    return "" if found is None else found.meaning


def unit_of(name: str) -> str:
    """Return a KPI's unit, empty where nobody defines it."""
    found = definition_of(name)
    return "" if found is None else found.unit


def direction_of(name: str) -> str:
    """Say which way is better."""
    found = definition_of(name)
    if found is None or found.better is Better.NEITHER:
        return ""
    return "higher is better" if found.better is Better.HIGHER else "lower is better"


def value_in_words(name: str, value: float | None, currency: str) -> str:
    """Return a KPI's value with its unit."""
    if value is None:
        return DASH
    match unit_of(name):
        case "share":
            return f"{value * 100:.1f} %"
        case "money":
            return money(f"{value:.6f}", currency)
        case "of 5":
            return f"{value:.2f} of 5"
        case unit:
            return f"{value:.3g} {unit}".strip()


def change_in_words(name: str, amount: float | None, currency: str) -> str:
    """Return how much a KPI differs, without a sign: points of a rate, marks of five, or its own unit."""
    if amount is None:
        return DASH
    return f"{_bare(name, abs(amount))} {_unit_of_change(name, currency)}".strip()


def range_in_words(name: str, low: float | None, high: float | None, currency: str) -> str:
    """Return where a harm lies, such as −0.4 to 1.2 points; a side that isn't known yet is left open."""
    if low is None and high is None:
        return "not known yet"
    unit = _unit_of_change(name, currency)
    if high is None:
        return f"at least {_signed(name, low)} {unit}".strip()
    if low is None:
        return f"at most {_signed(name, high)} {unit}".strip()
    return f"{_signed(name, low)} to {_signed(name, high)} {unit}".strip()


def harm_in_words(verdict: TriggerVerdict, currency: str) -> str:
    """Say what got worse and by how much, such as: Escalation rose by 12 to 19 points, margin 2."""
    name = verdict.kpi
    found = definition_of(name)
    moved = "fell" if found is not None and found.better is Better.HIGHER else "rose"
    low, high = verdict.low, verdict.high
    if low is not None and high is not None:
        by = f"by {_bare(name, low)} to {change_in_words(name, high, currency)}"
    elif low is not None:
        by = f"by at least {change_in_words(name, low, currency)}"
    else:
        by = f"by about {change_in_words(name, verdict.harm, currency)}"
    if low is not None and high is None and _bare(name, low) == _bare(name, verdict.margin):
        by = f"by at least {low * scale_of(name):.3g} {_unit_of_change(name, currency)}".strip()
    where = f" in {words(verdict.category)}" if verdict.category else ""
    return f"{title_of(name)} {moved}{where} {by}, margin {_bare(name, verdict.margin)}"


def scale_of(name: str) -> float:
    """Return what a change is multiplied by to be shown: 100 for points of a rate."""
    return 100.0 if unit_of(name) == _SHARE else 1.0


def axis_of(name: str, currency: str) -> str:
    """Return the unit that a chart's axis of changes is in."""
    return _unit_of_change(name, currency) or title_of(name)


def _unit_of_change(name: str, currency: str) -> str:
    return {_SHARE: "points", _MONEY: currency, _MARKS: "marks"}.get(unit_of(name), unit_of(name))


def _bare(name: str, amount: float) -> str:
    scaled = amount * scale_of(name)
    if unit_of(name) == _MONEY:
        return f"{scaled:.2f}" if abs(scaled) >= 1 else f"{scaled:.2g}"
    text = (
        f"{scaled:.0f}" if abs(scaled) >= 10 else f"{scaled:.2g}" if abs(scaled) >= 0.01 else f"{scaled:.2f}"
    )
    return "0" if float(text) == 0 else text


def _signed(name: str, amount: float | None) -> str:
    text = _bare(name, amount or 0.0)
    return text.replace("-", "−")
