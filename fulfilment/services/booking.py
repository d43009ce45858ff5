"""Booking work centres for orders. Nothing is booked above capacity, unless somebody says why.

Locks: the order, then the work centres by key, then their days. The database holds the capacity of a day too, so
of two who take the same hour at once one wins and the other reads why.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import CapacityBooking, CentreDay, Milestone, WorkCentre
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.models import Order
from orders.services import locked

from .capacity import HORIZON, capacities, days_of, free_minutes, hours, lay, minutes_of, order_needs, too_little

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.book_capacity"
_BOOKED_IN = (Order.State.PLACED, Order.State.IN_PRODUCTION, Order.State.RECTIFICATION)
_CHUNK = 60


@dataclass(frozen=True)
class Work:
    """What is to be laid: minutes of a work centre, from a day on, up to `last` if there is one."""

    centre: WorkCentre
    minutes: int
    first: dt.date
    last: dt.date | None = None
    milestone: Milestone | None = None


def booking_blocked(order: Order) -> list[Blocker]:
    """Why nothing can be booked for the order; empty when it can."""
    if order.state in _BOOKED_IN:
        return []
    return [Blocker(_("Capacity is booked for placed orders until they are shipped."), order.get_absolute_url())]


@transaction.atomic
def book_capacity(
    order: Order, *, work_centre: WorkCentre, hours: Decimal, first: dt.date, last: dt.date | None = None,
    milestone: Milestone | None = None, reason: str = "", actor: "User",
) -> Order:  # fmt: skip
    """Books so many hours over the free time from `first` on, as long as it takes or up to `last`.

    Raises PermissionDenied, TransitionRefused (a state in which nothing is booked), ValidationError (not enough is free
    up to `last`, unless `reason` says why it is booked all the same; a day that is over).
    """
    require(actor, _RIGHT)
    order = _bookable(order)
    _check(order, work_centre, hours, first, last, milestone)
    _lock_centres([work_centre])
    _book(order, [Work(work_centre, minutes_of(hours), first, last, milestone)], reason.strip(), actor)
    return order


@transaction.atomic
def book_needs(
    order: Order, *, first: dt.date, last: dt.date | None = None, milestone: Milestone | None = None, reason: str = "",
    actor: "User",
) -> Order:  # fmt: skip
    """Books all that the order's products ask for and that is not booked, one work centre after the other.

    Raises as `book_capacity`, and TransitionRefused where nothing is left to book.
    """
    require(actor, _RIGHT)
    order = _bookable(order)
    open_needs = [need for need in order_needs(order) if need.open]
    if not open_needs:
        raise TransitionRefused([Blocker(_("All that its products ask for is booked."))])
    _lock_centres(need.centre for need in open_needs)
    for need in open_needs:
        _check(order, need.centre, Decimal(1), first, last, milestone)
        laid = _book(order, [Work(need.centre, need.open, first, last, milestone)], reason.strip(), actor)
        first = min(max(laid), last) if last else max(laid)
    return order


@transaction.atomic
def release_booking(booking: CapacityBooking, *, actor: "User") -> CapacityBooking:
    """Gives a booking back. Raises PermissionDenied, TransitionRefused (a day that is over, gone already)."""
    require(actor, _RIGHT)
    order = locked(booking.order)
    row = CapacityBooking.objects.select_related("work_centre").filter(pk=booking.pk).first()
    if row is None:
        raise TransitionRefused([Blocker(_("This booking is gone already."))])
    if row.day < business_today():
        raise TransitionRefused([Blocker(_("The day is over: what was worked stays."))])
    _give_back([row])
    record(
        events.BOOKING_RELEASED, order, actor=actor, centre=row.work_centre.name, hours=hours(row.minutes),
        day=str(row.day),
    )  # fmt: skip
    return row


@transaction.atomic
def release_order(order: Order, *, actor: "User | None", milestone: Milestone | None = None) -> int:
    """Gives back what is booked from today on, of the order or of one milestone; called where the work has ended.

    Gives how many bookings that were; a second time there is nothing.
    """
    order = locked(order)
    rows = _to_come(CapacityBooking.objects.filter(order=order), milestone)
    if rows:
        _give_back(rows)
        total = hours(sum(one.minutes for one in rows))
        record(events.BOOKINGS_RELEASED, order, actor=actor, count=len(rows), hours=total)
    return len(rows)


def drop_milestone(milestone: Milestone, *, actor: "User") -> None:
    """A milestone leaves the plan: what is to come of its bookings is given back, the rest stays with the order."""
    release_order(milestone.order, actor=actor, milestone=milestone)
    CapacityBooking.objects.filter(milestone=milestone).update(milestone=None)


def move_conflicts(milestone: Milestone) -> list[str]:
    """What of a milestone's bookings finds no place by its (unsaved) dates: a sentence for each work centre."""
    found = []
    for work in _moved(milestone):
        free = dict(_free(work, own=_own(milestone)))
        rest = lay(free, work.minutes)[1]
        if rest and work.last:
            found.append(too_little(work.centre, work.minutes, rest, work.first, work.last))
    return found


