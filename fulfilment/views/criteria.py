"""Templates of acceptance criteria, dropping an agreed one, and the pictures of a round."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.actions import CRITERION_ACTIONS
from fulfilment.filters import CriterionTemplateFilter
from fulfilment.forms.criteria import CriterionTemplateForm
from fulfilment.models import (
    Acceptance,
    AcceptanceCertificate,
    AcceptancePhoto,
    AgreedCriterion,
    CriterionTemplate,
    Inspection,
    InspectionPhoto,
)
from fulfilment.services import save_criterion_template, tolerance
from inventory.views.base import FormPage
from ordermgmt.documents.views.serving import file_response
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order

_PLACE = "/fulfilment/criteria/"


class CriterionTemplateList(ListView):
    """What new orders are examined by."""

    key = "fulfilment.criteria"
    title = gettext_lazy("Acceptance criteria")
    permission = "fulfilment.set_criteria"
    filterset_class = CriterionTemplateFilter
    default_sort = "title"
    new_url = f"{_PLACE}new/"
    new_label = gettext_lazy("New criterion")
    new_permission = "fulfilment.set_criteria"
    empty_text = gettext_lazy("Orders take these over when they are placed; until then each order agrees its own.")
    columns = [
        Column("title", gettext_lazy("Criterion")),
        Column("product", gettext_lazy("Product"), path="product.sku", sortable=False),
        Column("kind", gettext_lazy("Kind"), sortable=False),
        Column("stage", gettext_lazy("Examined"), sortable=False),
        Column("range", gettext_lazy("Passes"), value=tolerance),
        Column("method", gettext_lazy("How it is examined"), sortable=False),
        Column("is_active", gettext_lazy("In use"), kind="bool", sortable=False),
    ]

    def queryset(self) -> QuerySet[CriterionTemplate]:
        return CriterionTemplate.objects.select_related("product")

    def row_url(self, row: CriterionTemplate) -> str:
        return f"{_PLACE}{row.pk}/edit/"


class CriterionTemplatePage(FormPage):
    """A new template, or another wording of one."""

    permission = "fulfilment.set_criteria"
    title = gettext_lazy("Acceptance criterion")
    back = _PLACE
    back_label = gettext_lazy("Acceptance criteria")

    def instance(self) -> CriterionTemplate | None:
        pk = self.kwargs.get("pk")
        return get_object_or_404(CriterionTemplate, pk=pk) if pk else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return CriterionTemplateForm(data, instance=self.found)

    def perform(self, form: Any) -> CriterionTemplate:
        return save_criterion_template(self.found, actor=self.request.user, **form.cleaned_data)

    def target(self, made: Any) -> str:
        return _PLACE


class CriterionActionView(ActionView):
    """Dropping an agreed criterion."""

    actions = CRITERION_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[AgreedCriterion]:
        return AgreedCriterion.objects.visible_to(self.request.user).select_related("order")

    def back(self, instance: Any) -> str:
        return f"{instance.order.get_absolute_url()}#acceptance"


@require_safe
def photo(request: Request, pk: int) -> HttpResponseBase:
    """A picture of a round, as a download."""
    visible = Acceptance.objects.visible_to(request.user)
    found = get_object_or_404(AcceptancePhoto.objects.select_related("file"), pk=pk, acceptance__in=visible)
    return file_response(found.file)


@require_safe
def inspection_photo(request: Request, pk: int) -> HttpResponseBase:
    """A picture of an inspection before dispatch, as a download."""
    visible = Inspection.objects.visible_to(request.user)
    found = get_object_or_404(InspectionPhoto.objects.select_related("file"), pk=pk, inspection__in=visible)
    return file_response(found.file)


@require_safe
def certificate(request: Request, number: str) -> HttpResponseBase:
    """The certificate of acceptance as it was made, once; 404 until then."""
    visible = (
        Order.objects.visible_to(request.user) if request.user.has_perm("orders.view_order") else Order.objects.none()
    )
    kept = get_object_or_404(
        AcceptanceCertificate.objects.select_related("file"), order__in=visible, order__number=number
    )
    return file_response(kept.file)
