"""Days on which the company works: the weekdays of its shifts, Monday to Friday at least, but for what its calendar says."""

import datetime as dt
from dataclasses import dataclass

from fulfilment.models import CalendarException, Shift, WorkCentre

_WEEK = frozenset(range(5))
_FARTHEST = 3650


@dataclass(frozen=True)
class Workdays:
    """The calendar, read once; an exception without a work centre holds for the whole company."""

    weekdays: frozenset[int]
    exceptions: dict[dt.date, int]

    def works(self, day: dt.date) -> bool:
        """Whether anybody works on that day."""
        minutes = self.exceptions.get(day)
        return day.weekday() in self.weekdays if minutes is None else minutes > 0

    def on_or_after(self, day: dt.date) -> dt.date:
        """The day itself, or the next one that is worked on."""
        found = (day + dt.timedelta(days=ahead) for ahead in range(_FARTHEST))
        return next((one for one in found if self.works(one)), day)

    def between(self, first: dt.date, last: dt.date) -> int:
        """By how many working days `last` lies after `first`; below zero where it lies before."""
        low, high = sorted((first, last))
        days = sum(1 for ahead in range(1, (high - low).days + 1) if self.works(low + dt.timedelta(days=ahead)))
        return days if first <= last else -days

    def shifted(self, day: dt.date, by: int) -> dt.date:
        """So many working days later, or earlier below zero."""
        step = dt.timedelta(days=1 if by > 0 else -1)
        left = abs(by)
        for _ahead in range(_FARTHEST):
            if not left:
                break
            day += step
            left -= self.works(day)
        return day


def workdays() -> Workdays:
    """The company's calendar. Two queries."""
    shifts = Shift.objects.filter(work_centre__in=WorkCentre.objects.places().filter(is_active=True))
    closed = CalendarException.objects.filter(work_centre=None).values_list("day", "minutes")
    return Workdays(_WEEK | set(shifts.values_list("weekday", flat=True)), dict(closed))
