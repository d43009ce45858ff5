"""Laying work over the free time of work centres and people, under lock.

The database holds the capacity of a day too, so of two who take the same hour at once one wins and the other reads why.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db.models import Sum
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Assignment, CapacityBooking, CentreDay, Milestone, WorkCentre
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from orders.models import Order

from .capacity import HORIZON, capacities, days_of, hours, lay, too_little

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_CHUNK = 60
_LONGEST_REASON = 300
#: Nobody means more than 10,000 hours above capacity at once; a day could not hold them.
_MOST_OVER = 10_000 * 60
Laid = dict[dt.date, int]


@dataclass(frozen=True)
class Work:
    """What is to be laid: minutes of a work centre or a person, from a day on, up to `last` if there is one.

    Of bookings that move: `days`, on how many they lay, so that an overload stays as close together, and its `reason`.
    """

    centre: WorkCentre
    minutes: int
    first: dt.date
    last: dt.date | None = None
    milestone: Milestone | None = None
    assignment: Assignment | None = None
    days: int = _CHUNK
    reason: str = ""


def lock_centres(centres: Iterable[WorkCentre]) -> None:
    """Holds the centres by key until the transaction ends: their days and calendars change one after the other."""
    chosen = {one.pk for one in centres}
    list(WorkCentre.objects.select_for_update(no_key=True).filter(pk__in=chosen).order_by("pk").values_list("pk"))


def to_come(rows: Any, milestone: Milestone | None) -> list[CapacityBooking]:
    """Bookings from today on: what is past is worked, and neither moves nor is given back."""
    chosen = rows.filter(day__gte=business_today()).select_related(
        "work_centre", "assignment__staff__user", "assignment__line"
    )
    if milestone is not None:
        chosen = chosen.filter(milestone=milestone)
    return list(chosen.order_by("work_centre", "day", "pk"))


def lay_works(
    order: Order, works: Sequence[Work], reason: str, actor: "User", *, event: bool = True
) -> dict[dt.date, int]:
    """Lays each work under lock; gives what lies where, of all of them together."""
    total: dict[dt.date, int] = {}
    for work in works:
        laid = laid_for(order, work, reason)
        told = "; ".join(dict.fromkeys(one for one in (*work.reason.split("; "), reason) if one))
        write_laid(order, work, laid, told[:_LONGEST_REASON], actor)
        for day, minutes in laid.items():
            total[day] = total.get(day, 0) + minutes
        if event:
            record(
                events.CAPACITY_BOOKED, order, actor=actor, centre=work.centre.name, hours=hours(work.minutes),
                first=str(min(laid)), last=str(max(laid)),
            )  # fmt: skip
    return total


def laid_for(order: Order, work: Work, reason: str = "", *, partly: bool = False) -> Laid:
    """Where the work goes, with the days it may lie on locked, chunk by chunk; `partly`: as much as finds a place.

    Raises ValidationError where it finds none: for a work centre only without a `reason` or beyond all measure, for a
    person always.
    """
    laid: Laid = {}
    rest, begin = work.minutes, work.first
    end = work.last or work.first + dt.timedelta(days=HORIZON)
    while rest and begin <= end:
        until = min(end, begin + dt.timedelta(days=_CHUNK - 1))
        days = _locked_days(work.centre, begin, until)
        found, rest = lay({one.day: one.free for one in days}, rest)
        laid |= found
        begin = until + dt.timedelta(days=1)
    if partly:
        return laid
    if rest and work.last is None:
        text = _("%(centre)s has no free time for %(hours)s hours within two years.")
        raise ValidationError(text % {"centre": work.centre.name, "hours": hours(rest)})
    if rest and (not reason or work.assignment or rest > _MOST_OVER):
        raise ValidationError([too_little(work.centre, work.minutes, rest, work.first, end), *taken_by(work, end)])
    for day, minutes in _overloaded(work, end, rest).items():
        laid[day] = laid.get(day, 0) + minutes
    return laid


def _overloaded(work: Work, end: dt.date, rest: int) -> dict[dt.date, int]:
    """What is above capacity, in equal parts over the first days on which the centre works, else on the first of all."""
    if not rest:
        return {}
    able = capacities([work.centre], work.first, end)
    open_days = [day for day in days_of(work.first, end) if able[work.centre.pk, day]][: work.days] or [work.first]
    share, more = divmod(rest, len(open_days))
    parts = {day: share + (1 if place < more else 0) for place, day in enumerate(open_days)}
    return {day: minutes for day, minutes in parts.items() if minutes}


def taken_by(work: Work, end: dt.date) -> list[str]:
    """Who has the time: the orders with the most of it."""
    rows = CapacityBooking.objects.filter(work_centre=work.centre, day__gte=work.first, day__lte=end).order_by()
    summed = rows.values("order__number").annotate(sum=Sum("minutes")).order_by("-sum", "order__number")[:3]
    if not summed:
        return []
    names = ", ".join(f"{row['order__number']} ({hours(row['sum'])} h)" for row in summed)
    return [_("Already booked: %(orders)s.") % {"orders": names}]


def _locked_days(centre: WorkCentre, first: dt.date, last: dt.date) -> list[CentreDay]:
    """The rows of the days under lock, made where they are missing."""
    able = capacities([centre], first, last)
    rows = [CentreDay(work_centre=centre, day=day, capacity=minutes) for (_pk, day), minutes in able.items() if minutes]
    CentreDay.objects.bulk_create(rows, ignore_conflicts=True)
    kept = CentreDay.objects.select_for_update(no_key=True).filter(work_centre=centre, day__gte=first, day__lte=last)
    return list(kept.order_by("day"))


def write_laid(order: Order, work: Work, laid: Mapping[dt.date, int], reason: str, actor: "User") -> None:
    """Writes what `laid_for` found, with the days under lock."""
    missing = [CentreDay(work_centre=work.centre, day=day) for day in laid]
    CentreDay.objects.bulk_create(missing, ignore_conflicts=True)
    rows = (
        CentreDay.objects.select_for_update(no_key=True).filter(work_centre=work.centre, day__in=laid).order_by("day")
    )
    days = list(rows)
    over = set()
    for one in days:
        one.booked += laid[one.day]
        if one.booked > one.capacity + one.overload:
            over.add(one.day)
        one.overload = max(one.overload, one.booked - one.capacity, 0)
    CentreDay.objects.bulk_update(days, ["booked", "overload"])
    CapacityBooking.objects.bulk_create(
        [
            CapacityBooking(
                order=order, milestone=work.milestone, work_centre=work.centre, day=day, minutes=minutes,
                assignment=work.assignment, reason=reason if day in over else "", booked_by=actor,
            )
            for day, minutes in laid.items()
        ]
    )  # fmt: skip
    for day in sorted(over):
        record(events.CAPACITY_OVERLOADED, order, actor=actor, centre=work.centre.name, day=str(day), reason=reason)


def give_back(row: CapacityBooking, most: int) -> int:
    """Takes at most so many minutes out of a booking of a locked order; gives how many that were."""
    if not _still_there([row]):
        return 0
    taken = min(row.minutes, most)
    if taken < row.minutes:
        CapacityBooking.objects.create(
            order=row.order, milestone=row.milestone, work_centre=row.work_centre, assignment=row.assignment,
            day=row.day, minutes=row.minutes - taken, reason=row.reason, booked_by=row.booked_by,
        )  # fmt: skip
        row.minutes = taken
    _take_out([row])
    return taken


def free_bookings(rows: Sequence[CapacityBooking]) -> list[CapacityBooking]:
    """Takes bookings out of their days, which lose an overload that is not needed any more; gives those it took.

    An absence holds the calendar and not the order: what it gave back since the rows were read is not taken again.
    """
    found = _still_there(rows)
    _take_out(found)
    return found


def _still_there(rows: Sequence[CapacityBooking]) -> list[CapacityBooking]:
    """Those of the rows that are in the database, with their centres under lock."""
    lock_centres(one.work_centre for one in rows)
    kept = set(CapacityBooking.objects.filter(pk__in=[one.pk for one in rows]).values_list("pk", flat=True))
    return [one for one in rows if one.pk in kept]


def _take_out(rows: Sequence[CapacityBooking]) -> None:
    freed: dict[tuple[int, dt.date], int] = {}
    for one in rows:
        slot = (one.work_centre_id, one.day)
        freed[slot] = freed.get(slot, 0) + one.minutes
    centres, days = {slot[0] for slot in freed}, {slot[1] for slot in freed}
    kept = CentreDay.objects.select_for_update(no_key=True).filter(work_centre__in=centres, day__in=days)
    touched = [one for one in kept.order_by("work_centre", "day") if (one.work_centre_id, one.day) in freed]
    for row in touched:
        row.booked -= freed[row.work_centre_id, row.day]
        row.overload = max(0, min(row.overload, row.booked - row.capacity))
    CentreDay.objects.bulk_update(touched, ["booked", "overload"])
    CapacityBooking.objects.filter(pk__in=[one.pk for one in rows]).delete()
