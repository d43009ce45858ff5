"""What work centres can do and what they have to do: read for pages, bookings and promises alike. Minutes."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q, Sum
from django.utils import formats
from django.utils.translation import gettext as _

from fulfilment.models import CalendarException, CapacityBooking, CentreDay, RoutingStep, Shift, WorkCentre
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine

#: Nothing is laid further ahead than this many days.
HORIZON = 730
Slots = dict[tuple[int, dt.date], int]
_LOADS = (OrderLine.Supply.MAKE, OrderLine.Supply.SERVICE)


def capacities(centres: Iterable[WorkCentre], first: dt.date, last: dt.date) -> Slots:
    """The minutes of each centre (by id) and day, both ends included: shifts, but for exceptions. Two queries."""
    chosen = list(centres)
    ids = [one.pk for one in chosen]
    week: dict[tuple[int, int], int] = defaultdict(int)
    for shift in Shift.objects.filter(work_centre__in=ids):
        week[shift.work_centre_id, shift.weekday] += shift.minutes
    exceptions: dict[tuple[int | None, dt.date], int] = {
        (one.work_centre_id, one.day): one.minutes
        for one in CalendarException.objects.filter(
            Q(work_centre__in=ids) | Q(work_centre=None), day__gte=first, day__lte=last
        )
    }
    found: Slots = {}
    for day in days_of(first, last):
        holiday = exceptions.get((None, day))
        for one in chosen:
            usual = week[one.pk, day.weekday()] if holiday is None else holiday
            found[one.pk, day] = exceptions.get((one.pk, day), usual) * one.stations
    return found


def days_of(first: dt.date, last: dt.date) -> list[dt.date]:
    """The days from first to last, both included; none where last comes before first."""
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]


def booked_minutes(centres: Iterable[WorkCentre], first: dt.date, last: dt.date) -> Slots:
    """What is booked of each centre (by id) and day; days without a booking are absent. One query."""
    rows = CentreDay.objects.filter(work_centre__in=[one.pk for one in centres], day__gte=first, day__lte=last)
    return {(centre, day): booked for centre, day, booked in rows.values_list("work_centre_id", "day", "booked")}


def free_minutes(centres: Sequence[WorkCentre], first: dt.date, last: dt.date) -> Slots:
    """What is still free of each centre (by id) and day. Three queries."""
    booked = booked_minutes(centres, first, last)
    return {slot: max(0, minutes - booked.get(slot, 0)) for slot, minutes in capacities(centres, first, last).items()}


def lay(free: dict[dt.date, int], minutes: int) -> tuple[dict[dt.date, int], int]:
    """Lays minutes over the free ones of days, the earliest first; gives what lies where, and what found no place."""
    laid: dict[dt.date, int] = {}
    for day in sorted(free):
        if minutes <= 0:
            break
        if take := min(free[day], minutes):
            laid[day] = take
            minutes -= take
    return laid, minutes


def needs_of_lines(lines: Iterable[tuple[int, Decimal]]) -> dict[WorkCentre, int]:
    """What making so many (product id, quantity) asks of each work centre, in the order of the steps. One query."""
    wanted = [(product, quantity) for product, quantity in lines if quantity > 0]
    steps: dict[int, list[RoutingStep]] = defaultdict(list)
    for step in RoutingStep.objects.filter(product__in={pk for pk, _quantity in wanted}).select_related("work_centre"):
        steps[step.product_id].append(step)
    found: dict[WorkCentre, int] = {}
    placed = [
        (step.position, step.minutes(quantity), step.work_centre) for pk, quantity in wanted for step in steps[pk]
    ]
    for _position, minutes, centre in sorted(placed, key=lambda one: one[0]):
        found[centre] = found.get(centre, 0) + minutes
    return found


def is_made(line: OrderLine) -> bool:
    """Whether the line takes work of ours."""
    return line.product_id is not None and line.supply in _LOADS


@dataclass(frozen=True)
class Need:
    """What an order asks of a work centre, and what is booked for it. Minutes."""

    centre: WorkCentre
    needed: int
    booked: int

    @property
    def open(self) -> int:
        """What is not booked yet."""
        return max(0, self.needed - self.booked)

    @property
    def needed_hours(self) -> str:
        """What it asks for, for a page."""
        return hours(self.needed)

    @property
    def booked_hours(self) -> str:
        """What is booked, for a page."""
        return hours(self.booked)

    @property
    def open_hours(self) -> str:
        """What is not booked yet, for a page."""
        return hours(self.open)


def order_needs(order: Order) -> list[Need]:
    """What the order's made lines ask of each work centre beside what is booked. Three queries."""
    lines = [(line.product_id, line.due) for line in order.order_lines if is_made(line)]
    needed = needs_of_lines((pk, quantity) for pk, quantity in lines if pk is not None)
    rows = (
        CapacityBooking.objects.filter(order=order, assignment=None)
        .order_by()
        .values("work_centre")
        .annotate(sum=Sum("minutes"))
    )
    booked = {row["work_centre"]: row["sum"] for row in rows}
    missing = set(booked) - {one.pk for one in needed}
    extra = dict.fromkeys(WorkCentre.objects.filter(pk__in=missing), 0) if missing else {}
    return [Need(centre, minutes, booked.get(centre.pk, 0)) for centre, minutes in (needed | extra).items()]


