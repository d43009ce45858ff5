"""REP-6: deliveries promised and made, what customers sent back, and what may go wrong."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import TruncDate, TruncMonth
from django.utils.translation import gettext_lazy as _

from fulfilment.models import AcceptanceLine, Rectification, Risk
from ordermgmt.company.services import business_today
from orders.models import Order

from .definitions import Column, Report, Row, Section, register
from .filtering import period, sold_in
from .parameters import PeriodForm

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def share(part: int, whole: int) -> Decimal | None:
    """Percent, to one decimal; None of nothing."""
    return (Decimal(part) * 100 / whole).quantize(Decimal("0.1")) if whole else None


def promised(user: "User", params: dict[str, Any]) -> Any:
    """Orders with a promised date, with the day of their last shipment."""
    return (
        sold_in(user, params).exclude(promised_date=None).annotate(shipped_on=Max(TruncDate("shipments__shipped_at")))
    )


def _is_late(order: dict[str, Any], today: Any) -> bool:
    open_states = (Order.State.PLACED, Order.State.IN_PRODUCTION)
    came = today if order["state"] in open_states else order["shipped_on"]
    return came is not None and came > order["promised_date"]


def on_time(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Promised per month of the promise: shipped in time, late, still to come."""
    today = business_today()
    months: dict[Any, dict[str, int]] = defaultdict(lambda: {"count": 0, "in_time": 0, "late": 0, "coming": 0})
    for order in promised(user, params).values("promised_date", "shipped_on", "state").iterator():
        line = months[order["promised_date"].replace(day=1)]
        line["count"] += 1
        open_yet = order["state"] in (Order.State.PLACED, Order.State.IN_PRODUCTION)
        line["late" if _is_late(order, today) else "coming" if open_yet else "in_time"] += 1
    for month, line in sorted(months.items()):
        settled = line["in_time"] + line["late"]
        yield line | {"month": f"{month:%Y-%m}", "percent": share(line["in_time"], settled)}


