"""Who works on an order: somebody is assigned, taken off, or another takes their place.

Locks: the order, then the calendars by key, then their days. Nobody is booked twice: the database holds it.
"""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Assignment, CapacityBooking, CorrectiveAction, Milestone, Skill, StaffMember
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.days import check_days
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.models import Order, OrderLine
from orders.services import locked

from .assigned import laid_minutes, note, tell
from .booking import bookable, check_wish
from .capacity import free_minutes, minutes_of, too_little
from .capacity import hours as shown
from .laying import Work, free_bookings, laid_for, lock_centres, taken_by, write_laid

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.assign_staff"


@transaction.atomic
def assign_staff(
    order: Order, *, staff: StaffMember, hours: Decimal, first: dt.date, last: dt.date,
    milestone: Milestone | None = None, line: OrderLine | None = None, skill: Skill | None = None, key: str,
    actor: "User",
) -> Assignment:  # fmt: skip
    """Books so many hours of somebody between two days, on the first that are free; the same `key` twice does it once.

    With a milestone the work moves when that one does. Raises PermissionDenied, TransitionRefused (a state in which
    nothing is booked), ValidationError (not enough time is free, somebody who can't be assigned, days, foreign rows).
    """
    require(actor, _RIGHT)
    order = bookable(order)
    key = f"{order.pk}:{key}"[:64]
    if known := Assignment.objects.filter(key=key).first():
        return known
    staff = _assignable(staff)
    check_wish(order, staff.calendar, hours, first, last, milestone)
    if line and (line.order_id != order.pk or line.supply != OrderLine.Supply.SERVICE):
        raise ValidationError({"line": _("Choose a service line of this order.")})
    one = Assignment(
        order=order, staff=staff, milestone=milestone, line=line, skill=skill, first=first, last=last,
        minutes=minutes_of(hours), key=key, assigned_by=actor,
    )  # fmt: skip
    lock_centres([staff.calendar])
    _place(one, actor)
    _tell_made(one, actor)
    return one


@transaction.atomic
def release_assignment(assignment: Assignment, *, actor: "User") -> Assignment:
    """Takes somebody off: what is to come is free again, what was worked stays.

    Raises PermissionDenied, TransitionRefused (nothing is to come any more).
    """
    require(actor, _RIGHT)
    order = locked(assignment.order)
    one = _locked(order, pk=assignment.pk)[0]
    lock_centres([one.staff.calendar])  # before its bookings are read: an absence may be taking them
    if not (minutes := _take(one, business_today(), actor)):
        raise TransitionRefused([Blocker(_("Nothing of it is to come any more."))])
    tell(one, events.WORK_TAKEN, actor=actor, hours=shown(minutes))
    return one


@transaction.atomic
def replace_staff(
    order: Order, *, old: StaffMember, new: StaffMember, first: dt.date, reason: str, actor: "User"
) -> list[Assignment]:
    """Puts another person in somebody's place: all work on the order from a day on moves, and what was missing too.

    Salesperson, project manager and both people are told. Raises PermissionDenied, TransitionRefused (nothing to
    come, a state in which nothing is booked), ValidationError (too little free time: then nothing moves).
    """
    require(actor, _RIGHT)
    order = bookable(order)
    new, first, reason = _assignable(new), max(first, business_today()), reason.strip()
    if old.pk == new.pk:
        raise ValidationError({"new": _("Choose somebody else.")})
    if not reason:
        raise ValidationError({"reason": _("Say why.")})
    check_days(first=first)
    lock_centres([old.calendar, new.calendar])
    made = []
    for one in _locked(order, staff=old):
        day = max(first, one.first)
        if minutes := _take(one, day, actor):
            tell(one, events.WORK_TAKEN, actor=actor, hours=shown(minutes))
            other = Assignment(
                order=order, staff=new, milestone=one.milestone, line=one.line, skill=one.skill, first=day,
                last=max(day, one.last), minutes=minutes, key=uuid4().hex, replaces=one, assigned_by=actor,
            )  # fmt: skip
            made.append(other)
    _place_all(made, actor)
    if not made:
        text = _("%(name)s has nothing to come on this order.")
        raise TransitionRefused([Blocker(text % {"name": old.user.name})])
    record(
        events.STAFF_REPLACED, order, actor=actor, new=new.user.name, old=old.user.name, reason=reason,
        hours=shown(sum(one.minutes for one in made)),
    )  # fmt: skip
    return made


