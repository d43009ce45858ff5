"""Background work: one's own jobs with progress, cancel and result; all of it for whoever watches operations."""

import uuid

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from ordermgmt.activity import events
from ordermgmt.activity.filters import JobFilter
from ordermgmt.activity.models import Delivery, Heartbeat, Job, WorkState
from ordermgmt.activity.services import cancel_job, record, retry_delivery, retry_job
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView


def _job(request: Request, public_id: uuid.UUID) -> Job:
    found: Job = get_object_or_404(Job.objects.visible_to(request.user), public_id=public_id)
    return found


@require_GET
def detail(request: Request, public_id: uuid.UUID) -> HttpResponse:
    """Progress, told aloud while it runs; the bare fragment for htmx, which stops asking when the job has ended."""
    job = _job(request, public_id)
    template = "activity/_job.html" if request.headers.get("HX-Request") else "activity/job.html"
    response = render(request, template, {"job": job})
    response["Vary"] = "HX-Request"
    return response


@require_GET
def as_json(request: Request, public_id: uuid.UUID) -> JsonResponse:
    """State and progress for scripts."""
    job = _job(request, public_id)
    return JsonResponse(
        {
            "id": str(job.public_id),
            "kind": job.kind,
            "state": job.state,
            "progress": job.progress,
            "total": job.total,
            "percent": job.percent,
            "note": job.note,
            "result": job.result,
            "error": job.error,
        }
    )


@require_POST
def cancel(request: Request, public_id: uuid.UUID) -> HttpResponse:
    """Asks a job to stop."""
    job = cancel_job(_job(request, public_id), actor=request.user)
    if job.is_finished and job.state != WorkState.CANCELLED:
        messages.info(request, _("The work had ended before."))
    return redirect(job)


@require_POST
def retry(request: Request, public_id: uuid.UUID) -> HttpResponse:
    """Starts a failed or cancelled job anew."""
    return redirect(retry_job(_job(request, public_id), actor=request.user))


class JobList(ListView):
    """One's own background work."""

    key = "activity.jobs"
    title = gettext_lazy("Background work")
    default_sort = "-created_at"
    filterset_class = JobFilter
    columns = [
        Column("title", gettext_lazy("What")),
        Column("state", gettext_lazy("State"), kind="badge"),
        Column("note", gettext_lazy("Note")),
        Column("created_at", gettext_lazy("Asked for"), kind="datetime"),
        Column("finished_at", gettext_lazy("Ended"), kind="datetime", nullable=True),
        Column("requested_by", gettext_lazy("By"), path="requested_by.name", nullable=True),
    ]
    empty_text = gettext_lazy("Reports, imports and PDFs that take longer appear here.")

    def queryset(self) -> "models.QuerySet[Job]":
        found: models.QuerySet[Job] = Job.objects.visible_to(self.request.user).select_related("requested_by")
        return found


def _operators_only(request: Request) -> None:
    if not request.user.has_perm("activity.view_operations"):
        raise PermissionDenied


@require_GET
def operations(request: Request) -> HttpResponse:
    """Dead and waiting work, and when the background processes were last alive."""
    _operators_only(request)
    context = {
        "heartbeats": Heartbeat.objects.order_by("name"),
        "waiting": Job.objects.unfinished().count() + Delivery.objects.unfinished().count(),
        "jobs": Job.objects.failed().select_related("requested_by").order_by("-pk")[:100],
        "deliveries": Delivery.objects.failed().select_related("event").order_by("-pk")[:100],
    }
    return render(request, "activity/operations.html", context)


@require_POST
def retry_dead(request: Request, pk: int) -> HttpResponse:
    """Gives a dead delivery another chance."""
    _operators_only(request)
    delivery: Delivery = get_object_or_404(Delivery.objects.failed(), pk=pk)
    with transaction.atomic():
        retry_delivery(delivery)
        record(events.WORK_RETRIED, delivery, actor=request.user, what=delivery.effect)
    messages.success(request, _("It will be tried again within half a minute."))
    return redirect("activity:operations")
