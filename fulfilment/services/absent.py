"""Time that somebody no longer has: the work on it is given back, and the planner is told what is missing."""

from typing import TYPE_CHECKING

from fulfilment import events
from fulfilment.models import CapacityBooking, CentreDay

from .assigned import note, tell
from .capacity import hours
from .laying import free_bookings

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def vacate(day: CentreDay, over: int, *, actor: "User") -> None:
    """Gives back at least `over` minutes of a person's day under lock, the newest bookings first."""
    rows = CapacityBooking.objects.filter(work_centre=day.work_centre_id, day=day.day).order_by("-pk")
    given = []
    for one in rows.select_related("work_centre", "assignment__staff__user", "assignment__order", "assignment__line"):
        if over <= 0:
            break
        over -= one.minutes
        given.append(one)
    free_bookings(given)
    for one in given:
        if one.assignment is not None:
            told = {"hours": hours(one.minutes), "day": str(day.day)}
            note(one.assignment, events.ASSIGNMENT_SHORT, actor=actor, hours=hours(one.minutes))
            tell(one.assignment, events.WORK_OFF, actor=actor, **told)
