"""The bill of material of a product: read over all levels, and changed line by line."""

from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from inventory.forms.boms import BomLineForm, HowManyForm
from inventory.models import BomLine, Product
from inventory.services import boms_of, explode, remove_bom_line, save_bom_line, where_used
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole


def _product(request: Request, sku: str) -> Product:
    return get_object_or_404(Product.objects.visible_to(request.user).select_related("unit"), sku=sku)


def bom_url(product: Product) -> str:
    """The page of its bill of material."""
    return reverse("inventory:product-bom", args=[product.sku])


@require_http_methods(["GET", "HEAD", "POST"])
def bom_page(request: Request, sku: str) -> HttpResponse:
    """All levels for so many units, where the product goes into, and a form for one more component (or `?line=`)."""
    product = _product(request, sku)
    may_edit = request.user.has_perm("inventory.edit_bom")
    asked = whole(request.GET.get("line"))
    line = None
    if asked is not None:
        line = get_object_or_404(BomLine.objects.select_related("component"), product=product, pk=asked)
    if request.method != "POST":
        return _show(request, product, line, None)
    if not may_edit:
        raise PermissionDenied
    form = BomLineForm(request.POST, line=line)
    if form.is_valid():
        try:
            save_bom_line(product, line=line, actor=request.user, **form.cleaned_data)
        except ValidationError as error:
            add_errors(form, error)
        else:
            messages.success(request, _("The bill of material is saved."))
            return redirect(f"{bom_url(product)}#component")
    return _show(request, product, line, form)


def _show(request: Request, product: Product, line: BomLine | None, form: BomLineForm | None) -> HttpResponse:
    boms = boms_of([product.pk])
    own = boms.get(product.pk, ())
    following = (max((one.position for one in own), default=0) // 10 + 1) * 10
    many = HowManyForm(request.GET if "quantity" in request.GET else None, initial={"quantity": 1})
    wanted = (many.cleaned_data["quantity"] if many.is_bound and many.is_valid() else None) or Decimal(1)
    context: dict[str, Any] = {
        "product": product, "rows": explode(product.pk, wanted, boms), "wanted": wanted, "many": many, "line": line,
        "form": form or BomLineForm(line=line, following=following), "used": where_used(product),
        "can_edit": request.user.has_perm("inventory.edit_bom") and product.kind == Product.Kind.GOODS,
    }  # fmt: skip
    return render(request, "inventory/bom.html", context, status=422 if form else 200)


@require_POST
def remove_component(request: Request, sku: str, pk: int) -> HttpResponse:
    """Takes a component out."""
    product = _product(request, sku)
    line = get_object_or_404(BomLine.objects.select_related("product", "component"), product=product, pk=pk)
    try:
        remove_bom_line(line, actor=request.user)
        messages.success(request, _("The component is taken out."))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    return redirect(bom_url(product))
