"""Timelines and comments."""

from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET, require_POST

from ordermgmt.activity.forms import CommentForm
from ordermgmt.activity.models import Comment
from ordermgmt.activity.services import add_comment, remove_comment, timeline_of
from ordermgmt.activity.services.showing import KINDS
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole

from .base import back_to, root_or_404


@require_GET
def timeline(request: Request, key: str, pk: int) -> HttpResponse:
    """A page of an object's timeline: a fragment for the page that shows it, a page of its own without JavaScript."""
    root, instance = root_or_404(request, key, pk)
    kind, before = request.GET.get("kind", "all"), request.GET.get("before", "")
    last = whole(before)
    if kind not in KINDS or (before and last is None):
        raise Http404
    shown = timeline_of(instance, user=request.user, kind=kind, before=last)
    context = {
        "timeline": shown, "key": key, "pk": pk, "kind": kind, "label": root.label(instance), "url": root.url(instance),
        "user": request.user,
    }  # fmt: skip
    template = "activity/_entries.html" if request.headers.get("HX-Request") else "activity/timeline.html"
    response = render(request, template, context)
    response["Vary"] = "HX-Request"
    return response


@require_POST
def comment(request: Request, key: str, pk: int) -> HttpResponse:
    """Writes a comment. What was refused comes back with its text, on a page of its own: nothing typed is lost."""
    root, instance = root_or_404(request, key, pk)
    form = CommentForm(request.POST)
    if form.is_valid():
        try:
            add_comment(instance, text=form.cleaned_data["text"], actor=request.user)
        except ValidationError as error:
            form.add_error("text", error)
        else:
            return back_to(root, instance, "timeline")
    context = {"form": form, "label": root.label(instance), "url": root.url(instance), "path": request.path}
    return render(request, "activity/comment_form.html", context, status=422)


@require_POST
def remove(request: Request, pk: int) -> HttpResponse:
    """Takes one's own comment back."""
    found = get_object_or_404(Comment.objects.own(request.user), pk=pk)
    root, instance = root_or_404(request, found.root_type, found.root_id)
    remove_comment(found, actor=request.user)
    return back_to(root, instance, "timeline")
