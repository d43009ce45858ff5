"""Products: list, page, form, and the suggestions while somebody types an order."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Case, F, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View

from inventory.actions import PRODUCT_ACTIONS
from inventory.filters import MovementFilter, ProductFilter
from inventory.forms import ProductForm, QuickProductForm
from inventory.models import Product, StockItem, StockMovement, SupplierPrice
from inventory.services import create_product, edit_product, incoming_quantities, plain
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.autocomplete import LIMIT, AutocompleteView
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView

from .base import FormPage


class ProductList(ListView):
    """All products with what is free of them."""

    key = "inventory.products"
    title = gettext_lazy("Products")
    permission = "inventory.view_product"
    filterset_class = ProductFilter
    default_sort = "sku"
    new_url = "/inventory/products/new/"
    new_label = gettext_lazy("New product")
    new_permission = "inventory.edit_product"
    template = "inventory/product_list.html"
    empty_text = gettext_lazy("Create a product, or take a filter away.")
    columns = [
        Column("sku", gettext_lazy("SKU")),
        Column("name", gettext_lazy("Name")),
        Column("category", gettext_lazy("Category"), path="category.name", nullable=True),
        Column("kind", gettext_lazy("Kind")),
        Column("unit", gettext_lazy("Unit"), path="unit.code"),
        Column("on_hand", gettext_lazy("On hand"), kind="quantity", sortable=False, permission="inventory.view_stock"),
        Column(
            "reserved", gettext_lazy("Reserved"), kind="quantity", sortable=False, permission="inventory.view_stock"
        ),
        Column("free", gettext_lazy("Free"), kind="quantity", sortable=False, permission="inventory.view_stock"),
        Column("list_price", gettext_lazy("List price"), kind="amount", permission="inventory.view_price"),
        Column("cost", gettext_lazy("Cost"), kind="amount", permission="inventory.view_cost", default=False),
        Column("tax_category", gettext_lazy("Tax category"), default=False),
        Column("reorder_point", gettext_lazy("Reorder point"), kind="quantity", default=False),
        Column("lead_days", gettext_lazy("Lead time in days"), kind="count", default=False),
        Column("is_active", gettext_lazy("Sold"), kind="bool", default=False),
    ]

    def queryset(self) -> QuerySet[Product]:
        return Product.objects.visible_to(self.request.user).with_stock().select_related("category", "unit")


class MovementList(ListView):
    """Every movement of one product."""

    key = "inventory.movements"
    permission = "inventory.view_stock"
    filterset_class = MovementFilter
    default_sort = "-at"
    empty_text = gettext_lazy("Nothing has moved yet.")
    columns = [
        Column("at", gettext_lazy("Time"), kind="datetime"),
        Column("kind", gettext_lazy("Kind"), sortable=False),
        Column("warehouse", gettext_lazy("Warehouse"), path="stock_item.warehouse.name", sortable=False),
        Column("quantity", gettext_lazy("On hand"), kind="quantity", sortable=False),
        Column("reserved_change", gettext_lazy("Reserved"), kind="quantity", sortable=False),
        Column("reason", gettext_lazy("Reason"), sortable=False),
        Column("actor", gettext_lazy("By"), path="actor.name", sortable=False),
        Column("key", gettext_lazy("Key"), sortable=False, default=False),
    ]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.product = get_object_or_404(Product.objects.visible_to(self.request.user), sku=kwargs["sku"])
        self.title = _("Movements of %(sku)s") % {"sku": self.product.sku}

    def queryset(self) -> QuerySet[StockMovement]:
        rows = StockMovement.objects.filter(stock_item__product=self.product)
        return rows.select_related("stock_item__warehouse", "actor")

    def row_url(self, row: StockMovement) -> str:
        return ""


def detail(request: Request, sku: str) -> HttpResponse:
    """A product with its stock, suppliers, last movements and timeline."""
    visible = Product.objects.visible_to(request.user)
    product = get_object_or_404(
        visible.with_stock().select_related("category", "unit", "specification_template"), sku=sku
    )
    user = request.user
    items = StockItem.objects.visible_to(user).filter(product=product).select_related("warehouse")
    moves = StockMovement.objects.filter(stock_item__product=product).select_related("stock_item__warehouse", "actor")
    prices = SupplierPrice.objects.filter(product=product).select_related("supplier")
    context = {
        "product": product,
        "attributes": product.attributes(),
        "items": list(items.order_by("warehouse")),
        "movements": list(moves[:15]) if user.has_perm("inventory.view_stock") else [],
        "supplier_prices": list(prices) if user.has_perm("inventory.view_supplier") else [],
        "can_price": user.has_perm("inventory.view_price"),
        "can_cost": user.has_perm("inventory.view_cost"),
        "can_edit": user.has_perm("inventory.edit_product"),
        "can_stock": user.has_perm("inventory.view_stock"),
        "incoming": incoming_quantities([product.pk]).get(product.pk)
        if user.has_perm("inventory.view_stock")
        else None,
        "actions": PRODUCT_ACTIONS.offered(product, user),
    }
    return render(request, "inventory/product_detail.html", context)


class ProductActionView(ActionView):
    """Every verb on a product."""

    actions = PRODUCT_ACTIONS
    lookup = "sku"

    def queryset(self) -> QuerySet[Product]:
        return Product.objects.visible_to(self.request.user).select_related("unit")


class ProductCreate(FormPage):
    """A new product."""

    permission = "inventory.edit_product"
    title = gettext_lazy("New product")
    back_label: Any = gettext_lazy("Products")

    def form(self, data: Any = None) -> forms.BaseForm:
        return ProductForm(data, initial={"sku": self.request.GET.get("sku", "").replace("\x00", "")[:40]})

    def perform(self, form: Any) -> Product:
        return create_product(actor=self.request.user, **form.cleaned_data)


class ProductEdit(ProductCreate):
    """An existing product."""

    title = gettext_lazy("Edit product")

    def instance(self) -> Product:
        found: Product = get_object_or_404(Product.objects.visible_to(self.request.user), sku=self.kwargs["sku"])
        self.back, self.back_label = found.get_absolute_url(), found.sku
        return found

    def form(self, data: Any = None) -> forms.BaseForm:
        return ProductForm(data, instance=self.found)

    def perform(self, form: Any) -> Product:
        return edit_product(self.found, version=self.seen_version(), actor=self.request.user, **form.cleaned_data)


def suggestion(product: Any, user: Any) -> dict[str, Any]:
    """What the order grid needs to know of a product; prices only for those who may see them. Numbers are exact text."""
    free = plain(product.free) if user.has_perm("inventory.view_stock") and product.is_stocked else None
    hint = _("%(free)s %(unit)s free") % {"free": free, "unit": product.unit.code} if free is not None else ""
    found: dict[str, Any] = {
        "value": product.pk,
        "text": f"{product.sku} {product.name}",
        "hint": hint,
        "sku": product.sku,
        "name": product.name,
        "kind": product.kind,
        "unit": product.unit.code,
        "decimals": product.unit.decimals,
        "is_stocked": product.is_stocked,
        "free": free,
        "tax_category": product.tax_category,
        "lead_days": product.lead_days,
        "attributes": [
            {
                "key": one.key,
                "label": one.label,
                "kind": one.kind,
                "unit": one.unit,
                "minimum": None if one.minimum is None else plain(one.minimum),
                "maximum": None if one.maximum is None else plain(one.maximum),
                "choices": one.choices,
                "required": one.required,
                "help": one.help,
            }
            for one in product.attributes()
        ],
    }
    prices = product.price_for(user)
    if prices:
        found |= {"list_price": plain(prices["list_price"]), "currency": prices["currency"]}
    return found


class ProductAutocomplete(AutocompleteView):
    """Products that may be ordered: exact numbers first, then those that begin so, then any fragment."""

    permission = "inventory.view_product"

    def results(self, text: str) -> Iterable[dict[str, Any]]:
        wanted = Product.objects.available_to(self.request.user).with_stock().filter(search_text__found=text)
        nearest = Case(
            When(sku__iexact=text, then=Value(0)), When(sku__istartswith=text, then=Value(1)), default=Value(2)
        )
        rows = wanted.select_related("unit", "specification_template").annotate(nearest=nearest)
        rows = rows.prefetch_related("specification_template__attributes").order_by("nearest", F("sku"))
        return [suggestion(product, self.request.user) for product in rows[:LIMIT]]


class ProductQuick(View):
    """Creates a product from what was typed in an order line and answers like the autocomplete, as JSON."""

    http_method_names = ["post"]

    def post(self, request: Request) -> JsonResponse:
        if not request.user.has_perm("inventory.edit_product"):
            raise PermissionDenied
        form = QuickProductForm(request.POST)
        if form.is_valid():
            try:
                made = create_product(actor=request.user, **form.cleaned_data)
            except ValidationError as error:
                add_errors(form, error)
            else:
                product = Product.objects.with_stock().select_related("unit").get(pk=made.pk)
                return JsonResponse({"result": suggestion(product, request.user)}, status=201)
        return JsonResponse({"errors": form.errors}, status=422)
