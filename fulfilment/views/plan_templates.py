"""Plan templates: found, made and changed."""

from typing import Any

from django import forms
from django.db.models import Count, QuerySet, Sum
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy

from fulfilment.forms.plan_template import PlanTemplateForm
from fulfilment.models import PlanTemplate
from fulfilment.services import save_plan_template
from inventory.views.base import FormPage
from ordermgmt.lib.tables import Column, ListView

_PLACE = "/fulfilment/plan-templates/"


class PlanTemplateList(ListView):
    """What plans can begin with."""

    key = "fulfilment.plan_templates"
    title = gettext_lazy("Plan templates")
    permission = "fulfilment.set_plans"
    default_sort = "name"
    new_url = f"{_PLACE}new/"
    new_label = gettext_lazy("New plan template")
    new_permission = "fulfilment.set_plans"
    empty_text = gettext_lazy("Keep the usual milestones of a product here; an order's plan begins with them.")
    columns = [
        Column("name", gettext_lazy("Name")),
        Column("product", gettext_lazy("Product"), path="product.sku", sortable=False),
        Column("kind", gettext_lazy("Kind"), sortable=False),
        Column("count", gettext_lazy("Steps"), kind="quantity", sortable=False),
        Column("weight", gettext_lazy("Weight"), kind="quantity", sortable=False),
        Column("is_active", gettext_lazy("In use"), kind="bool", sortable=False),
    ]

    def queryset(self) -> QuerySet[PlanTemplate]:
        counted = PlanTemplate.objects.select_related("product")
        return counted.annotate(count=Count("steps"), weight=Sum("steps__weight"))

    def row_url(self, row: PlanTemplate) -> str:
        return f"{_PLACE}{row.pk}/edit/"


class PlanTemplatePage(FormPage):
    """A new plan template, or other steps of one."""

    permission = "fulfilment.set_plans"
    title = gettext_lazy("Plan template")
    back = _PLACE
    back_label = gettext_lazy("Plan templates")

    def instance(self) -> PlanTemplate | None:
        pk = self.kwargs.get("pk")
        return get_object_or_404(PlanTemplate.objects.select_related("product"), pk=pk) if pk else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return PlanTemplateForm(data, instance=self.found)

    def perform(self, form: Any) -> PlanTemplate:
        return save_plan_template(self.found, version=self.seen_version(), actor=self.request.user, **form.cleaned_data)

    def target(self, made: Any) -> str:
        return _PLACE
