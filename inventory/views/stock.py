"""Stock: what lies where, what runs short, counting, and corrections that wait."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Greatest
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.http import require_POST

from inventory.actions import ADJUSTMENT_ACTIONS
from inventory.filters import AdjustmentFilter, ProductFilter, StockFilter
from inventory.forms import fresh_key
from inventory.models import Product, PurchaseLine, StockAdjustment, StockItem, Warehouse
from inventory.services import Counted, count_stock, plain, purchase_shortages
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import ZERO, QuantityField
from ordermgmt.lib.tables import Column, ListView
from ordermgmt.lib.typed import decimal

#: So many rows stand on one count sheet.
SHEET = 100
#: Products ordered at once from the shortage list.
MOST_NEEDS = 500


class StockList(ListView):
    """On hand, reserved and free per product and warehouse."""

    key = "inventory.stock"
    title = gettext_lazy("Stock")
    permission = "inventory.view_stock"
    filterset_class = StockFilter
    default_sort = "sku"
    template = "inventory/stock_list.html"
    empty_text = gettext_lazy("Receive goods on a product's page, or take a filter away.")
    columns = [
        Column("sku", gettext_lazy("SKU"), path="product.sku"),
        Column("name", gettext_lazy("Name"), path="product.name"),
        Column("warehouse", gettext_lazy("Warehouse"), path="warehouse.name"),
        Column("on_hand", gettext_lazy("On hand"), kind="quantity"),
        Column("reserved", gettext_lazy("Reserved"), kind="quantity"),
        Column("free", gettext_lazy("Free"), kind="quantity"),
        Column("unit", gettext_lazy("Unit"), path="product.unit.code"),
        Column("reorder_point", gettext_lazy("Reorder point"), path="product.reorder_point", kind="quantity"),
        Column("counted_at", gettext_lazy("Last counted"), kind="datetime", nullable=True, default=False),
    ]

    def queryset(self) -> QuerySet[StockItem]:
        return StockItem.objects.visible_to(self.request.user).select_related("product__unit", "warehouse")

    def row_url(self, row: StockItem) -> str:
        return row.product.get_absolute_url()

    def context(self) -> dict[str, Any]:
        return {"warehouses": list(Warehouse.objects.filter(is_active=True))}


class ShortageList(ListView):
    """Products whose free stock is below the reorder point or what open orders still need."""

    key = "inventory.shortages"
    title = gettext_lazy("Shortage list")
    permission = "inventory.view_stock"
    filterset_class = ProductFilter
    default_sort = "sku"
    template = "inventory/shortage_list.html"
    empty_text = gettext_lazy("Nothing runs short.")
    columns = [
        Column("sku", gettext_lazy("SKU")),
        Column("name", gettext_lazy("Name")),
        Column("on_hand", gettext_lazy("On hand"), kind="quantity", sortable=False),
        Column("reserved", gettext_lazy("Reserved"), kind="quantity", sortable=False),
        Column("free", gettext_lazy("Free"), kind="quantity", sortable=False),
        Column("reorder_point", gettext_lazy("Reorder point"), kind="quantity"),
        Column("demand", gettext_lazy("Open demand"), kind="quantity", sortable=False),
        Column("way", gettext_lazy("On its way"), kind="quantity", sortable=False),
        Column("missing", gettext_lazy("To order"), kind="quantity", sortable=False),
        Column("unit", gettext_lazy("Unit"), path="unit.code"),
        Column("lead_days", gettext_lazy("Lead time in days"), kind="count"),
    ]

    def queryset(self) -> QuerySet[Product]:
        return short_products(self.request.user).select_related("unit")

    def context(self) -> dict[str, Any]:
        return {"can_order": self.request.user.has_perm("inventory.order_purchase")}


def short_products(user: Any) -> QuerySet[Any]:
    """Products that run short, with the open `demand`, what is on its `way`, and what is `missing` to order."""
    owed = PurchaseLine.objects.planned().filter(product=OuterRef("pk")).order_by().values("product")
    way = Coalesce(Subquery(owed.annotate(sum=Sum("open")).values("sum")), ZERO, output_field=QuantityField())
    rows = Product.objects.visible_to(user).short().annotate(way=way)
    lacking = F("reorder_point") - F("free") + F("demand") - F("way")
    return rows.annotate(missing=Greatest(lacking, ZERO, output_field=QuantityField()))


@require_POST
def order_shortages(request: Request) -> HttpResponse:
    """Drafts purchase orders over all that is missing, one per supplier."""

    def missing() -> dict[int, Decimal]:
        rows = short_products(request.user).order_by("sku").values("pk", "missing")[:MOST_NEEDS]
        return {one["pk"]: one["missing"] for one in rows}

    orders, unpriced = purchase_shortages(missing, actor=request.user)
    for order in orders:
        messages.success(
            request, _("%(number)s to %(supplier)s is drafted.") % {"number": order.number, "supplier": order.supplier}
        )
    if unpriced:
        skus = ", ".join(one.sku for one in unpriced[:20])
        messages.warning(request, _("No supplier has a price for: %(skus)s.") % {"skus": skus})
    if not orders and not unpriced:
        messages.info(request, _("Nothing is missing that is not on its way."))
    return redirect("/inventory/purchases/?state=draft" if orders else "/inventory/shortages/")


class AdjustmentList(ListView):
    """Corrections of stock, those that wait first in a manager's mind."""

    key = "inventory.adjustments"
    title = gettext_lazy("Stock corrections")
    permission = "inventory.view_stock"
    filterset_class = AdjustmentFilter
    default_sort = "-pk"
    actions = ADJUSTMENT_ACTIONS
    empty_text = gettext_lazy("No correction was asked for.")
    columns = [
        Column("sku", gettext_lazy("SKU"), path="stock_item.product.sku"),
        Column("name", gettext_lazy("Name"), path="stock_item.product.name", sortable=False),
        Column("warehouse", gettext_lazy("Warehouse"), path="stock_item.warehouse.name", sortable=False),
        Column("quantity", gettext_lazy("Change"), kind="quantity"),
        Column("reason", gettext_lazy("Reason"), sortable=False),
        Column("note", gettext_lazy("Note"), sortable=False),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("requested_by", gettext_lazy("Asked by"), path="requested_by.name", sortable=False),
        Column("requested_at", gettext_lazy("Asked at"), kind="datetime"),
        Column("decided_by", gettext_lazy("Decided by"), path="decided_by.name", sortable=False),
        Column("decision_note", gettext_lazy("Decision"), sortable=False, default=False),
    ]

    def queryset(self) -> QuerySet[StockAdjustment]:
        rows = StockAdjustment.objects.visible_to(self.request.user)
        return rows.select_related("stock_item__product__unit", "stock_item__warehouse", "requested_by", "decided_by")

    def row_url(self, row: StockAdjustment) -> str:
        deciding = row.state == row.State.PENDING and self.request.user.has_perm("inventory.approve_adjustment")
        return f"/inventory/adjustments/{row.pk}/do/approve/" if deciding else row.stock_item.product.get_absolute_url()


