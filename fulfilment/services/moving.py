"""Bookings of work centres and people that move when their milestone does."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Sum

from fulfilment import events
from fulfilment.models import CapacityBooking, Milestone
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today

from .assigned import follow, laid_minutes
from .capacity import HORIZON, capacities, free_minutes, hours, lay, too_little
from .laying import Work, free_bookings, laid_for, lay_works, lock_centres, to_come, write_laid

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def move_conflicts(milestone: Milestone) -> list[str]:
    """What of a milestone's bookings finds no place by its (unsaved) dates: a sentence for each work centre or person."""
    return no_place(moved_work(milestone), _own(milestone))


def no_place(works: Sequence[Work], own: Mapping[tuple[int, dt.date], int]) -> list[str]:
    """What of the works finds no place: a sentence for each; what is `own` of a centre and day is given back first."""
    found, left = [], dict(own)
    for work in works:
        laid, rest = lay(dict(_free(work, own=left)), work.minutes)
        for day, minutes in laid.items():  # two assignments of one person do not share an hour
            left[work.centre.pk, day] = left.get((work.centre.pk, day), 0) - minutes
        if rest and work.last:
            found.append(too_little(work.centre, work.minutes, rest, work.first, work.last))
    return found


def follow_milestone(milestone: Milestone, works: Sequence[Work], *, reason: str, actor: "User") -> None:
    """Lays the bookings of a moved milestone where its dates are now; `works` is what `moved_work` said before.

    The order is locked. What finds no place becomes an overload of a work centre for the reason of the move; of a
    person it is missing from then on, for nobody works twice at once.
    """
    if not works:
        return
    order = milestone.order
    lock_centres(work.centre for work in works)
    rows = to_come(CapacityBooking.objects.filter(order=order), milestone)
    if not rows:
        return
    free_bookings(rows)
    lay_works(order, [work for work in works if work.assignment is None], reason, actor, event=False)
    for work in works:
        if work.assignment is not None:
            laid = laid_for(order, work, partly=True)
            write_laid(order, work, laid, "", actor)
            work.assignment.order, work.assignment.milestone = order, milestone
            follow(work.assignment, first=work.first, last=work.last, wanted=work.minutes, laid=laid, actor=actor)
    days = [work.first for work in works]
    total = hours(sum(work.minutes for work in works))
    record(events.BOOKINGS_MOVED, order, actor=actor, name=str(milestone), hours=total, day=str(min(days)))


def moved_work(milestone: Milestone) -> list[Work]:
    """What its bookings from today on become by its (unsaved) dates: all shifted by as many days as its begin.

    What was missing of a person's work is looked for again.
    """
    stored = Milestone.objects.filter(pk=milestone.pk).first()
    if stored is None:
        return []
    rows = to_come(CapacityBooking.objects.filter(order=milestone.order_id), stored)
    before, begin = stored.start or stored.forecast, milestone.start or milestone.forecast
    if not rows or before is None or begin is None:
        return []
    shift, today, found = begin - before, business_today(), []
    assigned = {one.assignment_id: one.assignment for one in rows if one.assignment is not None}
    laid = laid_minutes(assigned.values())
    for key in dict.fromkeys((one.work_centre_id, one.assignment_id) for one in rows):
        own = [one for one in rows if (one.work_centre_id, one.assignment_id) == key]
        begun, minutes = min(one.day for one in own), sum(one.minutes for one in own)
        if assignment := assigned.get(key[1]):
            minutes += assignment.minutes - laid[assignment.pk]
            begun = assignment.first if assignment.first >= today else begun
        first = max(begun + shift, milestone.start or today, today)
        last = max(first, milestone.forecast) if milestone.forecast else None
        found.append(laid_anew(own, minutes, first, last, milestone=stored, assignment=assignment))
    return found


def laid_anew(rows: Sequence[CapacityBooking], minutes: int, first: dt.date, last: dt.date | None, **of: Any) -> Work:
    """The work that bookings of one centre become on other days: as close together, with the reasons they had."""
    reasons = "; ".join(dict.fromkeys(one.reason for one in rows if one.reason))
    return Work(rows[0].work_centre, minutes, first, last, days=len({one.day for one in rows}), reason=reasons, **of)


def _own(milestone: Milestone) -> dict[tuple[int, dt.date], int]:
    rows = CapacityBooking.objects.filter(milestone=milestone.pk, day__gte=business_today()).order_by()
    summed = rows.values("work_centre", "day").annotate(sum=Sum("minutes"))
    return {(row["work_centre"], row["day"]): row["sum"] for row in summed}


def _free(work: Work, own: Mapping[tuple[int, dt.date], int]) -> Iterable[tuple[dt.date, int]]:
    """The free minutes of the days on which the work may lie, its own earlier bookings counted as free."""
    last = work.last or work.first + dt.timedelta(days=HORIZON)
    able = capacities([work.centre], work.first, last)
    free = free_minutes([work.centre], work.first, last)
    for (_centre, day), minutes in free.items():
        yield day, min(able[work.centre.pk, day], minutes + own.get((work.centre.pk, day), 0))
