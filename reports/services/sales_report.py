"""REP-2: what was sold, by year, month, category, product and customer, and what of it is paid."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django.db.models import Count, F, QuerySet, Sum
from django.db.models.functions import ExtractYear, TruncMonth
from django.utils.translation import gettext_lazy as _

from orders.models import Order, OrderLine

from .definitions import Column, Report, Row, Section, register
from .filtering import AMOUNTS, SOLD, month_bounds, order_list, period, sold_in, year_bounds
from .parameters import SalesForm

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_MONEY = (
    Column("currency", _("Currency")),
    Column("count", _("Orders"), "count"),
    Column("net", _("Net"), "amount"),
    Column("gross", _("Including tax"), "amount"),
    Column("cost", _("Cost"), "amount", permission="orders.view_cost"),
    Column("margin", _("Margin"), "amount", permission="orders.view_cost"),
)
_LINES = (
    Column("currency", _("Currency")),
    Column("count", _("Lines"), "count"),
    Column("net", _("Net"), "amount"),
)
_CUSTOMER = (
    Column("customer__number", _("Number")),
    Column("customer_name", _("Customer")),
    Column("currency", _("Currency")),
    Column("count", _("Orders"), "count"),
    Column("ordered", _("Ordered"), "amount"),
    Column("invoiced", _("Invoiced"), "amount"),
    Column("paid", _("Paid"), "amount"),
    Column("outstanding", _("Ordered and not paid"), "amount"),
)


def _orders(user: "User", params: dict[str, Any]) -> QuerySet[Order]:
    orders = sold_in(user, params)
    if category := params.get("category"):
        lines = OrderLine.objects.filter(product__category__name__icontains=category)
        orders = orders.filter(pk__in=lines.values("order_id"))
    return orders


def _grouped(user: "User", params: dict[str, Any], group: str, **annotations: Any) -> Iterator[Row]:
    figures = {name: AMOUNTS[name] for name in ("count", "net", "gross", "cost")}
    rows = _orders(user, params).annotate(**annotations).values(group, "currency")
    yield from rows.annotate(**figures, margin=Sum(F("net_total") - F("cost_total"))).order_by(group, "currency")


def by_year(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Sales per year of the order date."""
    for row in _grouped(user, params, "year", year=ExtractYear("order_date")):
        yield row | {"link": order_list(params, row, *year_bounds(row["year"]), states=SOLD)}


def by_month(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Sales per month of the order date."""
    for row in _grouped(user, params, "month", month=TruncMonth("order_date")):
        bounds = month_bounds(row["month"])
        yield row | {"month": f"{row['month']:%Y-%m}", "link": order_list(params, row, *bounds, states=SOLD)}


def _lines(user: "User", params: dict[str, Any], *group: str) -> Any:
    lines = OrderLine.objects.filter(period(params, "order__"), order__in=Order.objects.visible_to(user)).exclude(
        order__state__in=[Order.State.DRAFT, Order.State.CANCELLED]
    )
    if category := params.get("category"):
        lines = lines.filter(product__category__name__icontains=category)
    rows = lines.order_by().annotate(currency=F("order__currency")).values(*group, "currency")
    return rows.annotate(count=Count("pk"), net=Sum("net"))


def by_category(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Line values per product category."""
    for row in _lines(user, params, "product__category__name").order_by("-net"):
        yield row | {"category": row["product__category__name"] or str(_("No category"))}


def by_product(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Line values per product, the largest first."""
    for row in _lines(user, params, "product__sku", "product__name").order_by("-net", "product__sku"):
        sku = row["product__sku"]
        yield row | {"link": order_list(params, row, states=SOLD, product=sku) if sku else ""}


def by_customer(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Ordered, invoiced and paid per customer, those who owe most first."""
    rows = _orders(user, params).values("customer__number", "customer__name", "currency")
    figures = {
        "count": Count("pk"),
        "ordered": Sum("gross_total"),
        "invoiced": Sum("invoiced_total"),
        "paid": Sum("paid_total"),
    }
    owed = Sum(F("gross_total") - F("paid_total"))
    ranked = rows.annotate(**figures, outstanding=owed).order_by("-outstanding", "customer__number")
    for row in ranked:
        link = order_list(params, row, states=SOLD, customer_key=row["customer__number"])
        yield row | {"customer_name": row["customer__name"], "link": link}


SALES = register(
    Report(
        key="sales",
        title=_("Sales"),
        summary=_("Orders placed and not cancelled, by time, product and customer, and what of them is paid."),
        form=SalesForm,
        sections=(
            Section("by_year", _("By year"), (Column("year", _("Year"), "year"), *_MONEY), by_year, "year", "net"),
            Section(
                "by_month", _("By month"), (Column("month", _("Month")), *_MONEY), by_month, "month", "net", "line"
            ),
            Section(
                "by_category",
                _("By category"),
                (Column("category", _("Category")), *_LINES),
                by_category,
                "category",
                "net",
            ),
            Section(
                "by_product",
                _("By product"),
                (Column("product__sku", _("SKU")), Column("product__name", _("Product")), *_LINES),
                by_product,
                "product__name",
                "net",
            ),
            Section("by_customer", _("By customer"), _CUSTOMER, by_customer, "customer_name", "outstanding"),
        ),
    )
)
