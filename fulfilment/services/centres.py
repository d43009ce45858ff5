"""Setting work centres up: their shifts, days that differ, and what products ask of them.

What is booked stays where it is when a calendar shrinks: the days that are then too full are named, and saved only with
a reason.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import CalendarException, CentreDay, RoutingStep, Shift, StaffMember, WorkCentre
from fulfilment.models.capacity import DAY
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.days import check_days

from .absent import vacate
from .capacity import capacities, day_text, hours, minutes_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.set_capacity"
#: (weekday with Monday as 0, begin, end)
Times = Sequence[tuple[int, dt.time, dt.time]]
_WEEK = 7 * DAY


@transaction.atomic
def save_centre(
    centre: WorkCentre | None, *, shifts: Times, actor: "User", version: int | None = None, reason: str = "",
    **fields: Any,
) -> WorkCentre:  # fmt: skip
    """Makes or changes a work centre with its weekly shifts.

    Raises PermissionDenied, StaleVersion, ValidationError (shifts that overlap, a code twice, days that would be too
    full, unless `reason` says why that is right).
    """
    require(actor, _RIGHT)
    return write_centre(centre, shifts=shifts, actor=actor, version=version, reason=reason, **fields)


def write_centre(
    centre: WorkCentre | None, *, shifts: Times, actor: "User", version: int | None = None, reason: str = "",
    **fields: Any,
) -> WorkCentre:  # fmt: skip
    """As `save_centre`, for verbs that asked for a right of their own: a person's week is such a calendar too."""
    row = WorkCentre.objects.select_for_update(no_key=True).get(pk=centre.pk) if centre else WorkCentre()
    if centre and version is not None and row.version != version:
        raise StaleVersion(row)
    was = snapshot(row) | {"shifts": _told(row)} if centre else None
    for name, value in fields.items():
        setattr(row, name, value)
    row.full_clean()
    _check_shifts(shifts)
    row.version += 1 if centre else 0
    row.save()
    row.shifts.all().delete()
    Shift.objects.bulk_create([Shift(work_centre=row, weekday=day, begins=a, ends=b) for day, a, b in shifts])
    _follow_calendar([row], reason, actor)
    record(
        events.CENTRE_SAVED, row, actor=actor, before=was, after=snapshot(row) | {"shifts": _told(row)}, name=row.name
    )
    return row


@transaction.atomic
def add_exception(
    *, work_centre: WorkCentre | None, day: dt.date, last: dt.date | None = None, hours_open: Decimal = Decimal(0),
    reason: str, anyway: bool = False, actor: "User",
) -> list[CalendarException]:  # fmt: skip
    """Says how long the work centre (None: every one) works on a day, or on each up to `last`; 0 hours: closed.

    Raises PermissionDenied, ValidationError (a day twice or past, days that would be too full, unless `anyway`).
    """
    require(actor, _RIGHT)
    made = except_days(
        work_centre, day=day, last=last, hours_open=hours_open, reason=reason, anyway=anyway, actor=actor
    )
    centre = work_centre.name if work_centre else _("all work centres")
    record(
        events.CALENDAR_CHANGED, made[0], actor=actor, after=snapshot(made[0]), centre=centre, day=str(day),
        last=str(last or day), reason=reason,
    )  # fmt: skip
    return made


def except_days(
    work_centre: WorkCentre | None, *, day: dt.date, last: dt.date | None, hours_open: Decimal, reason: str,
    anyway: bool, actor: "User",
) -> list[CalendarException]:  # fmt: skip
    """As `add_exception`, for verbs that asked for a right of their own; records what it does to bookings only."""
    last = last or day
    if day < business_today():
        raise ValidationError({"day": _("The day is over.")})
    check_days(day=day)
    if not 0 <= (last - day).days <= 60:
        raise ValidationError({"last": _("The last day lies within 60 days from the first.")})
    if not 0 <= hours_open <= 24:
        raise ValidationError({"hours_open": _("A day has 0 to 24 hours.")})
    made = []
    for n in range((last - day).days + 1):
        one = CalendarException(
            work_centre=work_centre, day=day + dt.timedelta(days=n), minutes=minutes_of(hours_open), reason=reason
        )
        one.full_clean()
        one.save()
        made.append(one)
    _follow_calendar(_concerned(work_centre), reason if anyway else "", actor)
    return made


@transaction.atomic
def remove_exception(exception: CalendarException, *, actor: "User") -> CalendarException:
    """The day follows the weekly shifts again. Raises PermissionDenied, ValidationError (a day that is too full then)."""
    require(actor, _RIGHT)
    return restore_day(exception, actor=actor)