@dataclass
class WeekLoad:
    """One work centre in one week, in minutes; `over` is the worst of its days."""

    monday: dt.date
    capacity: int = 0
    booked: int = 0
    over: int = 0

    @property
    def percent(self) -> int:
        """The load in percent, rounded; a booking without capacity counts as full."""
        if not self.capacity:
            return 100 if self.booked else 0
        return round(self.booked * 100 / self.capacity)

    @property
    def booked_hours(self) -> str:
        """What is booked, for a page."""
        return hours(self.booked)

    @property
    def capacity_hours(self) -> str:
        """What there is, for a page."""
        return hours(self.capacity)

    @property
    def level(self) -> str:
        """Its colour: over, full, good or idle."""
        if self.over or self.booked > self.capacity:
            return "over"
        return "full" if self.percent >= 85 else "good" if self.booked else "idle"


@dataclass
class CentreLoad:
    """One work centre over some weeks."""

    centre: WorkCentre
    weeks: list[WeekLoad] = field(default_factory=list)


def monday_of(day: dt.date) -> dt.date:
    """The Monday of the day's week."""
    return day - dt.timedelta(days=day.weekday())


def load(first: dt.date, weeks: int, centres: Sequence[WorkCentre] | None = None) -> list[CentreLoad]:
    """Load against capacity of every centre in use, week by week from the Monday of `first`. Four queries."""
    chosen = list(WorkCentre.objects.places().filter(is_active=True)) if centres is None else centres
    monday = monday_of(first)
    last = monday + dt.timedelta(days=7 * weeks - 1)
    able, booked = capacities(chosen, monday, last), booked_minutes(chosen, monday, last)
    found = []
    for centre in chosen:
        rows = [WeekLoad(monday + dt.timedelta(days=7 * n)) for n in range(weeks)]
        for place, day in enumerate(days_of(monday, last)):
            row, slot = rows[place // 7], (centre.pk, day)
            row.capacity += able[slot]
            row.booked += booked.get(slot, 0)
            row.over = max(row.over, booked.get(slot, 0) - able[slot])
        found.append(CentreLoad(centre, rows))
    return found


def hours(minutes: int) -> str:
    """Minutes as hours for a sentence, without trailing zeros: "7.5"."""
    value = (Decimal(minutes) / 60).quantize(Decimal("0.01")).normalize()
    places = max(0, -int(value.as_tuple().exponent))
    return formats.number_format(value if value else ZERO, decimal_pos=places, force_grouping=True)


def minutes_of(given: Decimal) -> int:
    """Hours as whole minutes, rounded up."""
    return int(-(-given * 60 // 1))


def week_text(centre: WorkCentre) -> str:
    """How long a week is by its shifts, and how long each that goes over midnight, as somebody may not have meant it."""
    shifts = list(centre.shifts.all())
    found = [_("The week has %(hours)s working hours.") % {"hours": hours(sum(one.minutes for one in shifts))}]
    text = _("%(shift)s ends on the next day, after %(hours)s hours.")
    nights = {str(one): one.minutes for one in shifts if one.is_overnight}
    return " ".join(found + [text % {"shift": one, "hours": hours(minutes)} for one, minutes in nights.items()])


def day_text(day: dt.date) -> str:
    """A day for a sentence."""
    return formats.date_format(day, "SHORT_DATE_FORMAT")


def too_little(centre: WorkCentre, minutes: int, rest: int, first: dt.date, last: dt.date) -> str:
    """Why so much work has no place between two days. Two queries."""
    values = {
        "centre": centre.name, "wanted": hours(minutes), "free": hours(minutes - rest), "first": day_text(first),
        "last": day_text(last), "over": hours(rest),
    }  # fmt: skip
    if not any(capacities([centre], first, last).values()):
        if first == last:
            text = _("%(centre)s has no working time on %(first)s: none of the %(wanted)s hours has a place.")
        else:
            text = _(
                "%(centre)s has no working time from %(first)s to %(last)s: none of the %(wanted)s hours has a place."
            )
        return text % values
    if first == last:
        return _("%(centre)s has %(free)s of the %(wanted)s hours free on %(first)s: %(over)s hours too many.") % values
    text = _(
        "%(centre)s has %(free)s of the %(wanted)s hours free from %(first)s to %(last)s: %(over)s hours too many."
    )
    return text % values
