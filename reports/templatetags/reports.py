"""How a cell of a kept report is written on page and paper."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from ordermgmt.lib.templatetags.ui import amount, day, quantity

register = template.Library()


@register.simple_tag
def report_cell(row: dict[str, Any], column: dict[str, Any]) -> str:
    """The cell in the reader's number and date format; amounts in the row's currency; a dash for nothing."""
    value, kind = row.get(column["key"]), column["kind"]
    if value is None or value == "":
        return "" if column["key"] not in row else "–"
    if kind == "amount":
        return amount(Decimal(value), row.get("currency", ""))
    if kind in ("count", "number", "percent"):
        return quantity(Decimal(value))
    return day(dt.date.fromisoformat(value)) if kind == "date" else str(value)


@register.filter
def signed(value: str) -> str:
    """A change with its sign."""
    number = Decimal(value)
    return f"{'+' if number > 0 else '−' if number < 0 else '±'}{quantity(abs(number))}"


@register.simple_tag
def sparkline(values: list[str], label: str) -> SafeString:
    """A line through the values, drawn by the server; `label` says what it shows, the table beside has the figures."""
    numbers = [Decimal(one) for one in values]
    low, high = min(numbers, default=Decimal(0)), max(numbers, default=Decimal(0))
    span, across = (high - low) or Decimal(1), max(len(numbers) - 1, 1)
    points = " ".join(
        f"{Decimal(place) * 100 / across:.1f},{28 - (one - low) * 26 / span:.1f}" for place, one in enumerate(numbers)
    )
    return format_html(
        '<svg class="sparkline" viewBox="0 0 100 30" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<polyline points="{}" fill="none" vector-effect="non-scaling-stroke"></polyline></svg>',
        label, points,
    )  # fmt: skip
