"""What is to be fetched: over all orders that may be shipped, and for one of them on a page and on paper."""

from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.filters import PickFilter
from fulfilment.pdf import pick_list
from fulfilment.services import picks, to_pick
from inventory.models import Reservation
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order


class PickList(ListView):
    """Everything that is reserved for orders that may leave; no price stands here."""

    key = "fulfilment.picks"
    title = gettext_lazy("To be picked")
    permission = "fulfilment.ship_order"
    filterset_class = PickFilter
    default_sort = "warehouse"
    empty_text = gettext_lazy("Nothing is reserved for an order that may be shipped now.")
    columns = [
        Column("warehouse", gettext_lazy("Warehouse"), path="stock_item.warehouse.code"),
        Column("sku", gettext_lazy("Product"), path="stock_item.product.sku"),
        Column("product", gettext_lazy("What"), path="stock_item.product.name", sortable=False),
        Column("quantity", gettext_lazy("Quantity"), kind="quantity"),
        Column("unit", gettext_lazy("Unit"), path="stock_item.product.unit.code", sortable=False),
        Column("order", gettext_lazy("Order"), path="order_number", sortable=False),
        Column("customer", gettext_lazy("Customer"), path="customer_name", sortable=False),
        Column("promised", gettext_lazy("Promised"), kind="date", sortable=False),
    ]

    def queryset(self) -> QuerySet[Reservation]:
        return to_pick(self.request.user)

    def row_url(self, row: Reservation) -> str:
        return f"/fulfilment/orders/{row.order_number}/picks/"  # type: ignore[attr-defined]  # annotated


def _order(request: Request, number: str) -> Order:
    return get_object_or_404(Order.objects.visible_to(request.user).select_related("seller"), number=number)


@require_safe
@permission_required("fulfilment.ship_order", raise_exception=True)
def order_picks(request: Request, number: str) -> HttpResponseBase:
    """The pick list of an order; of a changed one only once the warehouse knows the change."""
    order = _order(request, number)
    found = [] if order.unread_changes else picks(order)
    context = {
        "order": order,
        "picks": [one for one in found if one.quantity],
        "waiting": [one for one in found if one.waiting],
    }
    return render(request, "fulfilment/pick_list.html", context)


@require_safe
@permission_required("fulfilment.ship_order", raise_exception=True)
def order_picks_pdf(request: Request, number: str) -> HttpResponseBase:
    """The pick list on paper, in the language of who picks."""
    order = _order(request, number)
    if order.unread_changes:
        return redirect("fulfilment:pick-list", order.number)
    response = HttpResponse(
        pick_list(order, picks(order), language=translation.get_language() or "en"), content_type="application/pdf"
    )
    response["Content-Disposition"] = f'inline; filename="{order.number}-picks.pdf"'
    return response
