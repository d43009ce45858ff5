"""What waits for the warehouse: orders to ship, goods to come, products that run short. No price stands in it."""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Count, F, Q
from django.db.models.functions import TruncWeek
from django.utils.translation import gettext_lazy as _

from inventory.models import Product, PurchaseLine, PurchaseOrder
from ordermgmt.company.services import business_today
from orders.models import Order

from .definitions import Column, Report, Row, Section, register

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


class StockForm(forms.Form):
    """Which products."""

    product = forms.CharField(
        label=_("Product"), required=False, max_length=100, help_text=_("A part of the product's number or name.")
    )


def _week(monday: dt.date) -> str:
    return f"{monday:%G-W%V}"


def to_ship(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Placed orders that are not shipped, by the week they are promised for."""
    today = business_today()
    open_yet = [Order.State.PLACED, Order.State.IN_PRODUCTION]
    found = Order.objects.visible_to(user).filter(state__in=open_yet, promised_date__isnull=False).order_by()
    if text := params.get("product"):
        found = found.filter(search_text__icontains=text)
    rows = found.annotate(week=TruncWeek("promised_date")).values("week")
    figures = {"count": Count("pk"), "late": Count("pk", filter=Q(promised_date__lt=today))}
    for row in rows.annotate(**figures).order_by("week"):
        last = row["week"] + dt.timedelta(days=6)
        link = f"/orders/?promised_from={row['week']}&promised_to={last}&state=placed&state=in_production"
        yield row | {"week": _week(row["week"]), "link": link}


def to_come(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Purchase orders that have not come in full, by the day they were promised for."""
    today = business_today()
    lines = PurchaseLine.objects.awaited().filter(order__in=PurchaseOrder.objects.visible_to(user))
    if text := params.get("product"):
        lines = lines.filter(product__search_text__icontains=text)
    rows = lines.order_by().values("order__number", "order__supplier__name", "promised_on")
    for row in rows.annotate(count=Count("pk")).order_by(F("promised_on").asc(nulls_last=True), "order__number"):
        promised = row["promised_on"]
        late = (today - promised).days if promised and promised < today else 0
        yield row | {"late": late, "link": f"/inventory/purchases/{row['order__number']}/"}


def short(user: "User", params: dict[str, Any]) -> Iterator[Row]:
    """Products whose free stock is below the reorder point or what open orders still need."""
    found: Any = Product.objects.visible_to(user).short()
    if text := params.get("product"):
        found = found.filter(search_text__icontains=text)
    for row in found.order_by("sku").values("sku", "name", "free", "demand", "reorder_point"):
        yield row | {"count": 1, "link": f"/inventory/products/{row['sku']}/"}


STOCK = register(
    Report(
        key="stock",
        title=_("Work of the warehouse"),
        summary=_("Orders to ship by week, purchases to come, and products that run short."),
        form=StockForm,
        permission="inventory.view_stock",
        compares=False,
        sections=(
            Section(
                "to_ship",
                _("Orders to ship"),
                (
                    Column("week", _("Week")),
                    Column("count", _("Orders"), "count"),
                    Column("late", _("Late"), "count"),
                ),
                to_ship,
                "week",
                "count",
            ),
            Section(
                "to_come",
                _("Purchases to come"),
                (
                    Column("order__number", _("Purchase order")),
                    Column("order__supplier__name", _("Supplier")),
                    Column("promised_on", _("Promised"), "date"),
                    Column("count", _("Lines"), "count"),
                    Column("late", _("Days late"), "number"),
                ),
                to_come,
                "order__number",
                "late",
            ),
            Section(
                "short",
                _("Products that run short"),
                (
                    Column("sku", _("SKU")),
                    Column("name", _("Product")),
                    Column("free", _("Free"), "number"),
                    Column("demand", _("Open demand"), "number"),
                    Column("reorder_point", _("Reorder point"), "number"),
                    Column("count", _("Products"), "count"),
                ),
                short,
                "sku",
                "demand",
            ),
        ),
    )
)