def follow_milestone(milestone: Milestone, works: Sequence[Work], *, reason: str, actor: "User") -> None:
    """Lays the bookings of a moved milestone where its dates are now; `works` is what `moved_work` said before.

    The order is locked. What finds no place becomes an overload for the reason of the move.
    """
    rows = _to_come(CapacityBooking.objects.filter(order=milestone.order), milestone)
    if not works or not rows:
        return
    _lock_centres(work.centre for work in works)
    _give_back(rows)
    _book(milestone.order, works, reason, actor, event=False)
    days = [work.first for work in works]
    total = hours(sum(work.minutes for work in works))
    record(events.BOOKINGS_MOVED, milestone.order, actor=actor, name=str(milestone), hours=total, day=str(min(days)))


def moved_work(milestone: Milestone) -> list[Work]:
    """What its bookings from today on become by its (unsaved) dates: all shifted by as many days as its begin."""
    return _moved(milestone)


def _lock_centres(centres: Iterable[WorkCentre]) -> None:
    """Holds the centres by key until the transaction ends: their days and calendars change one after the other."""
    chosen = {one.pk for one in centres}
    list(WorkCentre.objects.select_for_update().filter(pk__in=chosen).order_by("pk").values_list("pk"))


def _bookable(order: Order) -> Order:
    order = locked(order)
    if found := booking_blocked(order):
        raise TransitionRefused(found)
    return order


def _check(
    order: Order, centre: WorkCentre, wanted: Decimal, first: dt.date, last: dt.date | None, milestone: Milestone | None
) -> None:
    today = business_today()
    if not centre.is_active:
        raise ValidationError({"work_centre": _("%(centre)s is not in use.") % {"centre": centre.name}})
    if not 0 < wanted <= 10_000:
        raise ValidationError({"hours": _("Book more than 0 and at most 10,000 hours.")})
    if first < max(today, order.order_date) or first > today + dt.timedelta(days=HORIZON):
        raise ValidationError(
            {"first": _("The first day lies from today on, not before the order and within two years.")}
        )
    if last and not first <= last <= first + dt.timedelta(days=HORIZON):
        raise ValidationError({"last": _("The last day lies after the first, within two years.")})
    if milestone and milestone.order_id != order.pk:
        raise ValidationError({"milestone": _("Only a milestone of the same order carries its bookings.")})


def _moved(milestone: Milestone) -> list[Work]:
    stored = Milestone.objects.filter(pk=milestone.pk).first()
    if stored is None:
        return []
    rows = _to_come(CapacityBooking.objects.filter(order=milestone.order_id), stored)
    before, begin = stored.start or stored.forecast, milestone.start or milestone.forecast
    if not rows or before is None or begin is None:
        return []
    shift, today, found = begin - before, business_today(), []
    for centre in {one.work_centre_id: one.work_centre for one in rows}.values():
        own = [one for one in rows if one.work_centre_id == centre.pk]
        first = max(min(one.day for one in own) + shift, today)
        last = max(first, milestone.forecast) if milestone.forecast else None
        found.append(Work(centre, sum(one.minutes for one in own), first, last, stored))
    return found


def _to_come(rows: Any, milestone: Milestone | None) -> list[CapacityBooking]:
    """Bookings from today on: what is past is worked, and neither moves nor is given back."""
    chosen = rows.filter(day__gte=business_today()).select_related("work_centre")
    if milestone is not None:
        chosen = chosen.filter(milestone=milestone)
    return list(chosen.order_by("work_centre", "day", "pk"))


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


def _book(order: Order, works: Sequence[Work], reason: str, actor: "User", *, event: bool = True) -> dict[dt.date, int]:
    """Lays each work under lock; gives what lies where, of all of them together."""
    total: dict[dt.date, int] = {}
    for work in works:
        laid = _laid(order, work, reason)
        _write(order, work, laid, reason, actor)
        for day, minutes in laid.items():
            total[day] = total.get(day, 0) + minutes
        if event:
            record(
                events.CAPACITY_BOOKED, order, actor=actor, centre=work.centre.name, hours=hours(work.minutes),
                first=str(min(laid)), last=str(max(laid)),
            )  # fmt: skip
    return total


