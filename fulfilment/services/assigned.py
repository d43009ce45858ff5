"""What becomes of assignments when the plan moves, work ends, or somebody is absent: they say so, and people are told."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Sum

from fulfilment import events
from fulfilment.models import Assignment, CapacityBooking, Milestone
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record, snapshot
from orders.models import Order

from .capacity import hours

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def laid_minutes(assignments: Iterable[Assignment]) -> dict[int, int]:
    """What lies on days, past ones too, of each assignment (by id). One query."""
    rows = CapacityBooking.objects.filter(assignment__in=[one.pk for one in assignments]).order_by()
    return dict(rows.values_list("assignment").annotate(sum=Sum("minutes")))


def remaining(assignments: Iterable[Assignment], today: dt.date) -> dict[int, int]:
    """What is to come of each assignment (by id), what has no place included. One query."""
    rows = list(assignments)
    past = CapacityBooking.objects.filter(assignment__in=[one.pk for one in rows], day__lt=today).order_by()
    done = dict(past.values_list("assignment").annotate(sum=Sum("minutes")))
    return {one.pk: one.minutes - done.get(one.pk, 0) for one in rows}


def coming(order: Order, today: dt.date) -> list[tuple[Assignment, int]]:
    """The order's assignments of which something is to come, with how many minutes."""
    rows = Assignment.objects.filter(order=order, minutes__gt=0).select_related("staff__user", "skill")
    left = remaining(rows, today)
    return [(one, left[one.pk]) for one in rows if left[one.pk]]


def note(
    assignment: Assignment, event: EventType, *, actor: "User | None", was: dict[str, Any] | None = None, **data: Any
) -> None:
    """Records what became of an assignment on the timeline of its order."""
    record(
        event, assignment, root=assignment.order, actor=actor, before=was, after=snapshot(assignment),
        name=assignment.staff.user.name, what=assignment.what, **data,
    )  # fmt: skip


def tell(assignment: Assignment, event: EventType, *, actor: "User | None", **data: Any) -> None:
    """Tells the assigned person, on their own timeline: they need not see the order, nor need others who read it."""
    staff, order = assignment.staff, assignment.order
    record(event, staff, actor=actor, user_id=staff.user_id, number=order.number, **data)


def follow(
    assignment: Assignment, *, first: dt.date, last: dt.date | None, wanted: int, laid: Mapping[dt.date, int],
    actor: "User",
) -> None:  # fmt: skip
    """Its work to come lies between other days now; what found no place stays missing, and the planner is told."""
    was = snapshot(assignment)
    begun = CapacityBooking.objects.filter(assignment=assignment, day__lt=first).exists()
    assignment.first = min(assignment.first, first) if begun else first
    assignment.last = max([first, *laid, *([last] if last else [])])
    assignment.save()
    told = {"first": str(min(laid, default=first)), "last": str(max(laid, default=last or first))}
    note(assignment, events.ASSIGNMENT_MOVED, actor=actor, was=was, **told)
    tell(assignment, events.WORK_MOVED, actor=actor, **told)
    if missing := wanted - sum(laid.values()):
        note(assignment, events.ASSIGNMENT_SHORT, actor=actor, hours=hours(missing))


def end_assignments(
    order: Order, milestone: Milestone | None, *, actor: "User | None", forget: bool = False
) -> Sequence[Assignment]:
    """Nothing is to come of the order's (or milestone's) assignments any more: what lies in the past is all there is.

    `forget` takes them from a milestone that leaves the plan. The order is locked and the bookings are given back.
    """
    rows = Assignment.objects.filter(order=order).select_related("staff__user", "milestone", "line").order_by("pk")
    if milestone is not None:
        rows = rows.filter(milestone=milestone)
    found = list(rows.select_for_update(no_key=True, of=["self"]))
    laid = laid_minutes(found)
    ended = []
    for one in found:
        rest = one.minutes - laid.get(one.pk, 0)
        if not rest and not forget:
            continue
        was, one.order = snapshot(one), order
        one.minutes -= rest
        told = {"hours": hours(rest)}
        if forget:
            one.milestone = None
        one.save()
        note(one, events.ASSIGNMENT_ENDED, actor=actor, was=was, **told)
        if rest:
            tell(one, events.WORK_TAKEN, actor=actor, **told)
        ended.append(one)
    return ended
