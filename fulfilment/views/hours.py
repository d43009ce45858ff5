"""My hours: what I worked this week, on which assignment. Made for a thumb."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.db.models import Q, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from fulfilment.models import Assignment, CapacityBooking, HoursLock, StaffMember, WorkedHours
from fulfilment.services import Entry, book_hours
from fulfilment.services.capacity import day_text, days_of, hours
from fulfilment.views.capacity import asked_monday
from ordermgmt.company.services import business_today
from ordermgmt.lib.http import Request
from ordermgmt.lib.typed import whole

_CLOCK = re.compile(r"^([0-9]{1,2}):([0-5][0-9])$")
_NUMBER = re.compile(r"^[0-9]{1,2}(?:[.,][0-9]{1,2})?$")
_MOST = 60


@dataclass
class Cell:
    """One day of one assignment: what is booked, what was planned, and whether it can still be changed. Minutes."""

    name: str
    day: dt.date
    worked: int
    planned: int
    is_open: bool
    typed: str | None = None
    error: str = ""

    @property
    def text(self) -> str:
        """What stands in the field: as typed, else the hours."""
        return self.typed if self.typed is not None else _plain(self.worked)

    @property
    def planned_text(self) -> str:
        """The planned hours."""
        return hours(self.planned)

    @property
    def worked_text(self) -> str:
        """The booked hours."""
        return hours(self.worked)


def read_hours(text: str) -> int:
    """ "7.5", "7,5" or "7:30" as minutes, nothing as 0. Raises ValueError for what is no time of a day."""
    text = text.strip().replace("：", ":")
    if not text:
        return 0
    if match := _CLOCK.match(text):
        minutes = int(match[1]) * 60 + int(match[2])
    elif _NUMBER.match(text):
        whole, _dot, part = text.replace(",", ".").partition(".")
        minutes = int(whole) * 60 + round(int(part.ljust(2, "0") or 0) * 60 / 100)
    else:
        raise ValueError(text)
    if minutes > 24 * 60:
        raise ValueError(text)
    return minutes


@require_http_methods(["GET", "HEAD", "POST"])
@permission_required("fulfilment.book_hours", raise_exception=True)
def hours_page(request: Request) -> HttpResponse:
    """One's own week: a card per assignment with a field per day; “as planned” fills what is empty up to today."""
    staff = StaffMember.objects.filter(user=request.user).select_related("user").first()
    monday = asked_monday(request)
    if staff is None:
        return render(request, "fulfilment/my_hours.html", {"staff": None})
    rows = _week(staff, monday)
    if request.method != "POST":
        return _show(request, staff, monday, rows)
    entries, errors = _typed(request, rows)
    try:
        if errors:
            raise ValidationError(errors)
        book_hours(staff, entries=entries, actor=request.user)
    except ValidationError as error:
        return _show(request, staff, monday, rows, errors=error.messages)
    messages.success(request, _("Your hours are booked."))
    return redirect(f"{request.path}?from={monday.isoformat()}")


def _week(staff: StaffMember, monday: dt.date) -> list[tuple[Assignment, list[Cell]]]:
    """The assignments of a week, each with its seven days. Four queries."""
    days = days_of(monday, monday + dt.timedelta(days=6))
    span = {"day__gte": days[0], "day__lte": days[-1]}
    booked = CapacityBooking.objects.filter(assignment__staff=staff, **span).order_by()
    planned = {
        (one, day): minutes
        for one, day, minutes in booked.values_list("assignment", "day").annotate(sum=Sum("minutes"))
    }
    done = WorkedHours.objects.filter(staff=staff, **span).values_list("assignment", "day", "minutes")
    worked = {(one, day): minutes for one, day, minutes in done}
    within = Q(first__lte=days[-1], last__gte=days[0], minutes__gt=0)
    known = Q(pk__in={one for one, _day in [*planned, *worked]})
    chosen = Assignment.objects.filter(within | known, staff=staff).select_related("order", "milestone", "line")
    until, today = HoursLock.day(), business_today()
    return [
        (
            one,
            [
                Cell(
                    f"h-{one.pk}-{day.isoformat()}", day, worked.get((one.pk, day), 0), planned.get((one.pk, day), 0),
                    day <= today and day >= one.order.order_date and not (until and day <= until),
                )
                for day in days
            ],
        )
        for one in chosen.order_by("first", "pk")[:_MOST]
    ]  # fmt: skip


def _typed(request: Request, rows: list[tuple[Assignment, list[Cell]]]) -> tuple[list[Entry], list[str]]:
    """What the form says of each open cell, with what stood there when it was opened; sentences for what is no time."""
    entries, errors = [], []
    as_planned = request.POST.get("planned", "")
    for one, cells in rows:
        for cell in cells:
            if not cell.is_open or cell.name not in request.POST:
                continue
            cell.typed = request.POST[cell.name][:20]
            seen = whole(request.POST.get(f"{cell.name}-seen"), digits=5)
            seen_minutes = cell.worked if seen is None else seen
            try:
                minutes = read_hours(cell.typed)
            except ValueError:
                told = {"text": cell.typed, "day": day_text(cell.day)}
                cell.error = _("“%(text)s” on %(day)s is no time: write 7.5 or 7:30, at most 24.") % told
                errors.append(cell.error)
                continue
            if as_planned == str(one.pk) and not minutes:
                minutes = cell.planned
            entries.append(Entry(one.pk, cell.day, minutes, seen_minutes))
    return entries, errors


def _show(
    request: Request, staff: StaffMember, monday: dt.date, rows: list[tuple[Assignment, list[Cell]]],
    errors: list[str] | None = None,
) -> HttpResponse:  # fmt: skip
    today, week = business_today(), dt.timedelta(days=7)
    sums = [sum(cells[n].worked for _one, cells in rows) for n in range(7)]
    plans = [sum(cells[n].planned for _one, cells in rows) for n in range(7)]
    days = days_of(monday, monday + dt.timedelta(days=6))
    context: dict[str, Any] = {
        "staff": staff, "rows": [(one, cells, any(cell.is_open for cell in cells)) for one, cells in rows],
        "monday": monday, "sunday": days[-1], "errors": errors or [], "today": today, "locked": HoursLock.day(),
        "days": [(day, hours(sums[n]), hours(plans[n])) for n, day in enumerate(days)], "total": hours(sum(sums)),
        "planned": hours(sum(plans)), "earlier": (monday - week).isoformat(), "later": (monday + week).isoformat(),
        "is_open": any(cell.is_open for _one, cells in rows for cell in cells),
    }  # fmt: skip
    return render(request, "fulfilment/my_hours.html", context, status=422 if errors else 200)


def _plain(minutes: int) -> str:
    """Minutes for a field: "7.5", nothing for none; as a clock where hundredths of an hour would lie."""
    if not minutes:
        return ""
    whole, rest = divmod(minutes, 60)
    if rest % 3:
        return f"{whole}:{rest:02d}"
    part = f"{rest * 100 // 60:02d}".rstrip("0")
    return f"{whole}.{part}" if part else str(whole)
