"""What the lists of inventory can be narrowed by."""

from typing import Any

import django_filters as filters
from django import forms
from django.db.models import F, QuerySet
from django.utils.translation import gettext_lazy as _

from inventory.models import (
    Product,
    ProductCategory,
    PurchaseOrder,
    StockAdjustment,
    StockItem,
    StockMovement,
    Supplier,
    Warehouse,
)
from ordermgmt.company.services import business_today
from ordermgmt.lib.fields import FoundSelect

SEARCH = forms.TextInput(attrs={"type": "search", "autocomplete": "off"})
YES_NO = [("true", _("Yes")), ("false", _("No"))]


def _found(path: str) -> Any:
    def method(self: Any, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.filter(**{f"{path}__found": value})

    return method


class ProductFilter(filters.FilterSet):
    """Products by text, category, kind, stock-keeping and whether they are sold."""

    q = filters.CharFilter(
        method="search", label=_("Search"), help_text=_("Any part of the number, name or description."), widget=SEARCH
    )
    category = filters.ModelChoiceFilter(
        queryset=ProductCategory.objects.all(), label=_("Category"), help_text=_("Only this category.")
    )
    kind = filters.ChoiceFilter(choices=Product.Kind, label=_("Kind"), help_text=_("Goods or services."))
    is_active = filters.TypedChoiceFilter(
        choices=YES_NO, coerce=lambda value: value == "true", label=_("Sold"), help_text=_("Whether it can be ordered.")
    )
    is_stocked = filters.TypedChoiceFilter(
        choices=YES_NO,
        coerce=lambda value: value == "true",
        label=_("Kept in stock"),
        help_text=_("Whether we keep it."),
    )

    class Meta:
        model = Product
        fields = ["q", "category", "kind", "is_active", "is_stocked"]

    search = _found("search_text")


class StockFilter(filters.FilterSet):
    """Stock rows by product, warehouse, category, and whether something is left."""

    q = filters.CharFilter(
        method="search", label=_("Search"), help_text=_("Any part of the product's number or name."), widget=SEARCH
    )
    warehouse = filters.ModelChoiceFilter(
        queryset=Warehouse.objects.all(), label=_("Warehouse"), help_text=_("Only this warehouse.")
    )
    category = filters.ModelChoiceFilter(
        field_name="product__category",
        queryset=ProductCategory.objects.all(),
        label=_("Category"),
        help_text=_("Only this category."),
    )
    left = filters.ChoiceFilter(
        method="left_over",
        label=_("Free"),
        help_text=_("Whether something is free."),
        choices=[
            ("free", _("Something is free")),
            ("none", _("Nothing is free")),
            ("low", _("Below the reorder point")),
        ],
    )

    class Meta:
        model = StockItem
        fields = ["q", "warehouse", "category", "left"]

    search = _found("product__search_text")

    def left_over(self, queryset: QuerySet[StockItem], name: str, value: str) -> QuerySet[StockItem]:
        if value == "free":
            return queryset.filter(free__gt=0)
        if value == "none":
            return queryset.filter(free=0)
        return queryset.filter(free__lt=F("product__reorder_point"))


class MovementFilter(filters.FilterSet):
    """Movements by kind and day."""

    kind = filters.ChoiceFilter(choices=StockMovement.Kind, label=_("Kind"), help_text=_("Only this kind."))
    warehouse = filters.ModelChoiceFilter(
        field_name="stock_item__warehouse",
        queryset=Warehouse.objects.all(),
        label=_("Warehouse"),
        help_text=_("Only this warehouse."),
    )
    since = filters.DateFilter(
        field_name="at", lookup_expr="date__gte", label=_("From"), help_text=_("From this day on."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip
    until = filters.DateFilter(
        field_name="at", lookup_expr="date__lte", label=_("Until"), help_text=_("Until this day."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip

    class Meta:
        model = StockMovement
        fields = ["kind", "warehouse", "since", "until"]


class AdjustmentFilter(filters.FilterSet):
    """Corrections by state, reason and warehouse."""

    state = filters.ChoiceFilter(
        choices=StockAdjustment.State, label=_("State"), help_text=_("Waiting, applied or rejected.")
    )
    reason = filters.ChoiceFilter(
        choices=StockAdjustment.Reason, label=_("Reason"), help_text=_("Why the books were wrong.")
    )
    warehouse = filters.ModelChoiceFilter(
        field_name="stock_item__warehouse",
        queryset=Warehouse.objects.all(),
        label=_("Warehouse"),
        help_text=_("Only this warehouse."),
    )

    class Meta:
        model = StockAdjustment
        fields = ["state", "reason", "warehouse"]


class SupplierFilter(filters.FilterSet):
    """Suppliers by text and whether we still buy there."""

    q = filters.CharFilter(
        method="search", label=_("Search"), help_text=_("Any part of the number, name or contact."), widget=SEARCH
    )
    is_active = filters.TypedChoiceFilter(
        choices=YES_NO, coerce=lambda value: value == "true", label=_("Active"), help_text=_("Whether we buy there.")
    )

    class Meta:
        model = Supplier
        fields = ["q", "is_active"]

    search = _found("search_text")


class PurchaseFilter(filters.FilterSet):
    """Purchase orders by text, state, supplier, lateness and day."""

    q = filters.CharFilter(
        method="search", label=_("Search"), help_text=_("Any part of the number, supplier or reference."), widget=SEARCH
    )
    state = filters.ChoiceFilter(choices=PurchaseOrder.State, label=_("State"), help_text=_("How far it is."))
    supplier = filters.ModelChoiceFilter(
        queryset=Supplier.objects.all(), label=_("Supplier"), help_text=_("Only this supplier."),
        widget=FoundSelect(attrs={"data-autocomplete": "/inventory/suppliers/autocomplete/?all=1"}),
    )  # fmt: skip
    late = filters.ChoiceFilter(
        method="is_late",
        label=_("Late"),
        help_text=_("Promised before today and not here."),
        choices=[("yes", _("Yes"))],
    )
    product = filters.CharFilter(
        field_name="lines__product__sku", lookup_expr="iexact", label=_("Product"), distinct=True,
        help_text=_("The number of a product on one of its lines."),
    )  # fmt: skip
    since = filters.DateFilter(
        field_name="ordered_on", lookup_expr="gte", label=_("Ordered from"), help_text=_("From this day on."),
        widget=forms.DateInput(attrs={"type": "date"}),
    )  # fmt: skip

    class Meta:
        model = PurchaseOrder
        fields = ["q", "state", "supplier", "late", "product", "since"]

    search = _found("search_text")

    def is_late(self, queryset: Any, name: str, value: str) -> Any:
        return queryset.late(business_today())
