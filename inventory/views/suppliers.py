"""Suppliers and their prices."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from inventory.filters import SupplierFilter
from inventory.forms import SupplierForm, SupplierPriceForm
from inventory.models import Supplier, SupplierPrice
from inventory.services import create_supplier, edit_supplier, remove_supplier_price, set_supplier_price
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView

from .base import FormPage


class SupplierList(ListView):
    """All suppliers."""

    key = "inventory.suppliers"
    title = gettext_lazy("Suppliers")
    permission = "inventory.view_supplier"
    filterset_class = SupplierFilter
    default_sort = "number"
    new_url = "/inventory/suppliers/new/"
    new_label = gettext_lazy("New supplier")
    new_permission = "inventory.edit_supplier"
    columns = [
        Column("number", gettext_lazy("Number")),
        Column("name", gettext_lazy("Name")),
        Column("contact_name", gettext_lazy("Contact")),
        Column("email", gettext_lazy("E-mail address"), sortable=False),
        Column("phone", gettext_lazy("Phone"), sortable=False),
        Column("country", gettext_lazy("Country")),
        Column("currency", gettext_lazy("Currency"), default=False),
        Column("lead_days", gettext_lazy("Lead time in days"), kind="count"),
        Column("is_active", gettext_lazy("Active"), kind="bool", default=False),
    ]

    def queryset(self) -> QuerySet[Supplier]:
        return Supplier.objects.visible_to(self.request.user)


def detail(request: Request, number: str) -> HttpResponse:
    """A supplier with what they deliver; prices only for those who may see costs."""
    supplier = get_object_or_404(Supplier.objects.visible_to(request.user), number=number)
    prices = SupplierPrice.objects.filter(supplier=supplier).select_related("product__unit").order_by("product__sku")
    may = request.user.has_perm
    context = {
        "supplier": supplier,
        "prices": list(prices[:500]),
        "can_edit": may("inventory.edit_supplier"),
        "can_order": may("inventory.order_purchase") and supplier.is_active,
        "can_cost": may("inventory.view_cost"),
        "can_price": may("inventory.edit_supplier") and may("inventory.view_cost"),
    }
    return render(request, "inventory/supplier_detail.html", context)


class SupplierCreate(FormPage):
    """A new supplier."""

    permission = "inventory.edit_supplier"
    title = gettext_lazy("New supplier")
    back = "/inventory/suppliers/"
    back_label: Any = gettext_lazy("Suppliers")

    def form(self, data: Any = None) -> forms.BaseForm:
        return SupplierForm(data)

    def perform(self, form: Any) -> Supplier:
        return create_supplier(actor=self.request.user, **form.cleaned_data)


class SupplierEdit(SupplierCreate):
    """An existing supplier."""

    title = gettext_lazy("Edit supplier")

    def instance(self) -> Supplier:
        visible = Supplier.objects.visible_to(self.request.user)
        found: Supplier = get_object_or_404(visible, number=self.kwargs["number"])
        self.back, self.back_label = found.get_absolute_url(), found.name
        return found

    def form(self, data: Any = None) -> forms.BaseForm:
        return SupplierForm(data, instance=self.found)

    def perform(self, form: Any) -> Supplier:
        return edit_supplier(self.found, version=self.seen_version(), actor=self.request.user, **form.cleaned_data)


class SupplierPriceAdd(SupplierEdit):
    """What they ask for one more product."""

    title = gettext_lazy("Add a price")

    def instance(self) -> Supplier:
        if not self.request.user.has_perm("inventory.view_cost"):
            raise PermissionDenied
        return super().instance()

    def form(self, data: Any = None) -> forms.BaseForm:
        return SupplierPriceForm(data, instance=SupplierPrice(supplier=self.found))

    def perform(self, form: Any) -> Supplier:
        return set_supplier_price(form.instance, actor=self.request.user).supplier


@require_POST
def remove_price(request: Request, number: str, pk: int) -> HttpResponse:
    """Takes a price off."""
    supplier = get_object_or_404(Supplier.objects.visible_to(request.user), number=number)
    price = get_object_or_404(SupplierPrice.objects.select_related("supplier", "product"), supplier=supplier, pk=pk)
    remove_supplier_price(price, actor=request.user)
    messages.success(request, _("The price is removed."))
    return redirect(supplier.get_absolute_url())
