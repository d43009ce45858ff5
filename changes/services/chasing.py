"""Reminders: of an approval that is due, of a wished date that comes near, of an applied change that somebody does not know,
of a purchase that it touched and nobody decided on."""

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from changes import events
from changes.models import Acknowledgement, ApprovalStep, ChangeRequest, PurchaseDecision
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today

State = ChangeRequest.State
#: So many days before the wished date a request that nobody judged is called to mind.
NOTICE_DAYS = 2
#: So long somebody may take to acknowledge an applied change before they are reminded.
GRACE = dt.timedelta(hours=24)
_MOST = 500


def remind_changes(today: dt.date | None = None) -> int:
    """Reminds of all that waits too long, each thing at most once a day; gives how many. Run by the schedule."""
    day = today or business_today()
    fresh = Q(reminded_on=None) | Q(reminded_on__lt=day)
    done = 0
    for step in due_steps(day).filter(fresh).select_related("change__order").order_by("pk")[:_MOST]:
        asked_now = ApprovalStep.objects.filter(fresh, pk=step.pk)
        done += _remind(asked_now, step.change, events.CHANGE_STEP_DUE, day, role=step.role_label)
    for change in unjudged(day).filter(fresh).select_related("order").order_by("pk")[:_MOST]:
        done += _remind(ChangeRequest.objects.filter(fresh, pk=change.pk), change, events.CHANGE_UNJUDGED, day)
    asked = Acknowledgement.objects.open().filter(fresh)
    late = unread().filter(Exists(asked.filter(change=OuterRef("pk"))))
    for change in late.select_related("order").order_by("pk")[:_MOST]:
        done += _remind(asked.filter(change=change), change, events.CHANGE_UNREAD, day)
    waiting = PurchaseDecision.objects.open().filter(fresh, change__applied_at__lte=timezone.now() - GRACE)
    for one in waiting.select_related("change__order").order_by("pk")[:_MOST]:
        rows = PurchaseDecision.objects.open().filter(fresh, pk=one.pk)
        done += _remind(rows, one.change, events.PURCHASE_UNDECIDED, day, purchase=one.number)
    return done


@transaction.atomic
def _remind(rows: "QuerySet[Any]", change: ChangeRequest, event: EventType, day: dt.date, **data: Any) -> bool:
    """Whoever marks the rows first reminds; a second worker finds them marked."""
    if not rows.update(reminded_on=day):
        return False
    record(event, change, root=change.order, actor=system_user(), number=change.number, **data)
    return True


def due_steps(day: dt.date) -> QuerySet[ApprovalStep]:
    """Steps that are asked now and whose days to decide end today or are over."""
    earlier = ApprovalStep.objects.waiting().filter(change=OuterRef("change"), seq__lt=OuterRef("seq"))
    rows = ApprovalStep.objects.waiting().filter(change__state=State.ASSESSED, due_on__lte=day)
    return rows.exclude(Exists(earlier))


def unjudged(day: dt.date) -> QuerySet[ChangeRequest]:
    """Requests that are not judged in full though a decision is wished by now or within a few days."""
    near = day + dt.timedelta(days=NOTICE_DAYS)
    return ChangeRequest.objects.filter(state=State.SUBMITTED, wished_date__lte=near)


def unread() -> QuerySet[ChangeRequest]:
    """Applied changes that somebody was asked to acknowledge a while ago and did not."""
    rows = Acknowledgement.objects.open().filter(change=OuterRef("pk"))
    return ChangeRequest.objects.filter(Exists(rows), state=State.APPLIED, applied_at__lte=timezone.now() - GRACE)
