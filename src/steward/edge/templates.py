"""Pages out of Jinja2 templates: everything escaped, a missing name is an error."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from steward.edge.assets import assets_of
from steward.edge.security import secured

DASH: Final = "–"
_DIGEST: Final = re.compile("[0-9a-f]{32,}")


def environment(package: str) -> Environment:
    """Return the templates of a package, with the filters that pages use."""
    made = Environment(
        loader=PackageLoader(package, "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        moment=moment,
        ms=milliseconds,
        percent=percent,
        number=number,
        words=words,
        money=money,
        short=short,
        facts=facts,
        named=named,
        readable=readable,
    )
    return made


async def render(
    request: Request, templates: Environment, name: str, *, status: int = 200, **values: Any
) -> Response:
    """Return a page."""
    assets = assets_of(request)
    used = {key: await assets.get(key) for key in values.pop("assets", ())}
    html = templates.get_template(name).render(
        **values,
        script=lambda key: _script(used, key),
        style=lambda key: _style(used, key),
    )
    return secured(HTMLResponse(html, status_code=status))


def moment(at: datetime | None) -> str:
    """Return a time as an element that scripts may show in the reader's own zone."""
    if at is None:
        return DASH
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(utc.isoformat(), utc.strftime("%d %b %H:%M:%S"))


def milliseconds(value: float | None) -> str:
    """Return a duration with three figures at most: 0.4 ms, 12 ms, 1.3 s."""
    if value is None:
        return DASH
    if value >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.1f} ms" if value < 10 else f"{value:.0f} ms"


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share as per cent."""
    return DASH if value is None else f"{value * 100:.{digits}f} %"


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with fixed digits."""
    return DASH if value is None else f"{value:.{digits}f}"


def money(value: object, currency: str) -> str:
    """Return an amount with its currency, small ones with two figures; unknown stays unknown."""
    if value is None:
        return DASH
    amount = Decimal(str(value))
    text = f"{amount:.2f}" if amount >= 1 or not amount else f"{amount:.2g}"
    return f"{text} {currency}"


def words(value: object) -> str:
    """Return a name of the system as words: handed_over, handed over."""
    return DASH if value in {None, ""} else str(value).replace("_", " ")


def facts(text: str) -> str:
    """Return a decision's values, which are stored as a JSON object, as names and values."""
    values = json.loads(text)
    if not isinstance(values, dict):
        return text
    return " · ".join(f"{words(name)} {_fact(value)}" for name, value in values.items())


def readable(value: object) -> str:
    """Return numbers that a decision stood on as indented JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2, default=str)


def _fact(value: object) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.3g}"
        case str():
            return f"{value[:8]}…" if _DIGEST.fullmatch(value) else value
        case list():
            return ", ".join(
                " ".join(map(_fact, item)) if isinstance(item, list) else _fact(item) for item in value
            )
        case _:
            return json.dumps(value, ensure_ascii=False)


def named(text: str) -> Markup:
    """Return `kind:id` with the id shortened, the whole in its tooltip."""
    kind, separator, identifier = text.partition(":")
    shown = identifier[-8:] if "-" in identifier else identifier[:12]
    return Markup('<span title="{}">{}{}{}</span>').format(text, kind, separator, shown)


def short(value: object) -> Markup:
    """Return the end of an id, the whole in its tooltip."""
    text = str(value)
    return Markup('<code title="{}">{}</code>').format(text, text[-8:] if "-" in text else text[:12])


def _script(used: dict[str, Any], name: str) -> Markup:
    asset = used[name]
    return Markup('<script src="/static/{}?v={}" integrity="{}" defer></script>').format(
        name, asset.version, asset.integrity
    )


def _style(used: dict[str, Any], name: str) -> Markup:
    asset = used[name]
    return Markup('<link rel="stylesheet" href="/static/{}?v={}" integrity="{}">').format(
        name, asset.version, asset.integrity
    )
