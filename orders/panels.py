"""Boxes on the pages of customers and products, and what the palette finds."""

from collections.abc import Iterable
from typing import Any

from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.services import register_root
from ordermgmt.company.services import business_today
from ordermgmt.lib.palette import Hit, command, provider
from ordermgmt.lib.panels import Panel, register
from orders.models import Order

SHOWN = 8


register_root(
    Order,
    url=Order.get_absolute_url,
    visible=lambda user: Order.objects.visible_to(user),
    name=_("order"),
    audience=lambda order: [one for one in (order.owner, order.project_manager) if one],
)


def _customer_orders(request: Any, customer: Any) -> dict[str, Any]:
    orders = list(
        Order.objects.visible_to(request.user).filter(customer=customer).order_by("-order_date", "-pk")[:SHOWN]
    )
    return {
        "orders": orders,
        "customer": customer,
        "sees_prices": request.user.has_perm("orders.view_price"),
        "may_create": customer.is_active and request.user.has_perm("orders.create_order"),
    }


def _product_orders(request: Any, product: Any) -> dict[str, Any]:
    orders = Order.objects.visible_to(request.user).filter(lines__product=product)
    return {
        "orders": list(orders.distinct().order_by("-order_date", "-pk")[:SHOWN]),
        "sees_prices": request.user.has_perm("orders.view_price"),
        "product": product,
    }


register(
    Panel(
        "customers.customer", "orders", _("Orders"), "orders/_orders_panel.html", _customer_orders, order=10,
        permission="orders.view_order",
    )
)  # fmt: skip
register(
    Panel(
        "inventory.product", "orders", _("Orders"), "orders/_orders_panel.html", _product_orders, order=50,
        permission="orders.view_order",
    )
)  # fmt: skip


def _queue(name: str, title: Any, *, permission: str, query: str, order: int, chosen: Any) -> None:
    """A work queue on the start page: a handful of orders and the way to all of them."""

    def context(request: Any, _instance: Any) -> dict[str, Any] | None:
        mine = chosen(Order.objects.visible_to(request.user), request.user)
        orders = list(mine.order_by("-order_date", "-pk")[: SHOWN + 1])
        if not orders:
            return None
        sees = request.user.has_perm("orders.view_price")
        return {"orders": orders[:SHOWN], "query": query, "more": len(orders) > SHOWN, "sees_prices": sees}

    register(Panel("home", name, title, "orders/_orders_panel.html", context, order=order, permission=permission))


_queue(
    "orders-drafts", _("My drafts"), permission="orders.create_order", query="state=draft", order=10,
    chosen=lambda orders, user: orders.filter(state="draft", owner=user),
)  # fmt: skip
_queue(
    "orders-approval", _("Waiting for an approval"), permission="orders.approve_order", query="state=draft", order=5,
    chosen=lambda orders, _user: orders.filter(state="draft", approvals__state="asked").distinct(),
)  # fmt: skip
_queue(
    "orders-to-start", _("Placed, waiting for the start"), permission="orders.start_order", query="state=placed",
    order=12, chosen=lambda orders, _user: orders.filter(state="placed"),
)  # fmt: skip
_queue(
    "orders-late", _("Late"), permission="orders.view_order", query="late=yes", order=20,
    chosen=lambda orders, _user: orders.late(business_today()),
)  # fmt: skip
_queue(
    "orders-held", _("On hold"), permission="orders.view_order", query="on_hold=yes", order=30,
    chosen=lambda orders, _user: orders.filter(on_hold=True),
)  # fmt: skip


def _search(user: Any, text: str, limit: int) -> Iterable[Hit]:
    found = Order.objects.visible_to(user).filter(search_text__found=text).order_by("-order_date", "-pk")
    for order in found.only("number", "customer_name", "state", "kind", "is_stock_only")[:limit]:
        yield Hit(order.number, order.get_absolute_url(), f"{order.customer_name} · {order.state_label}")


provider("orders", _("Orders"), _search, "orders.view_order")
command(_("Orders"), "/orders/", "orders.view_order", "orders list 订单")
command(_("New order"), "/orders/new/", "orders.create_order", "new order create 新建 订单")
command(_("Order templates"), "/orders/templates/", "orders.create_order", "template 模板")
command(_("Late orders"), "/orders/?late=yes", "orders.view_order", "late overdue 逾期")
command(_("Orders on hold"), "/orders/?on_hold=yes", "orders.view_order", "hold 暂停")
