"""Late interest: claims until they are decided, and the terms."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from billing import services
from billing.actions import LATE_FEE_ACTIONS
from billing.filters import LateFeeFilter
from billing.forms import LateTermsForm
from billing.models import LateFee, LateFeePolicy
from ordermgmt.company.services import business_today
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView


class LateFeeList(ListView):
    """Claims of late interest, with how they came about."""

    key = "late-fees"
    title = gettext_lazy("Late interest")
    permission = "billing.view_payment"
    filterset_class = LateFeeFilter
    default_sort = "-id"
    actions = LATE_FEE_ACTIONS
    template = "billing/late_fees.html"
    empty_text = gettext_lazy("No claim matches. A claim is proposed on the page of a late invoice.")
    columns = [
        Column("invoice", gettext_lazy("Invoice"), path="instalment.invoice.number",
               link=lambda row: row.instalment.invoice.get_absolute_url()),
        Column("customer", gettext_lazy("Customer"), path="instalment.invoice.customer_name"),
        Column("due", gettext_lazy("Due date"), kind="date", path="instalment.due_date"),
        Column("as_of", gettext_lazy("Until"), kind="date"),
        Column("days", gettext_lazy("Days late"), kind="count"),
        Column("before", gettext_lazy("Claimed before"), kind="amount"),
        Column("amount", gettext_lazy("Amount"), kind="amount"),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("proposed_by", gettext_lazy("Proposed by"), path="proposed_by.name"),
        Column("debit_note", gettext_lazy("Debit note"), value=lambda row: row.debit_note and str(row.debit_note),
               link=lambda row: row.get_absolute_url()),
        Column("reason", gettext_lazy("Reason"), default=False),
    ]  # fmt: skip

    def queryset(self) -> models.QuerySet[Any]:
        rows = LateFee.objects.visible_to(self.request.user)
        return rows.select_related("instalment__invoice", "proposed_by", "debit_note")


class LateFeeAction(ActionView):
    """The decision about a claim."""

    actions = LATE_FEE_ACTIONS
    lookup = "pk"

    def queryset(self) -> models.QuerySet[Any]:
        return LateFee.objects.visible_to(self.request.user).select_related("instalment__invoice", "debit_note")

    def back(self, instance: Any) -> str:
        return "/billing/late-fees/?state=proposed"


@require_http_methods(["GET", "POST"])
@permission_required("billing.view_payment", raise_exception=True)
def terms(request: Request) -> HttpResponse:
    """The terms by day; a POST adds those from a day on."""
    form, status = LateTermsForm(initial={"start": business_today()}), 200
    if request.method == "POST":
        if not request.user.has_perm("billing.set_reminders"):
            raise PermissionDenied
        form, status = LateTermsForm(request.POST), 422
        if form.is_valid():
            try:
                services.set_late_fee_policy(actor=request.user, **form.cleaned_data)
            except ValidationError as error:
                form.add_error(None, error)
            else:
                messages.success(request, _("The terms are kept."))
                return redirect("billing:late-terms")
    context = {"form": form, "rows": LateFeePolicy.objects.select_related("by")}
    return render(request, "billing/late_terms.html", context, status=status)
