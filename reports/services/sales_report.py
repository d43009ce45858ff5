"""REP-2: what was sold, by time, region, category, product, customer, channel and seller; discounts; what of it is paid."""

from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from .definitions import Column, Report, Row, grouped, register
from .facts import Group
from .filtering import channel_shown, month_shown, named
from .order_facts import COST, LINES, SALES_ORDERS
from .parameters import SalesForm

_CURRENCY = Column("currency", _("Currency"))
_EARNED = (Column("cost", _("Cost"), "amount", COST), Column("margin", _("Margin"), "amount", COST))
_MONEY = (
    _CURRENCY,
    Column("count", _("Orders"), "count"),
    Column("net", _("Net"), "amount"),
    Column("gross", _("Including tax"), "amount"),
    *_EARNED,
)
#: before - discount + rounding = net
_LINES = (
    _CURRENCY,
    Column("count", _("Lines"), "count"),
    Column("before", _("Before discounts"), "amount"),
    Column("discount", _("Discounts"), "amount"),
    Column("rounding", _("Rounding"), "amount"),
    Column("net", _("Net"), "amount"),
    *_EARNED,
)
_CUSTOMER = (
    Column("customer__number", _("Number")),
    Column("label", _("Customer")),
    _CURRENCY,
    Column("count", _("Orders"), "count"),
    Column("net", _("Net"), "amount"),
    Column("gross", _("Ordered"), "amount"),
    Column("invoiced", _("Invoiced"), "amount"),
    Column("paid", _("Paid"), "amount"),
    Column("outstanding", _("Ordered and not paid"), "amount"),
    Column("margin", _("Margin"), "amount", COST),
)


def _by(key: str, *by: str, facts: Any = SALES_ORDERS, order: tuple[str, ...] = (), show: Any = None) -> Group:
    return Group(f"sales/{key}", facts, by, order, show)


def _new_shown(row: Row) -> Row:
    word = _now("new customers") if row["is_new"] else _now("returning customers")
    return {"label": f"{row['year']} {word}"}


SALES = register(
    Report(
        key="sales",
        title=_("Sales"),
        summary=_(
            "Orders placed and not cancelled, by time, region, category, product, customer, channel and salesperson: "
            "before and after discounts, from new and returning customers, and what of them is paid."
        ),
        form=SalesForm,
        also=("orders.view_price",),
        sections=(
            grouped(
                "by_year", _("By year"), _by("by_year", "year"),
                (Column("year", _("Year"), "year"), *_MONEY), chart="net", label_key="year",
            ),
            grouped(
                "by_month", _("By month"), _by("by_month", "month", show=lambda row: {"month": f"{row['month']:%Y-%m}"}),
                (Column("month", _("Month")), *_MONEY), chart="net", chart_kind="line", label_key="month",
            ),
            grouped(
                "discounts", _("Discounts by month"), _by("discounts", "month", facts=LINES, show=month_shown),
                (Column("label", _("Month")), *_LINES), chart="discount", chart_kind="line", dated=False,
            ),
            grouped(
                "new_customers", _("New and returning customers"), _by("new_customers", "year", "is_new", show=_new_shown),
                (Column("label", _("Customers")), *_MONEY), chart="net",
            ),
            grouped(
                "by_region", _("By region"), _by("by_region", "region", order=("-net",), show=named("region", _("No region"))),
                (Column("label", _("Region")), *_MONEY), chart="net",
            ),
            grouped(
                "by_group", _("By product group"),
                _by("by_group", "top", facts=LINES, order=("-net", "top"), show=named("top", _("No category"))),
                (Column("label", _("Product group")), *_LINES), chart="net", dated=False,
            ),
            grouped(
                "by_category", _("By category"),
                _by("by_category", "category", facts=LINES, order=("-net", "category"), show=named("category", _("No category"))),
                (Column("label", _("Category")), *_LINES), chart="net", dated=False,
            ),
            grouped(
                "by_product", _("By product"),
                _by("by_product", "product__sku", "product__name", facts=LINES, order=("-net", "product__sku"),
                    show=named("product__name", _("Without a product"))),
                (Column("product__sku", _("SKU")), Column("label", _("Product")), *_LINES), chart="net", dated=False,
            ),
            grouped(
                "by_channel", _("By channel"), _by("by_channel", "channel", order=("-net",), show=channel_shown),
                (Column("label", _("Channel")), *_MONEY), chart="net",
            ),
            grouped(
                "by_owner", _("By salesperson"),
                _by("by_owner", "owner_id", "owner__name", order=("-net", "owner__name"), show=named("owner__name", _("Nobody"))),
                (Column("label", _("Salesperson")), *_MONEY), chart="net",
            ),
            grouped(
                "by_customer", _("By customer"),
                _by("by_customer", "customer__number", "customer__name", order=("-outstanding", "customer__number"),
                    show=named("customer__name", "")),
                _CUSTOMER, chart="outstanding", dated=False,
            ),
        ),
    )
)  # fmt: skip
