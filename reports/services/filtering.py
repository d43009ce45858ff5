"""The filters of a report as conditions on orders, and the figures that every section shares."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet, Sum

from orders.models import Order

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

AMOUNTS = {
    "count": Count("pk"),
    "net": Sum("net_total"),
    "gross": Sum("gross_total"),
    "cost": Sum("cost_total"),
    "invoiced": Sum("invoiced_total"),
    "paid": Sum("paid_total"),
}


#: The states of orders that count as sales: placed and not cancelled.
SOLD = [state for state in Order.State.values if state not in (Order.State.DRAFT, Order.State.CANCELLED)]


def year_bounds(year: int) -> tuple[dt.date, dt.date]:
    """Its first and last day."""
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def month_bounds(first: dt.date) -> tuple[dt.date, dt.date]:
    """The first and last day of the month that begins on `first`."""
    return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)


def order_list(
    params: dict[str, Any], row: Mapping[str, Any], first: dt.date | None = None, last: dt.date | None = None,
    *, states: Sequence[str] = (), **more: Any,
) -> str:  # fmt: skip
    """The address of the order list with the orders behind a row: the report's filters, narrowed to the row."""
    since, until = params.get("date_from"), params.get("date_to")
    query = {
        "ordered_from": max(filter(None, (since, first)), default=None),
        "ordered_to": min(filter(None, (until, last)), default=None),
        "customer_is": params.get("customer"),
        "owner_is": params.get("owner"),
        "currency": row.get("currency") or params.get("currency"),
        "category": params.get("category"),
        **more,
    }
    pairs = [(name, value) for name, value in query.items() if value] + [("state", one) for one in states]
    return f"/orders/?{urlencode(pairs)}"


def period(params: dict[str, Any], prefix: str = "") -> Q:
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
    if params.get("currency"):
        condition &= Q(**{f"{prefix}currency": params["currency"]})
    return condition


def orders_in(user: "User", params: dict[str, Any]) -> QuerySet[Order]:
    """The orders this reader may see that pass the filters."""
    return Order.objects.visible_to(user).filter(period(params)).order_by()


def sold_in(user: "User", params: dict[str, Any]) -> QuerySet[Order]:
    """Orders that count as sales: placed and not cancelled."""
    return orders_in(user, params).exclude(state__in=[Order.State.DRAFT, Order.State.CANCELLED])
