"""Instalments of an issued document: agreed anew with every version kept, and retentions released."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from billing import services
from billing.forms import PlanRows, ReleaseForm, RescheduleForm
from billing.models import Instalment, Invoice
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.money import total

from .invoices import find


@require_http_methods(["GET", "POST"])
@permission_required("billing.reschedule", raise_exception=True)
def reschedule(request: Request, reference: str) -> HttpResponse:
    """New amounts and days for what nothing is laid on yet."""
    invoice = find(request.user, reference)
    present = services.movable(invoice) if not invoice.is_draft else []
    if not present:
        messages.info(
            request, _("Nothing of this document can be moved: it is a draft, or something is laid on all of it.")
        )
        return redirect(invoice)
    initial = [
        {"label": one.label, "value": f"{one.amount.normalize():f}", "due_date": one.due_date} for one in present
    ]
    versions = list(invoice.reschedules.select_related("by"))
    form = RescheduleForm(request.POST or None, initial={"version": len(versions)})
    rows = PlanRows(request.POST or None, prefix="rows", initial=initial)
    status = 200
    blockers: list[Blocker] = []
    if request.method == "POST":
        status = 422
        if form.is_valid() and rows.is_valid():
            found = _save(request, invoice, form, rows)
            if found is None:
                messages.success(request, _("The new instalments are agreed."))
                return redirect(invoice)
            status, blockers = (409, found) if found else (422, [])
    context = {
        "invoice": invoice, "form": form, "rows": rows, "blockers": blockers, "versions": versions,
        "sum": total(one.amount for one in present),
    }  # fmt: skip
    return render(request, "billing/reschedule.html", context, status=status)


def _save(request: Request, invoice: Invoice, form: RescheduleForm, rows: Any) -> list[Blocker] | None:
    """None once saved; else what blocks, nothing where the form has the error."""
    wished = [row for row in (one.row() for one in rows) if row is not None]
    try:
        services.reschedule_invoice(invoice, rows=wished, actor=request.user, **form.cleaned_data)
    except TransitionRefused as refused:
        return refused.blockers
    except ValidationError as error:
        form.add_error(None, error)
        return []
    return None


@require_POST
@permission_required("billing.release_retention", raise_exception=True)
def release(request: Request, pk: int) -> HttpResponse:
    """Makes a retention due."""
    if pk >= 2**62:
        raise Http404
    instalment = get_object_or_404(Instalment.objects.visible_to(request.user).select_related("invoice"), pk=pk)
    form = ReleaseForm(request.POST)
    try:
        if not form.is_valid():
            raise ValidationError([str(text) for text in form.errors["on"]])
        services.release_retention(instalment, on=form.cleaned_data["on"], actor=request.user)
    except TransitionRefused as refused:
        messages.error(request, str(refused))
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, _("The retention is due now."))
    return redirect(instalment.get_absolute_url())