def _laid(order: Order, work: Work, reason: str) -> dict[dt.date, int]:
    """Where the work goes, with the days it may lie on locked, chunk by chunk."""
    laid: dict[dt.date, int] = {}
    rest, begin = work.minutes, work.first
    end = work.last or work.first + dt.timedelta(days=HORIZON)
    while rest and begin <= end:
        until = min(end, begin + dt.timedelta(days=_CHUNK - 1))
        days = _locked_days(work.centre, begin, until)
        found, rest = lay({one.day: one.free for one in days}, rest)
        laid |= found
        begin = until + dt.timedelta(days=1)
    if rest and work.last is None:
        text = _("%(centre)s has no free time for %(hours)s hours within two years.")
        raise ValidationError(text % {"centre": work.centre.name, "hours": hours(rest)})
    if rest and not reason:
        raise ValidationError(
            [too_little(work.centre, work.minutes, rest, work.first, end), *_taken_by(order, work, end)]
        )
    for day, minutes in _overloaded(work, end, rest).items():
        laid[day] = laid.get(day, 0) + minutes
    return laid


def _overloaded(work: Work, end: dt.date, rest: int) -> dict[dt.date, int]:
    """What is above capacity, in equal parts over the days on which the centre works, else on the first."""
    if not rest:
        return {}
    able = capacities([work.centre], work.first, end)
    open_days = [day for day in days_of(work.first, end) if able[work.centre.pk, day]][:_CHUNK] or [work.first]
    share, more = divmod(rest, len(open_days))
    parts = {day: share + (1 if place < more else 0) for place, day in enumerate(open_days)}
    return {day: minutes for day, minutes in parts.items() if minutes}


def _taken_by(order: Order, work: Work, end: dt.date) -> list[str]:
    """Who has the time: the orders with the most of it."""
    rows = CapacityBooking.objects.filter(work_centre=work.centre, day__gte=work.first, day__lte=end).order_by()
    summed = rows.values("order__number").annotate(sum=Sum("minutes")).order_by("-sum", "order__number")[:3]
    if not summed:
        return []
    names = ", ".join(f"{row['order__number']} ({hours(row['sum'])} h)" for row in summed)
    return [_("It is taken by %(orders)s.") % {"orders": names}]


def _locked_days(centre: WorkCentre, first: dt.date, last: dt.date) -> list[CentreDay]:
    """The rows of the days under lock, made where they are missing."""
    able = capacities([centre], first, last)
    rows = [CentreDay(work_centre=centre, day=day, capacity=minutes) for (_pk, day), minutes in able.items() if minutes]
    CentreDay.objects.bulk_create(rows, ignore_conflicts=True)
    kept = CentreDay.objects.select_for_update().filter(work_centre=centre, day__gte=first, day__lte=last)
    return list(kept.order_by("day"))


def _write(order: Order, work: Work, laid: Mapping[dt.date, int], reason: str, actor: "User") -> None:
    missing = [CentreDay(work_centre=work.centre, day=day) for day in laid]
    CentreDay.objects.bulk_create(missing, ignore_conflicts=True)
    rows = CentreDay.objects.select_for_update().filter(work_centre=work.centre, day__in=laid).order_by("day")
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
                reason=reason if day in over else "", booked_by=actor,
            )
            for day, minutes in laid.items()
        ]
    )  # fmt: skip
    for day in sorted(over):
        record(events.CAPACITY_OVERLOADED, order, actor=actor, centre=work.centre.name, day=str(day), reason=reason)


def _give_back(rows: Sequence[CapacityBooking]) -> None:
    """Takes bookings out of their days, which lose an overload that is not needed any more."""
    freed: dict[tuple[int, dt.date], int] = {}
    for one in rows:
        slot = (one.work_centre_id, one.day)
        freed[slot] = freed.get(slot, 0) + one.minutes
    centres, days = {slot[0] for slot in freed}, {slot[1] for slot in freed}
    _lock_centres(one.work_centre for one in rows)
    kept = CentreDay.objects.select_for_update().filter(work_centre__in=centres, day__in=days)
    touched = [one for one in kept.order_by("work_centre", "day") if (one.work_centre_id, one.day) in freed]
    for row in touched:
        row.booked -= freed[row.work_centre_id, row.day]
        row.overload = max(0, min(row.overload, row.booked - row.capacity))
    CentreDay.objects.bulk_update(touched, ["booked", "overload"])
    CapacityBooking.objects.filter(pk__in=[one.pk for one in rows]).delete()
