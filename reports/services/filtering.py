"""The filters of a report as conditions on orders, and the words that rows are shown with."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import ExtractYear, TruncMonth
from django.utils.translation import gettext as _

from customers.models import Customer
from orders.models import Order

from .dated import as_it_was, known
from .definitions import Row

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: The states of orders that count as sales: placed and not cancelled.
SOLD = [state for state in Order.State.values if state not in (Order.State.DRAFT, Order.State.CANCELLED)]


def period(params: Any, prefix: str = "") -> Q:
    """The conditions that `PeriodForm` describes, for orders or (with a prefix) for rows below an order."""
    condition = Q()
    if params.get("date_from"):
        condition &= Q(**{f"{prefix}order_date__gte": params["date_from"]})
    if params.get("date_to"):
        condition &= Q(**{f"{prefix}order_date__lte": params["date_to"]})
    if text := params.get("customer"):
        condition &= Q(**{f"{prefix}customer_name__icontains": text}) | Q(**{f"{prefix}customer__number": text})
    if text := params.get("owner"):
        condition &= Q(**{f"{prefix}owner__name__icontains": text})
    if text := params.get("region"):
        condition &= Q(**{f"{prefix}region__icontains": text})
    for name in ("currency", "channel"):
        if params.get(name):
            condition &= Q(**{f"{prefix}{name}": params[name]})
    return condition


#: What later events may move on an order, and reports add up or divide by. The rest is fixed when it is placed.
_MOVED = ("state", "net_total", "gross_total", "cost_total", "promised_date", "valid_until")


def orders_at(params: Any) -> Any:
    """All orders that were there on the day the report is about, each as it was then (`was_state`, `was_net_total` …).

    An imported one belongs to its order date: what is known of it is how its source left it.
    """
    rows = as_it_was(Order.objects.order_by(), params, *_MOVED, saved_at="changed_at")
    imported = Q(origin=Order.Origin.IMPORTED, order_date__lte=params.get("as_of"))
    return rows.filter(known(params, "created_at", imported))


def orders_in(user: "User", params: Any) -> Any:
    """The orders this reader may see that pass the filters, as they were on the day the report is about."""
    return orders_at(params).visible_to(user).filter(period(params))


def sold_in(user: "User", params: Any) -> QuerySet[Order]:
    """Orders that count as sales: placed and not cancelled."""
    found: QuerySet[Order] = orders_in(user, params).filter(was_state__in=SOLD)
    return found


def by_time(path: str) -> dict[str, Any]:
    """Year and month of a date, to group by."""
    return {"year": ExtractYear(path), "month": TruncMonth(path)}


def currency_of(prefix: str) -> dict[str, Any]:
    """The currency of rows below an order."""
    return {"currency": F(f"{prefix}currency")}


def month_shown(row: Row) -> Row:
    """A month in figures, "2025-03"; of no date: a word."""
    month: dt.date | None = row["month"]
    return {"label": f"{month:%Y-%m}" if month else _("No date")}


def named(path: str, empty: Any) -> Any:
    """Shows the text of a dimension, and `empty` where there is none."""
    return lambda row: {"label": row[path] or str(empty)}


def chosen(path: str, choices: Any) -> Any:
    """Shows the label of a choice."""
    labels = dict(choices)
    return lambda row: {"label": str(labels.get(row[path], row[path]) or _("Not stated"))}


channel_shown = chosen("channel", Customer.Channel.choices)
