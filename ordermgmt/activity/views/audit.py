"""The audit: who did what, when, from where, with what before and after."""

from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from ordermgmt.activity.filters import AuditFilter
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import differences, hidden_types, root_link
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView


class AuditList(ListView):
    """All events, filtered."""

    key = "activity.audit"
    title = _("Audit")
    permission = "activity.view_audit"
    default_sort = "-pk"
    filterset_class = AuditFilter
    columns = [
        Column("at", _("When"), kind="datetime", sortable=False),
        Column("actor", _("Who"), value=lambda event: event.actor.name if event.actor else "–"),
        Column("message", _("What"), value=lambda event: event.message),
        Column("root", _("About"), value=lambda event: f"{event.root_type} {event.root_id or ''}"),
        Column("source", _("By way of"), sortable=False),
        Column("request_id", _("Request id"), sortable=False, default=False),
        Column("type", _("Type"), sortable=False, default=False),
    ]

    def queryset(self) -> models.QuerySet[Event]:
        return Event.objects.select_related("actor")

    def row_url(self, row: Event) -> str:
        return reverse("activity:event-detail", args=[row.pk])


@require_GET
def detail(request: Request, pk: int) -> HttpResponse:
    """One event with everything that was kept of it."""
    if not request.user.has_perm("activity.view_audit"):
        raise PermissionDenied
    event = get_object_or_404(Event.objects.select_related("actor"), pk=pk)
    label, link = root_link(event.root_type, event.root)
    # Amounts that a sentence keeps from this reader are kept from them here too.
    withheld = event.type in hidden_types(request.user)
    shown = [] if withheld else differences(event, user=request.user)
    context = {"event": event, "differences": shown, "withheld": withheld, "label": label, "link": link}
    return render(request, "activity/event_detail.html", context)
