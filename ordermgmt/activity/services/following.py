"""Follow-up tasks: who does what about an object by when."""

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from ordermgmt.activity import events
from ordermgmt.activity.models import FollowUp
from ordermgmt.activity.models.roots import find_root, may_see, root_link

from .recording import record, snapshot, type_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_REMIND_AT_ONCE = 500


@transaction.atomic
def create_followup(root: models.Model, *, title: str, due: dt.date, assignee: "User", actor: "User") -> FollowUp:
    """Gives somebody a task about an object.

    Raises PermissionDenied where `actor` may not see the object, ValidationError where `assignee` may not.
    """
    if not may_see(actor, type_of(root), root.pk):
        raise PermissionDenied
    if not assignee.is_active or not may_see(assignee, type_of(root), root.pk):
        raise ValidationError({"assignee": _("%(name)s may not see this.") % {"name": assignee.name}})
    task = FollowUp(
        root_type=type_of(root),
        root_id=root.pk,
        root_label=root_link(type_of(root), root)[0][:200],
        title=title.strip(),
        due=due,
        assignee=assignee,
        created_by=actor,
    )
    task.full_clean(exclude=["assignee", "created_by", "done_at", "done_by", "reminded_for"])
    task.save()
    record(
        events.FOLLOWUP_CREATED, task, root=root, actor=actor, title=task.title, assignee=assignee.name, due=task.due
    )
    return task


def _locked(task: FollowUp, actor: "User") -> FollowUp:
    task = FollowUp.objects.select_for_update(no_key=True).get(pk=task.pk)
    if actor.pk not in (task.assignee_id, task.created_by_id):
        raise PermissionDenied
    return task


@transaction.atomic
def finish_followup(task: FollowUp, *, actor: "User") -> FollowUp:
    """Marks a task as done, by whoever has it or gave it. A second time changes nothing. Raises PermissionDenied."""
    task = _locked(task, actor)
    if task.done_at is None:
        _mark(task, timezone.now(), actor, events.FOLLOWUP_DONE, actor)
    return task


@transaction.atomic
def reopen_followup(task: FollowUp, *, actor: "User") -> FollowUp:
    """Takes “done” back. On an open task it changes nothing. Raises PermissionDenied."""
    task = _locked(task, actor)
    if task.done_at is not None:
        _mark(task, None, None, events.FOLLOWUP_REOPENED, actor)
    return task


def _mark(task: FollowUp, at: dt.datetime | None, by: "User | None", event: events.EventType, actor: "User") -> None:
    before = snapshot(task, "done_at", "done_by")
    task.done_at, task.done_by = at, by
    task.save(update_fields=["done_at", "done_by"])
    after = snapshot(task, "done_at", "done_by")
    root = find_root(task.root_type, task.root_id)
    record(event, task, root=root, actor=actor, before=before, after=after, title=task.title)


def remind_due(today: dt.date | None = None) -> int:
    """Tells people of their tasks that are due, once per task and due date; gives how many. Run by the schedule."""
    today = today or timezone.localdate()
    found = FollowUp.objects.open().filter(Q(reminded_for=None) | Q(reminded_for__lt=models.F("due")), due__lte=today)
    told = 0
    for task in found.order_by("pk")[:_REMIND_AT_ONCE]:
        with transaction.atomic():
            fresh = Q(reminded_for=None) | Q(reminded_for__lt=task.due)
            if FollowUp.objects.filter(fresh, pk=task.pk).update(reminded_for=task.due):
                root = find_root(task.root_type, task.root_id)
                record(events.FOLLOWUP_DUE, task, root=root, actor=None, title=task.title)
                told += 1
    return told