def restore_day(exception: CalendarException, *, actor: "User") -> CalendarException:
    """As `remove_exception`, for verbs that asked for a right of their own."""
    found = CalendarException.objects.select_for_update(no_key=True).filter(pk=exception.pk).order_by("pk").first()
    if found is None:
        raise ValidationError(_("This exception is gone already."))
    record(events.CALENDAR_RESTORED, found, actor=actor, before=snapshot(found), day=str(found.day))
    found.delete()
    _follow_calendar(_concerned(exception.work_centre), "", actor)
    return exception


@transaction.atomic
def save_routing_step(step: RoutingStep | None, *, actor: "User", **fields: Any) -> RoutingStep:
    """Makes or changes what a product asks of a work centre; bookings stay. Raises PermissionDenied, ValidationError."""
    require(actor, _RIGHT)
    row = RoutingStep.objects.select_for_update(no_key=True).get(pk=step.pk) if step else RoutingStep()
    was = snapshot(row) if step else None
    for name, value in fields.items():
        setattr(row, name, value)
    row.full_clean()
    row.save()
    record(
        events.ROUTING_SAVED, row, root=row.product, actor=actor, before=was, after=snapshot(row),
        centre=row.work_centre.name, sku=row.product.sku,
    )  # fmt: skip
    return row


@transaction.atomic
def remove_routing_step(step: RoutingStep, *, actor: "User") -> RoutingStep:
    """The product asks nothing of the work centre any more. Raises PermissionDenied."""
    require(actor, _RIGHT)
    record(
        events.ROUTING_REMOVED, step, root=step.product, actor=actor, before=snapshot(step),
        centre=step.work_centre.name, sku=step.product.sku,
    )  # fmt: skip
    RoutingStep.objects.filter(pk=step.pk).delete()
    return step


def _told(centre: WorkCentre) -> list[str]:
    return [f"{one.weekday} {one}" for one in centre.shifts.all()] if centre.pk else []


def _concerned(centre: WorkCentre | None) -> list[WorkCentre]:
    """The work centres under lock, so that nobody books by the old calendar meanwhile."""
    rows = WorkCentre.objects.select_for_update(no_key=True).order_by("pk")
    return list(rows.filter(pk=centre.pk) if centre else rows)


def _check_shifts(shifts: Times) -> None:
    """Raises ValidationError where two shifts of the week, nights and Sunday night included, overlap."""
    spans = []
    for weekday, begins, ends in shifts:
        start = weekday * DAY + begins.hour * 60 + begins.minute
        length = ((ends.hour * 60 + ends.minute) - (begins.hour * 60 + begins.minute)) % DAY or DAY
        spans.append((start, start + length))
    spans.sort()
    around = [*spans, (spans[0][0] + _WEEK, 0)] if spans else []
    if any(first[1] > then[0] for first, then in pairwise(around)):
        raise ValidationError({"shifts": _("Two shifts overlap.")})


def _follow_calendar(centres: Iterable[WorkCentre], reason: str, actor: "User") -> None:
    """Brings the days to come into step with the calendar. Raises ValidationError for days that would be too full.

    With a reason work centres are overloaded; people are not, and lose the work that has no time any more.
    """
    chosen = {one.pk: one for one in centres}
    days = list(
        CentreDay.objects.select_for_update(no_key=True)
        .filter(work_centre__in=chosen, day__gte=business_today())
        .order_by("work_centre", "day")
    )
    if not days:
        return
    able = capacities(chosen.values(), min(one.day for one in days), max(one.day for one in days))
    full = []
    people = set(StaffMember.objects.filter(calendar__in=chosen).values_list("calendar", flat=True))
    for one in days:
        one.capacity = able[one.work_centre_id, one.day]
        over = max(0, one.booked - one.capacity)
        if over and reason and one.work_centre_id in people:
            vacate(one, over, actor=actor)
            over = 0
        if over > one.overload:
            full.append((chosen[one.work_centre_id], one.day, over))
        one.overload = over
    if full and not reason:
        text = _("%(centre)s would be booked %(over)s hours above its capacity on %(day)s.")
        raise ValidationError(
            [
                text % {"centre": centre.name, "over": hours(over), "day": day_text(day)}
                for centre, day, over in full[:5]
            ]
        )
    CentreDay.objects.bulk_update(days, ["capacity", "overload"])
    for centre, day, over in full:
        record(
            events.CENTRE_OVERLOADED,
            centre,
            actor=actor,
            centre=centre.name,
            day=str(day),
            over=str(over),
            reason=reason,
        )