@transaction.atomic
def replace_for(
    action: CorrectiveAction, *, old: StaffMember, new: StaffMember, first: dt.date, reason: str, actor: "User"
) -> CorrectiveAction:
    """As `replace_staff`, as the measure of a corrective action, which stays open until somebody says what came of it.

    Raises as `replace_staff`, and TransitionRefused where the action is done.
    """
    require(actor, "fulfilment.correct_service")
    order = locked(action.order)
    row = CorrectiveAction.objects.select_for_update(no_key=True).get(pk=action.pk)
    if row.state != CorrectiveAction.State.OPEN:
        raise TransitionRefused([Blocker(_("It is done already."))])
    replace_staff(order, old=old, new=new, first=first, reason=reason, actor=actor)
    was, row.measure = snapshot(row), CorrectiveAction.Measure.REPLACE
    row.save()
    record(
        events.CORRECTION_REPLACED, row, root=order, actor=actor, before=was, after=snapshot(row), new=new.user.name,
        old=old.user.name, owner_id=row.owner_id,
    )  # fmt: skip
    return row


def _assignable(staff: StaffMember) -> StaffMember:
    found = StaffMember.objects.in_use().select_related("user", "calendar").filter(pk=staff.pk).first()
    if found is None:
        raise ValidationError({"staff": _("Choose somebody who can be assigned.")})
    found.calendar.name = found.user.name
    return found


def _locked(order: Order, **which: object) -> Sequence[Assignment]:
    rows = Assignment.objects.filter(order=order, **which).select_related("staff__user", "milestone", "line", "skill")
    found = list(rows.select_for_update(no_key=True, of=["self"]).order_by("pk"))
    for one in found:
        one.order = order
    return found


def _take(one: Assignment, first: dt.date, actor: "User") -> int:
    """Gives back what lies from `first` on and what is missing; gives how many minutes that are."""
    rows = CapacityBooking.objects.filter(assignment=one, day__gte=first).select_related("work_centre")
    given = list(rows.order_by("day", "pk"))
    missing = one.minutes - laid_minutes([one]).get(one.pk, 0)
    minutes = sum(row.minutes for row in given) + missing
    if not minutes:
        return 0
    was = snapshot(one)
    free_bookings(given)
    one.minutes -= minutes
    one.save()
    note(one, events.ASSIGNMENT_ENDED, actor=actor, was=was, hours=shown(minutes))
    return minutes


def _place(one: Assignment, actor: "User") -> None:
    """Finds days for it under lock and writes both; its calendar is locked. Raises ValidationError."""
    work = Work(one.staff.calendar, one.minutes, one.first, one.last, one.milestone, one)
    laid = laid_for(one.order, work)
    one.save()
    write_laid(one.order, work, laid, "", actor)


def _place_all(made: Sequence[Assignment], actor: "User") -> None:
    """Finds days for all that one person takes over: what has to be done first is laid first, so that all of it finds
    a place where it can. Raises ValidationError, which counts none of it as time that others took."""
    in_turn = sorted(made, key=lambda one: (one.last, one.first))
    try:
        with transaction.atomic():
            for one in in_turn:
                _place(one, actor)
    except ValidationError as error:
        if len(in_turn) == 1:
            raise
        first, last = min(one.first for one in made), max(one.last for one in made)
        work = Work(made[0].staff.calendar, sum(one.minutes for one in made), first, last)
        free = sum(free_minutes([work.centre], first, last).values())
        if free >= work.minutes:
            text = _("The hours of %(name)s are enough, but not on the days on which the work has to be done.")
            raise ValidationError([text % {"name": work.centre.name}, *taken_by(work, last)]) from error
        told = too_little(work.centre, work.minutes, work.minutes - free, first, last)
        raise ValidationError([told, *taken_by(work, last)]) from error
    for one in made:
        _tell_made(one, actor)


def _tell_made(one: Assignment, actor: "User") -> None:
    told: dict[str, Any] = {"hours": shown(one.minutes), "first": str(one.first), "last": str(one.last)}
    note(one, events.ASSIGNMENT_MADE, actor=actor, **told)
    tell(one, events.WORK_GIVEN, actor=actor, **told)
