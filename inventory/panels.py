"""What inventory shows on the start page and offers in the palette."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from inventory.models import Product, StockAdjustment
from ordermgmt.activity.services import register_root
from ordermgmt.lib.palette import Hit, command, provider
from ordermgmt.lib.panels import Panel, register

#: So many rows of a queue are shown on the start page.
SHOWN = 6


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
command(_("Suppliers"), "/inventory/suppliers/", "inventory.view_supplier", "suppliers 供应商")

register_root(
    Product,
    url=Product.get_absolute_url,
    visible=Product.objects.visible_to,
    name=_("product"),
)
