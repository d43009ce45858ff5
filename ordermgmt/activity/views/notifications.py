"""The bell: what happened that concerns me, and how I want to hear of it."""

from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ordermgmt.activity.models import Notification, Preference
from ordermgmt.activity.services import (
    hidden_types,
    mark_read,
    optional_types,
    root_of_type,
    set_preferences,
    visible_root,
)
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables.paging import Sort, keyset_page

if TYPE_CHECKING:
    from ordermgmt.activity.models.notification import NotificationQuerySet

#: The bell counts no further.
MOST = 99


def _own(user: Any) -> "NotificationQuerySet":
    """One's notifications without those whose sentence one has no right to any more."""
    found = Notification.objects.visible_to(user)
    hidden = hidden_types(user)
    return found.exclude(event__type__in=hidden) if hidden else found


def bell(request: Request) -> dict[str, Any]:
    """Context processor: `unread_count`, asked for only where a page shows it, and never more than 99."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"unread_count": SimpleLazyObject(lambda: _own(user).unread()[:MOST].count())}


@require_GET
def notifications(request: Request) -> HttpResponse:
    """One's notifications, newest first."""
    found = _own(request.user).select_related("event__actor")
    cursors = {"after": request.GET.get("after", ""), "before": request.GET.get("before", "")}
    page = keyset_page(found, Sort("pk", True), size=30, **cursors)
    return render(request, "activity/notifications.html", {"page": page})


@require_POST
def open_notification(request: Request, pk: int) -> HttpResponse:
    """Marks one as read and leads to what it is about."""
    found = get_object_or_404(Notification.objects.visible_to(request.user).select_related("event"), pk=pk)
    mark_read(Notification.objects.filter(pk=found.pk), actor=request.user)
    return redirect("activity:open", key=found.event.root_type, pk=found.event.root_id)


@require_POST
def read_all(request: Request) -> HttpResponse:
    """Marks all as read."""
    mark_read(Notification.objects.all(), actor=request.user)
    return redirect("activity:notification-list")


@require_GET
def open_root(request: Request, key: str, pk: int) -> HttpResponse:
    """Leads to the page of an object; 404 where this reader may not see it."""
    root, instance = root_of_type(key), visible_root(request.user, key, pk)
    if root is None or instance is None:
        raise Http404
    return redirect(root.url(instance))


@require_http_methods(["GET", "POST"])
def preferences(request: Request) -> HttpResponse:
    """Per type of event: bell, mail, both or neither."""
    types = [one for one in optional_types() if not one.permission or request.user.has_perm(one.permission)]
    if request.method == "POST":
        bells, mails = set(request.POST.getlist("bell")), set(request.POST.getlist("mail"))
        set_preferences({one.name: (one.name in bells, one.name in mails) for one in types}, actor=request.user)
        return redirect("activity:preferences")
    chosen = {one.event_type: one for one in Preference.objects.filter(user=request.user)}
    rows = []
    for one in types:
        own = chosen.get(one.name)
        rows.append((one, own.bell if own else "bell" in one.channels, own.mail if own else "mail" in one.channels))
    return render(request, "activity/preferences.html", {"rows": rows})
