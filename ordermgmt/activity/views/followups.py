"""Follow-up tasks."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from ordermgmt.activity.forms import FollowUpForm
from ordermgmt.activity.models import FollowUp
from ordermgmt.activity.services import create_followup, finish_followup, reopen_followup
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView

from .base import back_to, root_or_404


@require_http_methods(["GET", "POST"])
def create(request: Request, key: str, pk: int) -> HttpResponse:
    """Gives somebody a task about an object."""
    root, instance = root_or_404(request, key, pk)
    form = FollowUpForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            create_followup(
                instance, title=data["title"], due=data["due"], assignee=data["assignee"], actor=request.user
            )
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("The task was given."))
            return back_to(root, instance, "followups")
    context = {"form": form, "label": root.label(instance), "url": root.url(instance), "path": request.path}
    return render(request, "activity/followup_form.html", context, status=422 if request.method == "POST" else 200)


@require_POST
def change(request: Request, pk: int, verb: str) -> HttpResponse:
    """Marks a task as done, or takes that back; then leads where the reader came from."""
    task = get_object_or_404(FollowUp.objects.visible_to(request.user), pk=pk)
    (finish_followup if verb == "finish" else reopen_followup)(task, actor=request.user)
    back = request.POST.get("back", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts=None) else "activity:followup-list")


class FollowUpList(ListView):
    """One's own tasks: given to oneself or by oneself."""

    key = "activity.followups"
    title = gettext_lazy("Tasks")
    default_sort = "due"
    columns = [
        Column("due", gettext_lazy("By"), kind="date"),
        Column("title", gettext_lazy("What to do")),
        Column("root_label", gettext_lazy("About")),
        Column("assignee", gettext_lazy("Who"), path="assignee.name"),
        Column("created_by", gettext_lazy("Given by"), path="created_by.name"),
        Column(
            "state",
            gettext_lazy("State"),
            value=lambda task: (
                _("Done") if task.done_at else _("Late") if task.due < timezone.localdate() else _("Open")
            ),
        ),
    ]
    empty_text = gettext_lazy("On the page of an order or customer you can give a task with a day.")

    def queryset(self) -> models.QuerySet[FollowUp]:
        found = FollowUp.objects.visible_to(self.request.user).select_related("assignee", "created_by")
        return found if self.request.GET.get("done") else found.open()

    def row_url(self, row: FollowUp) -> str:
        return f"/activity/open/{row.root_type}/{row.root_id}/"
