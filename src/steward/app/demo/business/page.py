"""The page that shows a demo's visitor what the company sees: customers to try, effects, fault switches.

It refreshes itself by a `meta` element and its switches are plain forms: no script.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from steward.app.demo.business.company import Company
from steward.app.demo.business.faults import Fault, Faults
from steward.app.demo.business.reads import second_payment
from steward.app.demo.business.wording import pounds

if TYPE_CHECKING:
    from jinja2 import Template

_SHOWN_ENTRIES = 20
SWITCHES = (
    ("Next refund: do it, then lose the answer", Fault(operation="refund_payment", drop_after_work=True)),
    ("Next refund: fail before doing it (503)", Fault(operation="refund_payment", fail_status=503)),
    ("Next refund: take 12 seconds", Fault(operation="refund_payment", slow_ms=12_000)),
    ("Everything: 2 seconds slower until cleared", Fault(slow_ms=2_000, times=None)),
)


def draw_page(company: Company, faults: Faults) -> str:
    """Return the page as HTML."""
    return _template().render(
        accounts=list(company.books.accounts.values()),
        plans=company.books.plans,
        second_payment=second_payment,
        pounds=pounds,
        entries=list(reversed(company.entries[-_SHOWN_ENTRIES:])),
        switches=[(title, fault.model_dump_json(exclude_unset=True)) for title, fault in SWITCHES],
        faults=[fault.model_dump_json(exclude_unset=True) for fault in faults.active],
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment

    source = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
