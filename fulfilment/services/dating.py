"""When things left: nothing is examined, and nothing comes back, before that."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Min
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from fulfilment.models import ShipmentLine
from ordermgmt.company.services import business_day, business_today
from orders.models import Order


def wrong_day(order: Order, on: dt.date, line_ids: Iterable[int]) -> str:
    """What is wrong with the day on which goods of these lines were examined or came back; empty when nothing is."""
    if on > business_today():
        return _("This day lies ahead.")
    if on < order.order_date:
        return _("The date lies before the order.")
    left = _left_on(line_ids)
    if left is None or on >= left:
        return ""
    return _("This was shipped or delivered on %(day)s: the date lies before that.") % {
        "day": date_format(left, "SHORT_DATE_FORMAT")
    }


def _left_on(line_ids: Iterable[int]) -> dt.date | None:
    """The day by which each of the lines had begun to leave, in the company's time zone."""
    parts = ShipmentLine.objects.filter(order_line__in=list(line_ids)).order_by().values("order_line")
    firsts = parts.annotate(first=Min("shipment__shipped_at")).values_list("first", flat=True)
    last = max(firsts, default=None)
    return business_day(last) if last else None
