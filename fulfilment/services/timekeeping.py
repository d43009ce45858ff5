"""Hours that staff book: set for an assignment and day, corrected until they are locked, cost of the order."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Assignment, CostRate, HoursLock, StaffMember, WorkedHours
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.money import ZERO
from orders.models import Order
from orders.services import locked

from .capacity import day_text, hours

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

DAY = 24 * 60
#: Hours are booked for orders in work, and corrected until the order is settled.
_WORKED_IN = (
    Order.State.PLACED, Order.State.IN_PRODUCTION, Order.State.SHIPPED, Order.State.RECTIFICATION, Order.State.ACCEPTED,
)  # fmt: skip
#: What the audit keeps of an hour; its cost is not for everybody who reads that.
_KEPT = ("assignment", "order", "staff", "day", "minutes")


@dataclass(frozen=True)
class Entry:
    """So many minutes for an assignment on a day; `seen` is what stood there when they were typed."""

    assignment: int
    day: dt.date
    minutes: int
    seen: int = 0


def unlocked(rows: Any) -> Any:
    """Those of the rows whose day can still be corrected."""
    until = HoursLock.day()
    return rows.filter(day__gt=until) if until else rows


@transaction.atomic
def book_hours(staff: StaffMember, *, entries: Iterable[Entry], actor: "User") -> list[WorkedHours]:
    """Sets what somebody worked; the same again changes nothing. All entries or none.

    Raises PermissionDenied (somebody else's hours), ValidationError (a day that is locked or has not come, more than a
    day has, an order that is over, what was changed since it was read) with a sentence per entry.
    """
    require(actor, "fulfilment.book_hours")
    if staff.user_id != actor.pk:
        raise PermissionDenied
    changed = sorted({one for one in entries if one.minutes != one.seen}, key=lambda one: (one.day, one.assignment))
    if not changed:
        return []
    assignments = Assignment.objects.filter(staff=staff, pk__in={one.assignment for one in changed})
    orders = {pk: locked(Order(pk=pk)) for pk in sorted(set(assignments.values_list("order", flat=True)))}
    staff = StaffMember.objects.select_for_update(no_key=True, of=["self"]).select_related("user").get(pk=staff.pk)
    known = {one.pk: one for one in assignments.select_related("milestone", "line", "order")}
    rows = {(one.assignment_id, one.day): one for one in _stored(changed)}
    problems = _problems(changed, known, orders, rows)
    problems += _too_long(staff, changed)
    if problems:
        raise ValidationError(problems)
    rates = list(CostRate.objects.filter(staff=staff).order_by("-valid_from"))
    return [_set(one, known[one.assignment], staff, rows, rates, actor) for one in changed]


@transaction.atomic
def lock_hours(*, until: dt.date, reason: str = "", actor: "User") -> HoursLock:
    """Locks the hours of everybody up to a day; an earlier day than before opens what lies between, for a reason.

    Raises PermissionDenied, ValidationError (a day ahead, the same again, no reason to open).
    """
    require(actor, "fulfilment.lock_hours")
    list(
        StaffMember.objects.select_for_update(no_key=True).order_by("pk").values_list("pk")
    )  # who books waits, and reads this
    before, reason = HoursLock.day(), reason.strip()
    if until > business_today():
        raise ValidationError({"until": _("Lock hours up to today at most: later ones have not come.")})
    if until == before:
        raise ValidationError({"until": _("The hours are locked up to this day already.")})
    opens = before is not None and until < before
    if opens and not reason:
        raise ValidationError({"reason": _("Say why locked days are opened again.")})
    row = HoursLock.objects.create(until=until, reason=reason, by=actor)
    event = events.HOURS_OPENED if opens else events.HOURS_LOCKED
    record(event, row, actor=actor, after=snapshot(row), day=str(until), reason=reason)
    return row


def worked_minutes(assignments: Iterable[Assignment]) -> dict[int, int]:
    """What was worked on each assignment (by id). One query."""
    rows = WorkedHours.objects.filter(assignment__in=[one.pk for one in assignments]).order_by()
    return dict(rows.values_list("assignment").annotate(sum=Sum("minutes")))


def hours_cost(orders: Any) -> dict[int, Decimal]:
    """What the worked hours of orders cost, by order id, in the company's currency and not rounded. One query."""
    found: dict[int, Decimal] = {}
    for order, _day, cost in _costs(orders, "order"):
        found[order] = found.get(order, ZERO) + cost
    return found


