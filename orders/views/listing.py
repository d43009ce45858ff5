"""The order list."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from ordermgmt.company.services import business_today
from ordermgmt.lib.tables import Column, ListView
from orders.actions import ORDER_ACTIONS
from orders.filters import OrderFilter
from orders.models import Order


def _state(order: Order) -> str:
    return order.state_label


class OrderListView(ListView):
    """Every order the reader may see; filters, views, columns, bulk verbs and export."""

    key = "orders"
    title = _("Orders")
    permission = "orders.view_order"
    filterset_class = OrderFilter
    default_sort = "-order_date"
    new_url = "/orders/new/"
    new_label = _("New order")
    new_permission = "orders.create_order"
    actions = ORDER_ACTIONS
    empty_text = _("No order matches. Take a filter away, or enter a new order.")
    columns: ClassVar[list[Column]] = [
        Column("number", _("Number")),
        Column("customer", _("Customer"), path="customer_name"),
        Column("state", _("State"), kind="badge"),
        Column("order_date", _("Ordered"), kind="date"),
        Column("promised_date", _("Promised"), kind="date", nullable=True),
        Column("total", _("Total"), path="gross_total", kind="amount", permission="orders.view_price"),
        Column("owner", _("Salesperson"), path="owner.name", sortable=False),
        Column("project_manager", _("Project manager"), path="project_manager.name", sortable=False, default=False),
        Column("reference", _("Customer's order number"), path="customer_reference", sortable=False, default=False),
        Column("on_hold", _("On hold"), kind="bool", sortable=False, default=False),
        Column(
            "invoiced", _("Invoiced"), path="invoiced_total", kind="amount", sortable=False, default=False,
            permission="orders.view_price",
        ),
        Column(
            "paid", _("Paid"), path="paid_total", kind="amount", sortable=False, default=False,
            permission="orders.view_price",
        ),
        Column(
            "cost", _("Cost"), path="cost_total", kind="amount", sortable=False, default=False,
            permission="orders.view_cost",
        ),
    ]  # fmt: skip

    def queryset(self) -> QuerySet[Order]:
        orders = Order.objects.visible_to(self.request.user)
        return orders.select_related("owner", "project_manager").defer("search_text", "note", "terms")

    def context(self) -> dict[str, Any]:
        return {"today": business_today()}
