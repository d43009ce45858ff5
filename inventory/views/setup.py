"""Categories, units, warehouses and specification templates."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from inventory.forms import (
    AttributeFormSet,
    CategoryForm,
    TemplateForm,
    UnitForm,
    WarehouseForm,
)
from inventory.models import ProductCategory, SpecificationAttribute, SpecificationTemplate, Unit, Warehouse
from inventory.services import save_setup, save_template
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView

from .base import FormPage


class SetupList(ListView):
    """One of the short lists behind the products."""

    permission = "inventory.view_product"
    new_permission = "inventory.edit_product"
    new_label = gettext_lazy("New")
    place: ClassVar[str]
    template = "inventory/setup_list.html"

    def row_url(self, row: models.Model) -> str:
        return f"{self.new_url.removesuffix('new/')}{row.pk}/edit/"


class CategoryList(SetupList):
    """Product categories."""

    key = "inventory.categories"
    title = gettext_lazy("Categories")
    new_url = "/inventory/categories/new/"
    default_sort = "name"
    columns = [
        Column("name", gettext_lazy("Name")),
        Column("parent", gettext_lazy("Part of"), path="parent.name", sortable=False),
    ]

    def queryset(self) -> QuerySet[ProductCategory]:
        return ProductCategory.objects.select_related("parent")


class UnitList(SetupList):
    """Units of measure."""

    key = "inventory.units"
    title = gettext_lazy("Units")
    new_url = "/inventory/units/new/"
    default_sort = "code"
    columns = [
        Column("code", gettext_lazy("Code")),
        Column("name", gettext_lazy("Name")),
        Column("decimals", gettext_lazy("Decimals"), kind="count"),
    ]

    def queryset(self) -> QuerySet[Unit]:
        return Unit.objects.all()


class WarehouseList(SetupList):
    """Warehouses, each with its count sheet."""

    key = "inventory.warehouses"
    title = gettext_lazy("Warehouses")
    permission = "inventory.view_stock"
    new_url = "/inventory/warehouses/new/"
    default_sort = "code"
    columns = [
        Column("code", gettext_lazy("Code")),
        Column("name", gettext_lazy("Name")),
        Column("is_default", gettext_lazy("Default"), kind="bool"),
        Column("is_active", gettext_lazy("Active"), kind="bool"),
        Column("adjustment_limit", gettext_lazy("Adjustment limit"), kind="quantity"),
        Column(
            "count", gettext_lazy("Count sheet"), value=lambda row: gettext_lazy("Count"),
            link=lambda row: f"/inventory/warehouses/{row.code}/count/", permission="inventory.adjust_stock",
        ),
    ]  # fmt: skip

    def queryset(self) -> QuerySet[Warehouse]:
        return Warehouse.objects.all()


class TemplateList(SetupList):
    """Specification templates."""

    key = "inventory.templates"
    title = gettext_lazy("Specifications")
    new_url = "/inventory/templates/new/"
    default_sort = "name"
    columns = [
        Column("name", gettext_lazy("Name")),
        Column("size", gettext_lazy("Attributes"), kind="count", sortable=False),
    ]

    def queryset(self) -> QuerySet[SpecificationTemplate]:
        return SpecificationTemplate.objects.annotate(size=models.Count("attributes"))


class SetupForm(FormPage):
    """A category, unit or warehouse; new without a key in the address."""

    permission = "inventory.edit_product"
    model: ClassVar[type[models.Model]]
    form_class: ClassVar[type[forms.BaseForm]]
    title: str | Promise = ""

    def instance(self) -> models.Model | None:
        return get_object_or_404(self.model, pk=self.kwargs["pk"]) if "pk" in self.kwargs else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return self.form_class(data, instance=self.found)  # type: ignore[call-arg]  # all three are model forms

    def perform(self, form: Any) -> Any:
        return save_setup(form.instance, actor=self.request.user)

    def target(self, made: Any) -> str:
        return self.back


class CategoryEdit(SetupForm):
    """A category."""

    model, form_class, title = ProductCategory, CategoryForm, gettext_lazy("Category")
    back, back_label = "/inventory/categories/", gettext_lazy("Categories")


class UnitEdit(SetupForm):
    """A unit."""

    model, form_class, title = Unit, UnitForm, gettext_lazy("Unit")
    back, back_label = "/inventory/units/", gettext_lazy("Units")


class WarehouseEdit(SetupForm):
    """A warehouse."""

    model, form_class, title = Warehouse, WarehouseForm, gettext_lazy("Warehouse")
    back, back_label = "/inventory/warehouses/", gettext_lazy("Warehouses")


class TemplateEdit(SetupForm):
    """A specification template with its attributes, edited together."""

    model, form_class, title = SpecificationTemplate, TemplateForm, gettext_lazy("Specification")
    back, back_label = "/inventory/templates/", gettext_lazy("Specifications")
    template = "inventory/template_edit.html"

    def rows(self, data: Any = None) -> Any:
        """The attributes of the template, and two empty ones."""
        attributes = SpecificationAttribute.objects.filter(template=self.found)
        return AttributeFormSet(data, queryset=attributes.order_by("position"), prefix="attributes")

    def show(self, form: forms.BaseForm, status: int = 200, **more: Any) -> HttpResponse:
        more.setdefault("rows", self.rows())
        return super().show(form, status, **more)

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        form, rows = self.form(request.POST), self.rows(request.POST)
        if not form.is_valid() or not rows.is_valid():
            return self.show(form, 422, rows=rows)
        gone = rows.deleted_forms
        kept = [one.save_into() for one in rows.forms if one not in gone and (one.has_changed() or one.instance.pk)]
        try:
            save_template(form.instance, kept, actor=request.user)  # type: ignore[attr-defined]
        except ValidationError as error:
            add_errors(form, error)
            return self.show(form, 422, rows=rows)
        return redirect(self.back)
