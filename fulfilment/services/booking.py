"""Booking work centres for orders. Nothing is booked above capacity, unless somebody says why.

Locks: the order, then the work centres by key, then their days.
"""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import CapacityBooking, Milestone, WorkCentre
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import note_sent, record, sent_before
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused
from orders.models import Order
from orders.services import locked

from .assigned import end_assignments
from .capacity import HORIZON, day_text, hours, minutes_of, order_needs
from .laying import Work, free_bookings, lay_works, lock_centres, to_come

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_RIGHT = "fulfilment.book_capacity"
_BOOKED_IN = (Order.State.PLACED, Order.State.IN_PRODUCTION, Order.State.RECTIFICATION)


def booking_blocked(order: Order) -> list[Blocker]:
    """Why nothing can be booked for the order; empty when it can."""
    if order.state in _BOOKED_IN:
        return []
    return [Blocker(_("Capacity is booked for placed orders until they are shipped."), order.get_absolute_url())]


@transaction.atomic
def book_capacity(
    order: Order, *, work_centre: WorkCentre, hours: Decimal, first: dt.date, last: dt.date | None = None,
    milestone: Milestone | None = None, reason: str = "", key: str = "", actor: "User",
) -> Order:  # fmt: skip
    """Books so many hours over the free time from `first` on, as long as it takes or up to `last`.

    The same `key` twice books once. Raises PermissionDenied, TransitionRefused (a state in which nothing is booked), ValidationError (not enough is free
    up to `last`, unless `reason` says why it is booked all the same; a day that is over).
    """
    require(actor, _RIGHT)
    order = locked(order)
    form = f"book:{order.pk}"
    if sent_before(Order, form, key):
        return order
    order = bookable(order)
    check_wish(order, work_centre, hours, first, last, milestone)
    lock_centres([work_centre])
    lay_works(order, [Work(work_centre, minutes_of(hours), first, last, milestone)], reason.strip(), actor)
    note_sent(order, form, key)
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
    order = bookable(order)
    open_needs = [need for need in order_needs(order) if need.open]
    if not open_needs:
        raise TransitionRefused([Blocker(_("All that its products ask for is booked."))])
    lock_centres(need.centre for need in open_needs)
    for need in open_needs:
        check_wish(order, need.centre, Decimal(1), first, last, milestone)
        laid = lay_works(order, [Work(need.centre, need.open, first, last, milestone)], reason.strip(), actor)
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
    if row.assignment_id:
        raise TransitionRefused([Blocker(_("It belongs to an assignment of a person: take that back."))])
    if not free_bookings([row]):
        raise TransitionRefused([Blocker(_("This booking is gone already."))])
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
    rows = to_come(CapacityBooking.objects.filter(order=order), milestone)
    rows = free_bookings(rows) if rows else []
    if rows:
        total = hours(sum(one.minutes for one in rows))
        record(events.BOOKINGS_RELEASED, order, actor=actor, count=len(rows), hours=total)
    end_assignments(order, milestone, actor=actor)
    return len(rows)


def drop_milestone(milestone: Milestone, *, actor: "User") -> None:
    """A milestone leaves the plan: what is to come of its bookings is given back, the rest stays with the order."""
    release_order(milestone.order, actor=actor, milestone=milestone)
    end_assignments(milestone.order, milestone, actor=actor, forget=True)
    CapacityBooking.objects.filter(milestone=milestone).update(milestone=None)


def bookable(order: Order) -> Order:
    """The order's row under lock. Raises TransitionRefused in a state in which nothing is booked."""
    order = locked(order)
    if found := booking_blocked(order):
        raise TransitionRefused(found)
    return order


def check_wish(
    order: Order, centre: WorkCentre, wanted: Decimal, first: dt.date, last: dt.date | None, milestone: Milestone | None
) -> None:
    """Raises ValidationError for hours, days or a milestone that can't be booked for the order."""
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
    if milestone and milestone.start and first < milestone.start:
        text = _("“%(name)s” begins on %(day)s: book for it from that day on.")
        raise ValidationError({"first": text % {"name": milestone, "day": day_text(milestone.start)}})
