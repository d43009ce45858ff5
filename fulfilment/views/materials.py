"""Waiting for material, over all orders, and ordering what is missing in one step."""

from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_http_methods

from fulfilment.actions import MATERIAL_ACTIONS
from fulfilment.filters import MaterialFilter
from fulfilment.forms.materials import OrderNeedsForm
from fulfilment.models import MaterialNeed
from fulfilment.services import propose, purchase_needs_of
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order


class MaterialList(ListView):
    """What orders wait for: not in stock, on order or not even that."""

    key = "fulfilment.materials"
    title = gettext_lazy("Waiting for material")
    permission = "orders.view_order"
    template = "fulfilment/material_list.html"
    filterset_class = MaterialFilter
    default_sort = "needed_by"
    empty_text = gettext_lazy("Everything that orders take is in stock.")
    columns: ClassVar[list[Column]] = [
        Column("needed_by", gettext_lazy("Needed by"), kind="date", nullable=True),
        Column("order", gettext_lazy("Order"), path="order.number", link=lambda row: row.order.get_absolute_url()),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("sku", gettext_lazy("SKU"), path="product.sku"),
        Column("name", gettext_lazy("Material"), path="product.name", sortable=False),
        Column("required", gettext_lazy("Needed"), kind="quantity"),
        Column("from_stock", gettext_lazy("From stock"), kind="quantity"),
        Column("on_order", gettext_lazy("On order"), kind="quantity"),
        Column("missing", pgettext_lazy("material", "Missing"), kind="quantity"),
        Column("unit", gettext_lazy("Unit"), path="product.unit.code", sortable=False),
        Column("expected_on", gettext_lazy("Expected"), kind="date", nullable=True),
        Column(
            "project_manager",
            gettext_lazy("Project manager"),
            path="order.project_manager.name",
            sortable=False,
            default=False,
        ),
    ]

    def queryset(self) -> QuerySet[MaterialNeed]:
        rows = MaterialNeed.objects.visible_to(self.request.user).waiting()
        return rows.select_related("order__project_manager", "product__unit")

    def row_url(self, row: MaterialNeed) -> str:
        return f"{row.order.get_absolute_url()}#materials"

    def context(self) -> dict[str, Any]:
        return {"can_order": self.request.user.has_perm("inventory.order_purchase")}


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("inventory.order_purchase", raise_exception=True)
def order_page(request: Request) -> HttpResponse:
    """What is missing, grouped by the supplier who is proposed; quantities and suppliers may be changed before."""
    number = request.GET.get("order", "").replace("\x00", "")
    order = get_object_or_404(Order.objects.visible_to(request.user), number=number) if number else None
    proposals = propose(request.user, order)
    posted = request.POST if request.method == "POST" else None
    form = OrderNeedsForm(posted, proposals=proposals, prices=request.user.has_perm("inventory.view_cost"))
    if posted is not None and form.is_valid():
        try:
            made = purchase_needs_of(form.cleaned_data["wanted"], order=order, actor=request.user)
        except ValidationError as error:
            add_errors(form, error)
        else:
            for one in made:
                text = _("%(number)s to %(supplier)s is drafted.")
                messages.success(request, text % {"number": one.number, "supplier": one.supplier})
            return redirect(made[0].get_absolute_url() if len(made) == 1 else "/inventory/purchases/?state=draft")
    context = {"form": form, "order": order, "proposals": proposals}
    return render(request, "fulfilment/material_order.html", context, status=422 if form.errors else 200)


class MaterialActionView(ActionView):
    """Reckoning the needs of an order anew."""

    actions = MATERIAL_ACTIONS

    def queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.request.user)

    def back(self, instance: Order) -> str:
        return f"{reverse('orders:order-detail', args=[instance.number])}#materials"
