"""How the company judges risks: the list of categories, and the page of the two scales."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy

from fulfilment.forms.risk import RiskCategoryForm
from fulfilment.forms.risk_scale import RiskScaleForm
from fulfilment.models import RiskCategory, RiskLevel, RiskScale
from fulfilment.services import save_risk_category, save_risk_scale
from inventory.views.base import FormPage
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.tables import Column, ListView

_RISKS = "/fulfilment/risks/"
_CATEGORIES = f"{_RISKS}categories/"
_RIGHT = "fulfilment.set_risks"


class RiskCategoryList(ListView):
    """Where risks come from, as the company sorts them."""

    key = "fulfilment.risk_categories"
    title = gettext_lazy("Categories of risks")
    permission = _RIGHT
    default_sort = "code"
    new_url = f"{_CATEGORIES}new/"
    new_label = gettext_lazy("Add a category")
    new_permission = _RIGHT
    empty_text = gettext_lazy("Add a category: a risk can't be noted without one.")
    columns = [
        Column("code", gettext_lazy("Code")),
        Column("name", gettext_lazy("Name")),
        Column("name_zh", gettext_lazy("Chinese name"), sortable=False),
        Column("is_active", gettext_lazy("Offered"), kind="bool", sortable=False),
    ]

    def queryset(self) -> QuerySet[RiskCategory]:
        return RiskCategory.objects.all()

    def row_url(self, row: RiskCategory) -> str:
        return f"{_CATEGORIES}{row.pk}/edit/"


class RiskCategoryPage(FormPage):
    """A new category, or other words for one."""

    permission = _RIGHT
    title = gettext_lazy("Category of risks")
    back = _CATEGORIES
    back_label = gettext_lazy("Categories of risks")

    def instance(self) -> RiskCategory | None:
        pk = self.kwargs.get("pk")
        return get_object_or_404(RiskCategory, pk=pk) if pk else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return RiskCategoryForm(data, instance=self.found)

    def perform(self, form: Any) -> RiskCategory:
        return save_risk_category(self.found, actor=self.request.user, **form.cleaned_data)

    def target(self, made: Any) -> str:
        return _CATEGORIES


class RiskScalePage(FormPage):
    """What the steps of both scales mean, and from which score on a risk is middling or high."""

    permission = _RIGHT
    title = gettext_lazy("Scales of risks")
    template = "fulfilment/risk_scale.html"
    back = _RISKS
    back_label = gettext_lazy("Risks")

    def instance(self) -> RiskScale:
        return RiskScale.current()

    def form(self, data: Any = None) -> forms.BaseForm:
        return RiskScaleForm(data, instance=RiskScale.current())

    def perform(self, form: Any) -> RiskScale:
        return save_risk_scale(version=self.seen_version() or 0, actor=self.request.user, **form.values())

    def conflict(self, form: forms.BaseForm, stale: StaleVersion) -> HttpResponse:
        """Also the words of the steps as they stand now."""
        for one in RiskLevel.objects.all():
            for name, language in (("name", ""), ("name_zh", "_zh")):
                setattr(stale.instance, f"{one.axis}_{one.value}{language}", getattr(one, name))
        return super().conflict(form, stale)

    def target(self, made: Any) -> str:
        return _RISKS
