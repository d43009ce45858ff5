"""Two agreed contents of an order side by side, in the reader's words and number formats."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils.translation import gettext as _

from customers.models import Customer
from ordermgmt.company.models import TaxRate
from ordermgmt.lib.templatetags.ui import amount, day, price, quantity
from orders.models import Order, OrderLine

_AMOUNTS = {"net_total", "tax_total", "gross_total", "rounding", "cash_step", "net"}
_QUANTITIES = {"quantity", "discount_percent", "tax_rate", "qty_cancelled"}
_DATES = {"order_date", "requested_date", "promised_date"}
_CHOICES = {"tax_category": TaxRate.Category, "supply": OrderLine.Supply}
#: What a line is found by, and what stands in its description.
_SILENT = {"position", "product_id"}


def compared(old: Mapping[str, Any] | None, new: Mapping[str, Any], reader: Any) -> list[tuple[str, str, str]]:
    """What differs: where, before, after. Everything is new where there is no old. A customer whom the reader does not
    see is not named."""
    before: Mapping[str, Any] = old or {"header": {}, "lines": []}
    currencies = before["header"].get("currency") or new["header"]["currency"], new["header"]["currency"]
    changes = []
    for position, name, was, now in _differences(before, new):
        field = _label(OrderLine if position else Order, name)
        where = _("Line %(n)s: %(field)s") % {"n": position, "field": field} if position else field
        if name == "customer_id":
            changes.append((where, _customer(was, reader), _customer(now, reader)))
        else:
            changes.append((where, _shown(name, was, currencies[0]), _shown(name, now, currencies[1])))
    return changes


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[int, str, Any, Any]]:
    """Position (0 for the header), field, before, after."""
    for name, value in new["header"].items():
        if old["header"].get(name) != value:
            yield 0, name, old["header"].get(name), value
    ours, theirs = ({line["position"]: line for line in side["lines"]} for side in (old, new))
    for position in sorted(set(ours) | set(theirs)):
        was, now = ours.get(position, {}), theirs.get(position, {})
        for name in [*now, *(name for name in was if name not in now)]:
            if was.get(name) != now.get(name) and name not in _SILENT:
                yield position, name, was.get(name), now.get(name)


def _label(model: Any, name: str) -> str:
    text = str(model._meta.get_field(name.removesuffix("_id")).verbose_name)
    return text[:1].upper() + text[1:]


def _shown(name: str, value: Any, currency: str) -> str:
    if value in (None, "", {}):
        return "–"
    if name in _CHOICES:
        return str(dict(_CHOICES[name].choices).get(value, value))
    with suppress(ValueError, InvalidOperation):  # a version of before may hold what is read no more
        return _SHOWN.get(name, _plainly)(value, currency)
    return str(value)


def _plainly(value: Any, _currency: str) -> str:
    if isinstance(value, dict):  # a specification
        return _(", ").join(f"{key} {one}" for key, one in value.items() if one not in (None, ""))
    return str(value)


def _customer(key: Any, reader: Any) -> str:
    return str(Customer.objects.visible_to(reader).filter(pk=key).first() or "–")


_SHOWN: dict[str, Callable[[Any, str], str]] = {
    **{name: lambda value, currency: amount(Decimal(value), currency) for name in _AMOUNTS},
    **{name: lambda value, _currency: quantity(Decimal(value)) for name in _QUANTITIES},
    **{name: lambda value, _currency: day(dt.date.fromisoformat(value)) for name in _DATES},
    "unit_price": lambda value, currency: price(Decimal(value), currency),
}
