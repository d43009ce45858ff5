"""REP-6: how suppliers keep their promises, and how work centres are used."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Avg, Count, Exists, Max, OuterRef, Q, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from fulfilment.models import CapacityBooking, WorkCentre
from fulfilment.services import booked_minutes, capacities
from inventory.models import PurchaseLine
from ordermgmt.lib.tables import Column as ListColumn
from orders.models import Order

from .definitions import Column, Report, Row, Section, grouped, register
from .facts import Facts, Group, Params, Rows
from .filtering import month_shown, named
from .parameters import SpanForm, SupplierForm
from .shares import mean_of, share

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

# --- suppliers -------------------------------------------------------------------------------------------------


def _purchased(user: "User", params: Params) -> Rows:
    """Lines promised within the span, by the promise that suppliers are judged by."""
    found = PurchaseLine.objects.filter(first_promised_on__range=(params["date_from"], params["date_to"]))
    if text := params.get("supplier"):
        found = found.filter(Q(order__supplier__number=text) | Q(order__supplier__name__icontains=text))
    return found.order_by().select_related("order__supplier", "product")


PURCHASES = Facts(
    rows=_purchased,
    dims={"month": TruncMonth("first_promised_on")},
    figures={
        "count": Count("pk"), "late": Count("pk", filter=Q(days_late__gt=0)), "on_time": Count("pk", filter=Q(days_late=0)),
        "early": Count("pk", filter=Q(days_late__lt=0)), "awaited": Count("pk", filter=Q(days_late=None)),
        "late_days": Sum("days_late", filter=Q(days_late__gt=0), default=0), "worst": Max("days_late"),
        "delay": Avg("days_late", filter=Q(days_late__gt=0)),
    },
    columns=(
        ListColumn("order", _("Purchase order"), path="order.number"),
        ListColumn("supplier", _("Supplier"), path="order.supplier.name"),
        ListColumn("description", _("Line"), value=lambda one: f"{one.position} {one.description}"),
        ListColumn("quantity", _("Quantity"), kind="quantity"),
        ListColumn("promised", _("Promised"), path="first_promised_on", kind="date", nullable=True),
        ListColumn("received_on", pgettext_lazy("goods", "Received on"), kind="date", nullable=True),
        ListColumn("days_late", _("Days late"), kind="count", nullable=True),
    ),
    link=lambda one: one.order.get_absolute_url(),
    in_currency=False,
)  # fmt: skip
_KEPT = (
    Column("count", _("Lines"), "count"),
    Column("early", _("Early"), "count"),
    Column("on_time", _("In time"), "count"),
    Column("late", _("Late"), "count"),
    Column("awaited", _("Awaited"), "count"),
    Column("percent", _("In time %"), "percent"),
    Column("late_days", _("Days late in all"), "count"),
    Column("delay", _("Days late on average"), "number"),
    Column("worst", _("Most days late"), "number"),
)


def _kept(show: Any) -> Any:
    """With the share that came by its day of all that came, early ones included."""
    return lambda row: show(row) | {
        "percent": share(row["early"] + row["on_time"], row["count"] - row["awaited"]), "delay": mean_of(row["delay"]),
        "worst": max(0, row["worst"] or 0),
    }  # fmt: skip


SUPPLIERS = register(
    Report(
        key="suppliers",
        title=_("Suppliers"),
        summary=_("Promised and received, line by line: which suppliers come in time, which are late, and by how many days."),
        form=SupplierForm,
        also=("inventory.view_purchase",),
        compares=False,
        sections=(
            grouped(
                "by_supplier", _("By supplier"),
                Group("suppliers/by_supplier", PURCHASES, ("order__supplier__number", "order__supplier__name"),
                      ("-late", "order__supplier__number"), _kept(named("order__supplier__name", ""))),
                (Column("order__supplier__number", _("Number")), Column("label", _("Supplier")), *_KEPT), chart="late",
            ),
            grouped(
                "by_month", _("By month of the promise"),
                Group("suppliers/by_month", PURCHASES, ("month",), show=_kept(month_shown)),
                (Column("label", _("Month")), *_KEPT), chart="percent", chart_kind="line",
            ),
            grouped(
                "by_product", _("By product"),
                Group("suppliers/by_product", PURCHASES, ("product__sku", "product__name"), ("-late", "product__sku"),
                      _kept(named("product__name", _("Without a product")))),
                (Column("product__sku", _("SKU")), Column("label", _("Product")), *_KEPT), chart="late",
            ),
        ),
    )
)  # fmt: skip


# --- capacity --------------------------------------------------------------------------------------------------


def _booked(user: "User", params: Params) -> Rows:
    found = CapacityBooking.objects.filter(day__range=(params["date_from"], params["date_to"])).order_by()
    # The load of a work centre is everybody's, whose orders make it is not.
    seen = Order.objects.visible_to(user).filter(pk=OuterRef("order")).order_by()
    return found.select_related("order", "work_centre").annotate(shown=Exists(seen))


BOOKINGS = Facts(
    rows=_booked,
    dims={"month": TruncMonth("day")},
    figures={"count": Count("pk"), "minutes": Sum("minutes")},
    columns=(
        ListColumn("day", _("Day"), kind="date"),
        ListColumn("centre", _("Work centre"), path="work_centre.name"),
        ListColumn("number", _("Order"), value=lambda one: one.order.number if one.shown else ""),
        ListColumn("customer", _("Customer"), value=lambda one: one.order.customer_name if one.shown else ""),
        ListColumn("minutes", _("Minutes"), kind="count"),
    ),
    link=lambda one: f"{one.order.get_absolute_url()}#plan" if one.shown else "",
    in_currency=False,
    sort="day",
)
_BY_CENTRE = Group("capacity/by_centre", BOOKINGS, ("work_centre__name",))
_BY_MONTH = Group("capacity/by_month", BOOKINGS, ("month",))


def _load(params: Params, key: Any) -> Iterator[tuple[Any, Row]]:
    """Minutes there were and minutes booked, added up by the key of a centre and a day; fully booked days are counted."""
    centres = list(WorkCentre.objects.order_by("code"))
    first, last = params["date_from"], params["date_to"]
    booked = booked_minutes(centres, first, last)
    names = {one.pk: one for one in centres}
    sums: dict[Any, Row] = defaultdict(lambda: {"able": 0, "minutes": 0, "over": 0})
    for slot, able in capacities(centres, first, last).items():
        line, taken = sums[key(names[slot[0]], slot[1])], booked.get(slot, 0)
        line["able"] += able
        line["minutes"] += taken
        line["over"] += max(0, taken - able)
    yield from sums.items()


def _hours(line: Row) -> Row:
    figures = {
        f"{name}_hours": (Decimal(line[name]) / 60).quantize(Decimal("0.1")) for name in ("able", "minutes", "over")
    }
    return line | figures | {"percent": share(line["minutes"], line["able"])}


def by_centre(_user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Each work centre over the whole span."""
    for name, line in _load(params, lambda centre, _day: centre.name):
        yield _hours(line) | {
            "label": name,
            "link": _BY_CENTRE.link(params, {"work_centre__name": name}) if line["minutes"] else "",
        }


def by_month(_user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """All work centres together, month by month."""
    for month, line in sorted(_load(params, lambda _centre, day: day.replace(day=1))):
        yield (
            _hours(line)
            | month_shown({"month": month})
            | {"link": _BY_MONTH.link(params, {"month": month}) if line["minutes"] else ""}
        )


_USED = (
    Column("able_hours", _("Hours there are"), "number"),
    Column("minutes_hours", _("Hours booked"), "number"),
    Column("minutes", _("Minutes booked"), "count"),
    Column("over_hours", _("Hours above capacity"), "number"),
    Column("percent", _("Used %"), "percent"),
)

CAPACITY = register(
    Report(
        key="capacity",
        title=_("Capacity"),
        summary=_("How much of the working time of the work centres is booked, by centre and by month."),
        form=SpanForm,
        also=("fulfilment.view_capacity",),
        compares=False,
        sections=(
            Section(
                "by_centre", _("By work centre"), (Column("label", _("Work centre")), *_USED), by_centre, "label", "percent",
                group=_BY_CENTRE,
            ),
            Section(
                "by_month", _("By month"), (Column("label", _("Month")), *_USED), by_month, "label", "percent", "line",
                group=_BY_MONTH,
            ),
        ),
    )
)  # fmt: skip
