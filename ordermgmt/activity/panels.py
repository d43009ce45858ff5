"""My tasks on the start page; this app's pages in the palette; jobs carry a timeline."""

from typing import Any

from django.middleware.csrf import get_token
from django.utils.translation import gettext_lazy as _

from ordermgmt.activity.models import Delivery, FollowUp, Job
from ordermgmt.activity.services import register_root
from ordermgmt.lib.http import Request
from ordermgmt.lib.palette import command
from ordermgmt.lib.panels import Panel, register

register_root(
    Job,
    url=Job.get_absolute_url,
    visible=Job.objects.visible_to,
    label=lambda job: job.title or job.kind,
    name=_("background work"),
)
register_root(
    Delivery,
    url=lambda _delivery: "/activity/operations/",
    visible=Delivery.objects.visible_to,
    label=lambda delivery: delivery.effect,
    name=_("delivery"),
)


def _my_tasks(request: Request, _instance: Any) -> dict[str, Any] | None:
    """What I have to do, the oldest first; nothing where there is nothing."""
    found = FollowUp.objects.filter(assignee=request.user).open().select_related("assignee").order_by("due", "pk")
    tasks = list(found[:8])
    if not tasks:
        return None
    return {"tasks": tasks, "user": request.user, "back": "/", "csrf_token": get_token(request)}


def _failed(_request: Request, _instance: Any) -> dict[str, Any] | None:
    """What workers gave up on, the newest first; nothing where there is nothing."""
    jobs, deliveries = Job.objects.failed(), Delivery.objects.failed()
    counts = {"jobs": jobs.count(), "deliveries": deliveries.count()}
    if not any(counts.values()):
        return None
    return counts | {"rows": list(jobs.select_related("requested_by").order_by("-pk")[:5])}


register(
    Panel(
        "home", "failed-work", _("Work that failed"), "activity/_home_failed.html", _failed, order=3,
        permission="activity.view_operations",
    )
)  # fmt: skip
register(Panel("home", "tasks", _("My tasks"), "activity/_home_tasks.html", _my_tasks, slot="side", order=10))
command(_("My tasks"), "/activity/tasks/", "", "tasks todo follow-up 任务 待办")
command(_("Background work"), "/activity/jobs/", "", "jobs progress 后台任务")
command(_("Notifications"), "/activity/notifications/", "", "bell notifications 通知")
command(_("Audit"), "/activity/audit/", "activity.view_audit", "audit log 审计")
command(_("Operations"), "/activity/operations/", "activity.view_operations", "operations dead jobs 运维")
