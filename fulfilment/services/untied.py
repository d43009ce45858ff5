"""Hours booked for an order and for none of its milestones: they wait for its first material and move when that does."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Sum
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import CapacityBooking, Milestone
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from orders.models import Order

from .capacity import HORIZON, day_text, hours
from .laying import Work, free_bookings, lay_works, to_come
from .moving import laid_anew, no_place

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_MOST_DAYS = 10


@dataclass(frozen=True)
class Waiting:
    """What is taken from its days because `material` comes later, and what is laid instead."""

    material: Milestone
    rows: Sequence[CapacityBooking]
    works: Sequence[Work]


@dataclass(frozen=True)
class _Awaited:
    """What hours wait for, and from which day on they can be worked."""

    milestone: Milestone
    day: dt.date


def first_material(milestones: Iterable[Milestone]) -> Milestone | None:
    """The milestone before whose day an order can't be worked; None where some of its material is there."""
    found = [one for one in milestones if one.kind == Milestone.Kind.MATERIAL]
    if any(one.actual for one in found):
        return None
    return min((one for one in found if one.forecast), key=lambda one: (one.forecast, one.pk), default=None)


def waiting_hours(order: Order, moved: Mapping[int, Milestone], waits_for: int | None = None) -> Waiting | None:
    """What becomes of the hours when milestones move (unsaved, by key); None where all can stay.

    Those that would lie before the material, and those that would then be overtaken by them, move by as many days: as
    many as the material, and as it takes to come after it. `waits_for` is the milestone that stands for the material
    where the plan has no other.
    """
    stored = list(Milestone.objects.filter(order=order))
    now = [moved.get(one.pk, one) for one in stored]
    before, material = _awaited(stored, waits_for), _awaited(now, waits_for)
    if before is None or material is None or material.day <= before.day:
        return None
    untied = CapacityBooking.objects.filter(order=order, milestone=None, assignment=None)
    rows = sorted(to_come(untied, None), key=lambda one: one.day)
    if not rows or rows[0].day >= material.day:
        return None
    shift = material.day - min(before.day, rows[0].day)
    chosen: list[CapacityBooking] = []
    for one in rows:
        if one.day < material.day or one.day <= chosen[-1].day + shift:
            chosen.append(one)
    ends = [one.forecast for one in now if one.kind == Milestone.Kind.DELIVERY and one.forecast and not one.actual]
    return Waiting(material.milestone, chosen, _shifted(chosen, shift, max(ends, default=order.promised_date)))


def _awaited(milestones: Iterable[Milestone], waits_for: int | None) -> "_Awaited | None":
    one = next((one for one in milestones if one.pk == waits_for), None) or first_material(milestones)
    day = one and (one.forecast if one.kind == Milestone.Kind.MATERIAL else one.start)
    return _Awaited(one, day) if one and day else None


def _shifted(rows: Sequence[CapacityBooking], shift: dt.timedelta, ends: dt.date | None) -> list[Work]:
    """The work of each centre from its new first day up to the delivery, where that is still to come then."""
    found = []
    centres: dict[int, list[CapacityBooking]] = defaultdict(list)
    for one in rows:
        centres[one.work_centre_id].append(one)
    for own in centres.values():
        first = own[0].day + shift
        last = ends if ends and ends > first else first + dt.timedelta(days=HORIZON)
        found.append(laid_anew(own, sum(one.minutes for one in own), first, last))
    return found


def waiting_conflicts(waiting: Waiting | None) -> list[str]:
    """What of it finds no place: a sentence for each work centre."""
    if waiting is None:
        return []
    own: dict[tuple[int, dt.date], int] = defaultdict(int)
    for one in waiting.rows:
        own[one.work_centre_id, one.day] += one.minutes
    return no_place(waiting.works, own)


def follow_material(order: Order, waiting: Waiting | None, *, reason: str, actor: "User") -> None:
    """Lays the hours where they belong now that the material has moved; the order and the centres are locked.

    What finds no place becomes an overload for the reason of the move.
    """
    if waiting is None:
        return
    free_bookings(waiting.rows)
    lay_works(order, waiting.works, reason, actor, event=False)
    total = hours(sum(work.minutes for work in waiting.works))
    day = str(min(work.first for work in waiting.works))
    record(events.BOOKINGS_MOVED, order, actor=actor, name=str(waiting.material), hours=total, day=day)


def early_hours(order: Order, milestones: Sequence[Milestone]) -> dict[int, list[str]]:
    """By milestone: what is booked from today on for days before it can be worked, a sentence for each work centre.

    One query.
    """
    rows = CapacityBooking.objects.filter(order=order, assignment=None, day__gte=business_today())
    summed = rows.values_list("milestone", "work_centre__name", "day").annotate(sum=Sum("minutes"))
    steps = {one.pk: one for one in milestones}
    material = first_material(milestones)
    days: dict[tuple[int, dt.date, str], list[str]] = defaultdict(list)
    for pk, centre, day, minutes in summed.order_by("work_centre__name", "day"):
        step = steps[pk] if pk else material
        begins = _workable(step, tied=pk is not None)
        if step and begins and day < begins:
            told = _("%(hours)s h on %(day)s") % {"hours": hours(minutes), "day": day_text(day)}
            days[step.pk, begins, centre].append(told)
    found: dict[int, list[str]] = defaultdict(list)
    for (pk, begins, centre), listed in days.items():
        text = _("%(centre)s is booked before “%(name)s” on %(day)s: %(hours)s.")
        told = ", ".join(listed[:_MOST_DAYS]) + (", …" if len(listed) > _MOST_DAYS else "")
        found[pk].append(text % {"centre": centre, "name": steps[pk], "day": day_text(begins), "hours": told})
    return found


def _workable(step: Milestone | None, *, tied: bool) -> dt.date | None:
    """From when on hours may lie: those of an open milestone from its start, those of none from the day of material."""
    if step is None or step.actual:
        return None
    return step.start if tied else step.forecast
