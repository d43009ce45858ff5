"""What inventory shows on the start page and offers in the palette."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import Product, PurchaseLine, PurchaseOrder, StockAdjustment, Supplier
from inventory.services import paper_blocked, paper_key, paper_of, purchase_mails, supplier_record
from ordermgmt.activity.models import Job
from ordermgmt.activity.services import register_root
from ordermgmt.company.services import business_today
from ordermgmt.lib.palette import Hit, command, provider
from ordermgmt.lib.panels import Panel, register

#: So many rows of a queue are shown on the start page.
SHOWN = 6
#: So many days ahead the warehouse sees what comes.
_SOON = 3


def _shortages(request: Any, _nothing: Any) -> dict[str, Any] | None:
    rows = list(Product.objects.visible_to(request.user).short().select_related("unit").order_by("sku")[: SHOWN + 1])
    return {"rows": rows[:SHOWN], "more": len(rows) > SHOWN} if rows else None


def _adjustments(request: Any, _nothing: Any) -> dict[str, Any] | None:
    waiting = StockAdjustment.objects.visible_to(request.user).pending().exclude(requested_by=request.user)
    rows = list(waiting.select_related("stock_item__product__unit", "stock_item__warehouse", "requested_by")[:SHOWN])
    return {"rows": rows} if rows else None


register(
    Panel(
        "home", "shortages", _("Running short"), "inventory/_home_shortages.html", _shortages, slot="side", order=40,
        permission="inventory.receive_stock",
    )
)  # fmt: skip
register(
    Panel(
        "home", "adjustments", _("Stock corrections to decide"), "inventory/_home_adjustments.html", _adjustments,
        order=30, permission="inventory.approve_adjustment",
    )
)  # fmt: skip


def _record(_request: Any, supplier: Supplier) -> dict[str, Any]:
    awaited = PurchaseLine.objects.awaited().filter(order__supplier=supplier)
    return {
        "supplier": supplier, "record": supplier_record(supplier.pk), "open": awaited.count(),
        "late": awaited.filter(promised_on__lt=business_today()).count(),
    }  # fmt: skip


def _late(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """What suppliers owe since before today, the longest first."""
    today = business_today()
    awaited = PurchaseLine.objects.awaited().filter(promised_on__lt=today).select_related("order__supplier", "product")
    rows = [(line, line.days_over(today)) for line in awaited.order_by("promised_on", "pk")[:SHOWN]]
    return {"rows": rows} if rows else None


register(
    Panel("inventory.supplier", "record", _("Promised against actual"), "inventory/_supplier_record.html", _record,
          slot="side", order=10, permission="inventory.view_purchase")
)  # fmt: skip
register(
    Panel("home", "late-purchases", _("Late from suppliers"), "inventory/_home_late.html", _late, slot="side", order=35,
          permission="inventory.order_purchase")
)  # fmt: skip


def _arriving(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """What suppliers promised for the next days or for earlier, the first first: it is to be received."""
    today = business_today()
    rows = PurchaseLine.objects.awaited().filter(promised_on__lte=today + dt.timedelta(days=_SOON))
    found = list(rows.select_related("order__supplier", "product").order_by("promised_on", "pk")[: SHOWN + 1])
    return {"lines": found[:SHOWN], "more": len(found) > SHOWN, "today": today} if found else None


register(
    Panel("home", "arriving", _("To receive"), "inventory/_home_arriving.html", _arriving, order=9,
          permission="inventory.receive_stock")
)  # fmt: skip


def _find(user: Any, text: str, limit: int) -> Iterable[Hit]:
    found = Product.objects.visible_to(user).filter(search_text__found=text).order_by("sku")[:limit]
    return [Hit(product.sku, product.get_absolute_url(), product.name) for product in found]


provider("products", _("Products"), _find, "inventory.view_product")
command(_("Products"), "/inventory/products/", "inventory.view_product", "products 产品 商品")
command(_("New product"), "/inventory/products/new/", "inventory.edit_product", "new product 新建产品")
command(_("Stock"), "/inventory/stock/", "inventory.view_stock", "stock 库存")
command(_("Shortage list"), "/inventory/shortages/", "inventory.view_stock", "shortage reorder 缺料")
command(_("Count stock"), "/inventory/warehouses/", "inventory.adjust_stock", "count 盘点")
command(_("Stock corrections"), "/inventory/adjustments/", "inventory.view_stock", "adjustments 调整")
command(_("Purchase orders"), "/inventory/purchases/", "inventory.view_purchase", "purchase orders 采购")
command(_("New purchase order"), "/inventory/purchases/new/", "inventory.order_purchase", "new purchase 新建采购")
command(_("Suppliers"), "/inventory/suppliers/", "inventory.view_supplier", "suppliers 供应商")

register_root(
    Product,
    url=Product.get_absolute_url,
    visible=Product.objects.visible_to,
    name=_("product"),
)
register_root(
    PurchaseOrder,
    url=PurchaseOrder.get_absolute_url,
    visible=PurchaseOrder.objects.visible_to,
    name=_("purchase order"),
)


def _paper(request: Any, order: PurchaseOrder) -> dict[str, Any] | None:
    """The document that the supplier gets, and the mails that brought it."""
    if paper_blocked(order):
        return None
    paper = paper_of(order)
    return {
        "order": order, "paper": paper if request.user.has_perm("inventory.view_cost") else None,
        "job": None if paper else Job.objects.filter(key=paper_key(order)).first(), "mails": purchase_mails(order),
        "may_send": request.user.has_perm("inventory.order_purchase"),
    }  # fmt: skip


register(
    Panel(
        "inventory.purchase", "paper", _("Document"), "inventory/_purchase_paper.html", _paper, order=1,
        permission="inventory.view_cost",
    )
)  # fmt: skip