def hours_cost_by_day(orders: Any) -> dict[int, dict[dt.date, Decimal]]:
    """As `hours_cost`, of each day that somebody worked: for orders in another currency, whose rate differs by day."""
    found: dict[int, dict[dt.date, Decimal]] = {}
    for order, day, cost in _costs(orders, "day"):
        days = found.setdefault(order, {})
        days[day] = days.get(day, ZERO) + cost
    return found


def unrated_minutes(order: Order) -> int:
    """How long people worked on an order without a cost rate: their hours are in no cost. One query."""
    rows = WorkedHours.objects.filter(order=order, rate=None)
    return rows.aggregate(sum=Sum("minutes"))["sum"] or 0


def _costs(orders: Any, by: str) -> Iterable[tuple[int, Any, Decimal]]:
    """Summed in minutes for each rate, so that no database multiplies decimals as floats."""
    rows = WorkedHours.objects.filter(order__in=orders, minutes__gt=0, rate__isnull=False).order_by()
    for order, key, rate, minutes in rows.values_list("order", by, "rate").annotate(sum=Sum("minutes")):
        yield order, key, rate * minutes / 60


def _stored(entries: Iterable[Entry]) -> Iterable[WorkedHours]:
    rows = list(entries)
    wanted = {(one.assignment, one.day) for one in rows}
    found = WorkedHours.objects.filter(
        assignment__in={one.assignment for one in rows}, day__in={one.day for one in rows}
    )
    return [
        one for one in found.select_for_update(no_key=True).order_by("pk") if (one.assignment_id, one.day) in wanted
    ]


def _problems(
    entries: Iterable[Entry],
    known: dict[int, Assignment],
    orders: dict[int, Order],
    rows: dict[tuple[int, dt.date], WorkedHours],
) -> list[str]:
    until, found = HoursLock.day(), []
    for one in entries:
        if one.assignment not in known:
            raise PermissionDenied
        stored = rows.get((one.assignment, one.day))
        said = _closed(one.day, orders[known[one.assignment].order_id], until)
        said = said or _contradiction(one, stored.minutes if stored else 0)
        if said:
            found.append(said)
    return found


def _closed(day: dt.date, order: Order, until: dt.date | None) -> str:
    """Why nothing can be booked on a day for an order; "" where it can."""
    told = {"day": day_text(day), "number": order.number}
    if order.state not in _WORKED_IN:
        return _("%(number)s is over: its hours stay as they are.") % told
    if until and day <= until:
        return _("The hours of %(day)s are locked.") % told
    if day > business_today():
        return _("%(day)s has not come yet.") % told
    return _("%(day)s lies before the order.") % told if day < order.order_date else ""


def _contradiction(one: Entry, now: int) -> str:
    if not 0 <= one.minutes <= DAY:
        return _("A day has 24 hours: correct %(day)s.") % {"day": day_text(one.day)}
    if now in (one.seen, one.minutes):
        return ""
    text = _("%(day)s was changed since you opened the page: %(hours)s h stand there now.")
    return text % {"day": day_text(one.day), "hours": hours(now)}


def _too_long(staff: StaffMember, entries: Iterable[Entry]) -> list[str]:
    """Days on which all of somebody's work together would take more than a day."""
    new: dict[dt.date, dict[int, int]] = {}
    for one in entries:
        new.setdefault(one.day, {})[one.assignment] = one.minutes
    sums = {day: sum(minutes.values()) for day, minutes in new.items()}
    for row in WorkedHours.objects.filter(staff=staff, day__in=new):
        if row.assignment_id not in new[row.day]:
            sums[row.day] += row.minutes
    text = _("%(day)s would have %(hours)s hours: a day has 24.")
    return [text % {"day": day_text(day), "hours": hours(sums[day])} for day in sorted(sums) if sums[day] > DAY]


def _set(
    entry: Entry, assignment: Assignment, staff: StaffMember, rows: dict[tuple[int, dt.date], WorkedHours],
    rates: list[CostRate], actor: "User",
) -> WorkedHours:  # fmt: skip
    row = rows.get((entry.assignment, entry.day))
    was = snapshot(row, *_KEPT) if row else None
    row = row or WorkedHours(assignment=assignment, order_id=assignment.order_id, staff=staff, day=entry.day)
    if was and row.minutes == entry.minutes:
        return row
    row.minutes = entry.minutes
    row.rate = next((one.rate for one in rates if one.valid_from <= entry.day), None)
    row.save()
    record(
        events.HOURS_BOOKED, row, root=staff, actor=actor, before=was, after=snapshot(row, *_KEPT),
        hours=hours(row.minutes), day=str(row.day), number=assignment.order.number,
    )  # fmt: skip
    return row
