"""How a cell of a kept report is written on page and paper."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django import template

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
