"""Files with every row of a report: asked for here, made by the worker, handed out to whoever still may read them."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_POST

from ordermgmt.activity.models import Job
from ordermgmt.documents.models import StoredFile
from ordermgmt.documents.views.serving import file_response
from ordermgmt.lib.http import Request
from reports.models import ReportRun
from reports.services import EXPORT_JOB, WHOLE, has_rights, start_export


@require_POST
def make(request: Request, public_id: Any, file_format: str) -> HttpResponse:
    """Asks the worker for the file; its page shows progress, cancel and then the link."""
    run = get_object_or_404(
        ReportRun.objects.visible_to(request.user).exclude(result__isnull=True), public_id=public_id
    )
    if file_format not in WHOLE:
        raise Http404
    job = start_export(run, file_format, actor=request.user)
    return redirect("activity:job-detail", public_id=job.public_id)


@require_GET
def download(request: Request, public_id: uuid.UUID) -> HttpResponseBase:
    """The file, for the person who asked for it, as long as every right it was made with is still there."""
    job = get_object_or_404(Job.objects.filter(requested_by=request.user, kind=EXPORT_JOB), public_id=public_id)
    made = job.result or {}
    if not made.get("stored"):
        raise Http404
    if not has_rights(request.user, made["rights"]):
        raise PermissionDenied
    return file_response(get_object_or_404(StoredFile, public_id=made["stored"]))