def late_orders(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Each order that was or is late, the latest first."""
    today = business_today()
    names = ("number", "customer_name", "state", "promised_date", "shipped_on")
    late = [order for order in promised(user, params).values(*names) if _is_late(order, today)]
    labels = dict(Order.State.choices)
    for order in late:
        open_yet = order["state"] in (Order.State.PLACED, Order.State.IN_PRODUCTION)
        order["days"] = ((today if open_yet else order["shipped_on"]) - order["promised_date"]).days
    for order in sorted(late, key=lambda row: (-row["days"], row["number"])):
        state = str(labels[order["state"]])
        yield order | {"state": state, "count": 1, "link": f"/orders/{order['number']}/"}


DELIVERY = register(
    Report(
        key="delivery",
        title=_("Delivery"),
        summary=_("Promised and actual: how many orders left in time, which are late, and by how many days."),
        form=PeriodForm,
        sections=(
            Section(
                "on_time",
                _("By month of the promise"),
                (
                    Column("month", _("Month")),
                    Column("count", _("Orders"), "count"),
                    Column("in_time", _("In time"), "count"),
                    Column("late", _("Late"), "count"),
                    Column("coming", _("Still to come"), "count"),
                    Column("percent", _("In time %"), "percent"),
                ),
                on_time,
                "month",
                "late",
            ),
            Section(
                "late",
                _("Late orders"),
                (
                    Column("number", _("Order")),
                    Column("customer_name", _("Customer")),
                    Column("state", _("State")),
                    Column("promised_date", _("Promised"), "date"),
                    Column("shipped_on", _("Shipped"), "date"),
                    Column("days", _("Days late"), "number"),
                    Column("count", _("Orders"), "count"),
                ),
                late_orders,
                "number",
                "days",
            ),
        ),
    )
)


def first_round(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Orders per month of their first acceptance, and how many of them passed it whole."""
    lines = AcceptanceLine.objects.filter(
        period(params, "acceptance__order__"), acceptance__order__in=Order.objects.visible_to(user), acceptance__round=1
    )
    rows = lines.order_by().annotate(month=TruncMonth("acceptance__on")).values("month")
    found = rows.annotate(
        count=Count("acceptance__order", distinct=True),
        failed=Count("acceptance__order", distinct=True, filter=Q(rejected__gt=0)),
    )
    for row in found.order_by("month"):
        passed = row["count"] - row["failed"]
        yield row | {"month": f"{row['month']:%Y-%m}", "passed": passed, "percent": share(passed, row["count"])}


def defects(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Rejections by what was wrong, and what putting them right cost, where the line has a cost."""
    found = Rectification.objects.filter(period(params, "order__"), order__in=Order.objects.visible_to(user))
    rows = found.order_by().annotate(currency=F("order__currency")).values("reason", "currency")
    done = Q(state=Rectification.State.DONE) & ~Q(remedy=Rectification.Remedy.CONCESSION)
    cost = Sum(F("quantity") * F("order_line__unit_cost"), filter=done)
    for row in rows.annotate(count=Count("pk"), cost=cost).order_by("-count", "reason"):
        yield dict(row)


QUALITY = register(
    Report(
        key="quality",
        title=_("Quality"),
        summary=_("Orders accepted in the first round, and what was rejected, by cause, with what it cost."),
        form=PeriodForm,
        sections=(
            Section(
                "first_round",
                _("Accepted in the first round"),
                (
                    Column("month", _("Month")),
                    Column("count", _("Orders examined"), "count"),
                    Column("passed", _("Accepted whole"), "count"),
                    Column("failed", _("With rejections"), "count"),
                    Column("percent", _("Accepted whole %"), "percent"),
                ),
                first_round,
                "month",
                "passed",
            ),
            Section(
                "defects",
                _("Rejections by cause"),
                (
                    Column("reason", _("Cause")),
                    Column("currency", _("Currency")),
                    Column("count", _("Rejections"), "count"),
                    Column("cost", _("Cost of rework"), "amount", "orders.view_cost"),
                ),
                defects,
                "reason",
                "count",
            ),
        ),
    )
)


def by_category(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Risks per category: open, happened, and what they cost."""
    found = Risk.objects.visible_to(user).filter(period(params, "order__"))
    rows = found.order_by().annotate(currency=F("order__currency")).values("category", "currency")
    labels = dict(Risk.Category.choices)
    figures = {
        "count": Count("pk"),
        "open": Count("pk", filter=Q(state=Risk.State.OPEN)),
        "grave": Count("pk", filter=Q(state=Risk.State.OPEN, probability__gte=4, impact__gte=4)),
        "happened": Count("pk", filter=Q(state=Risk.State.HAPPENED)),
        "days": Sum("days"),
        "cost": Sum("cost"),
    }
    for row in rows.annotate(**figures).order_by("category", "currency"):
        link = f"/fulfilment/risks/?category={row['category']}" if user.has_perm("fulfilment.manage_risk") else ""
        yield row | {"label": str(labels[row["category"]]), "link": link}


def orders_at_risk(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Orders with open risks, the heaviest first."""
    found = Risk.objects.visible_to(user).open().filter(period(params, "order__")).order_by()
    rows = found.values("order__number", "order__customer_name")
    scored = rows.annotate(count=Count("pk"), worst=Max(F("probability") * F("impact")))
    for row in scored.order_by("-worst", "order__number"):
        yield row | {"link": f"/orders/{row['order__number']}/"}


RISKS = register(
    Report(
        key="risks",
        title=_("Risks"),
        summary=_("Risks of orders by category: what is open, what happened, what it cost."),
        form=PeriodForm,
        sections=(
            Section(
                "by_category",
                _("By category"),
                (
                    Column("label", _("Category")),
                    Column("currency", _("Currency")),
                    Column("count", _("Risks"), "count"),
                    Column("open", _("Open"), "count"),
                    Column("grave", _("Grave and open"), "count"),
                    Column("happened", _("Happened"), "count"),
                    Column("days", _("Days lost"), "count"),
                    Column("cost", _("Cost"), "amount", "orders.view_cost"),
                ),
                by_category,
                "label",
                "open",
            ),
            Section(
                "orders",
                _("Orders with open risks"),
                (
                    Column("order__number", _("Order")),
                    Column("order__customer_name", _("Customer")),
                    Column("count", _("Open"), "count"),
                    Column("worst", _("Highest score"), "number"),
                ),
                orders_at_risk,
                "order__number",
                "worst",
            ),
        ),
    )
)