class AdjustmentActionView(ActionView):
    """Approving and rejecting."""

    actions = ADJUSTMENT_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[StockAdjustment]:
        rows = StockAdjustment.objects.visible_to(self.request.user)
        return rows.select_related("stock_item__product__unit", "stock_item__warehouse", "requested_by")

    def back(self, instance: StockAdjustment) -> str:
        return "/inventory/adjustments/?state=pending"


@dataclass
class Row:
    """One row of a count sheet: what stands there, what was typed, what came of it."""

    item: StockItem
    typed: str = ""
    error: str = ""
    result: str = ""


class CountSheet(View):
    """The count sheet of a warehouse: type what lies there, go on with Tab, send once. Each row stands for itself."""

    request: Request

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.request.user.has_perm("inventory.adjust_stock"):
            raise PermissionDenied
        self.warehouse = get_object_or_404(Warehouse, code=kwargs["code"], is_active=True)
        return super().dispatch(request, *args, **kwargs)

    def items(self) -> list[StockItem]:
        """The rows of the sheet, from the SKU in the address on."""
        after, text = self.request.GET.get("after", ""), self.request.GET.get("q", "")
        rows = StockItem.objects.visible_to(self.request.user).filter(
            warehouse=self.warehouse, product__search_text__found=text.replace("\x00", "")
        )
        if after:
            rows = rows.filter(product__sku__gt=after.replace("\x00", ""))
        return list(rows.select_related("product__unit", "warehouse").order_by("product__sku")[: SHEET + 1])

    def get(self, request: Request, code: str) -> HttpResponse:
        return self.show([Row(item) for item in self.items()], fresh_key())

    def post(self, request: Request, code: str) -> HttpResponse:
        key = request.POST.get("key", "").replace("\x00", "")[:64] or fresh_key()
        rows = [Row(item, request.POST.get(f"counted_{item.pk}", "").strip()[:30]) for item in self.items()]
        for row in rows:
            if row.typed:
                self.count(row, key)
        done = sum(1 for row in rows if row.result)
        if any(row.error for row in rows):
            return self.show(rows, key, status=422)
        if not done:
            messages.warning(request, _("Nothing was typed."))
        for row in rows:
            if row.result:
                messages.success(request, f"{row.item.product.sku}: {row.result}")
        return redirect(request.get_full_path())

    def count(self, row: Row, key: str) -> None:
        """Books one row; what is wrong stands at it."""
        seen = self.request.POST.get(f"seen_{row.item.pk}", "")
        try:
            counted = count_stock(
                row.item.product, self.warehouse, _number(row.typed), seen=_number(seen) if seen else None,
                key=f"count:{key}:{row.item.pk}", actor=self.request.user,
            )  # fmt: skip
        except ValidationError as error:
            row.error = " ".join(error.messages)
        else:
            row.result = _result(counted)

    def show(self, rows: list[Row], key: str, status: int = 200) -> HttpResponse:
        more = rows[SHEET - 1].item.product.sku if len(rows) > SHEET else ""
        context = {"warehouse": self.warehouse, "rows": rows[:SHEET], "key": key, "more": more}
        return render(
            self.request, "inventory/count.html", context | {"q": self.request.GET.get("q", "")}, status=status
        )


def _number(text: str) -> Decimal:
    number = decimal(text)
    if number is None or abs(number) >= Decimal(10) ** 12:
        raise ValidationError(_("Enter a number."))
    return number


def _result(counted: Counted) -> str:
    if counted.adjustment is None:
        return _("as in the books")
    change = f"{'+' if counted.difference > 0 else ''}{plain(counted.difference)}"
    if counted.adjustment.state == StockAdjustment.State.PENDING:
        return _("%(change)s, waits for an approval") % {"change": change}
    return _("%(change)s, corrected") % {"change": change}
