"""Saved reports: keep, run, be sent, forget. All of them change something, so all are POST alone."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from ordermgmt.lib.http import Request
from reports import services
from reports.forms import SaveForm, SubscribeForm
from reports.models import ReportRun, SavedReport
from reports.services import report_by_key


def _saved(request: Request, pk: int) -> SavedReport:
    found = get_object_or_404(SavedReport.objects.visible_to(request.user), pk=pk)
    if not report_by_key(found.key).may_run(request.user):
        raise Http404
    return found


def _first_error(form: SaveForm | SubscribeForm) -> str:
    return " ".join(str(text) for found in form.errors.values() for text in found)


@require_POST
def save(request: Request, public_id: str) -> HttpResponse:
    """Keeps the filters of a result under a name."""
    run = get_object_or_404(ReportRun.objects.visible_to(request.user), public_id=public_id)
    form = SaveForm(request.POST)
    if not form.is_valid():
        messages.error(request, _first_error(form))
        return redirect("reports:run-detail", public_id=public_id)
    data = form.cleaned_data
    saved = services.save_report(
        key=run.key, params=run.params, name=data["name"], is_shared=data["is_shared"], actor=request.user
    )
    messages.success(request, _("Saved as “%(name)s”.") % {"name": saved.name})
    return redirect("reports:report-list")


@require_POST
def run(request: Request, pk: int) -> HttpResponse:
    """Asks the worker for it with today's figures."""
    saved = _saved(request, pk)
    made, _job = services.start_report(saved.key, saved.params, actor=request.user)
    return redirect("reports:run-detail", public_id=made.public_id)


@require_POST
def subscribe(request: Request, pk: int) -> HttpResponse:
    """Sends it to the reader from now on."""
    saved, form = _saved(request, pk), SubscribeForm(request.POST)
    if form.is_valid():
        services.subscribe(saved, actor=request.user, **form.cleaned_data)
        messages.success(request, _("You will be sent “%(name)s”.") % {"name": saved.name})
    else:
        messages.error(request, _first_error(form))
    return redirect("reports:report-list")


@require_POST
def unsubscribe(request: Request, pk: int) -> HttpResponse:
    """Ends the mails to the reader."""
    saved = _saved(request, pk)
    services.unsubscribe(saved, actor=request.user)
    messages.success(request, _("You are no longer sent “%(name)s”.") % {"name": saved.name})
    return redirect("reports:report-list")


@require_POST
def delete(request: Request, pk: int) -> HttpResponse:
    """Forgets one's own."""
    saved = _saved(request, pk)
    if saved.owner_id != request.user.pk:
        raise PermissionDenied
    services.delete_saved(saved, actor=request.user)
    messages.success(request, _("“%(name)s” is deleted.") % {"name": saved.name})
    return redirect("reports:report-list")
