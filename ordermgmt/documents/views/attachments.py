"""Files on objects, and files that jobs made."""

import uuid

from django.core.exceptions import ValidationError
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from ordermgmt.activity.models import Job
from ordermgmt.activity.services import root_of_type, visible_root
from ordermgmt.documents.forms import AttachmentForm
from ordermgmt.documents.models import Attachment, StoredFile
from ordermgmt.documents.services import attach_file, remove_attachment
from ordermgmt.lib.http import Request

from .serving import file_response


@require_POST
def upload(request: Request, key: str, pk: int) -> HttpResponse:
    """Puts a file on an object that the reader may see."""
    root, instance = root_of_type(key), visible_root(request.user, key, pk)
    if root is None or instance is None:
        raise Http404
    form = AttachmentForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            attach_file(instance, upload=form.cleaned_data["file"], actor=request.user)
        except ValidationError as error:
            form.add_error("file", error)
        else:
            return redirect(f"{root.url(instance)}#files")
    context = {"form": form, "label": root.label(instance), "url": root.url(instance), "path": request.path}
    return render(request, "documents/attachment_form.html", context, status=422)


def _attachment(request: Request, public_id: uuid.UUID) -> Attachment:
    """The attachment, if its object is one that the reader may see; else 404."""
    found = get_object_or_404(Attachment.objects.present().select_related("file"), public_id=public_id)
    if visible_root(request.user, found.root_type, found.root_id) is None:
        raise Http404
    return found


@require_GET
def download(request: Request, public_id: uuid.UUID) -> FileResponse:
    """The bytes of an attachment."""
    return file_response(_attachment(request, public_id).file)


@require_POST
def remove(request: Request, public_id: uuid.UUID) -> HttpResponse:
    """Takes one's own file off an object."""
    found = _attachment(request, public_id)
    remove_attachment(found, actor=request.user)
    return redirect("activity:open", key=found.root_type, pk=found.root_id)


@require_GET
def job_file(request: Request, public_id: uuid.UUID) -> FileResponse:
    """The file that a job made, for whoever may see the job."""
    job: Job = get_object_or_404(Job.objects.filter(requested_by=request.user), public_id=public_id)
    try:
        wanted = uuid.UUID(job.file)
    except ValueError:
        raise Http404 from None
    return file_response(get_object_or_404(StoredFile, public_id=wanted))
