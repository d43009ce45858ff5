"""The calendar of milestones and promised dates by month and week, and its private address for calendar programs."""

import calendar
import datetime as dt
from collections import defaultdict

from django.contrib.auth.decorators import login_not_required, permission_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import formats
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from fulfilment.models import CalendarFeed
from fulfilment.services import calendar_entries, read_feed, renew_feed, revoke_feed
from fulfilment.services.capacity import days_of, monday_of
from fulfilment.services.feeding import Entry
from ordermgmt.company.services import business_today
from ordermgmt.lib.http import Request

#: So many entries of a day fit into a month; a week shows all.
_OF_A_DAY = 5
_OF_A_WEEKS_DAY = 200
_FARTHEST = 3660


def _asked_day(request: Request) -> dt.date:
    today = business_today()
    try:
        day = dt.date.fromisoformat(request.GET.get("day", ""))
    except ValueError:
        return today
    return day if abs((day - today).days) <= _FARTHEST else today


@require_safe
@permission_required("orders.view_order", raise_exception=True)
def calendar_page(request: Request) -> HttpResponse:
    """A month (or with `?view=week` a week) of what the reader sees; `?mine=yes` only what is the reader's own."""
    return _page(request)


def _page(request: Request, link: str = "") -> HttpResponse:
    today = business_today()
    day, week, mine = _asked_day(request), request.GET.get("view") == "week", request.GET.get("mine") == "yes"
    if week:
        first = monday_of(day)
        last = first + dt.timedelta(days=6)
        earlier, later = first - dt.timedelta(days=7), first + dt.timedelta(days=7)
    else:
        month = day.replace(day=1)
        end = month.replace(day=calendar.monthrange(month.year, month.month)[1])
        first, last = monday_of(month), monday_of(end) + dt.timedelta(days=6)
        earlier, later = month - dt.timedelta(days=1), end + dt.timedelta(days=1)
    found: dict[dt.date, list[Entry]] = defaultdict(list)
    for entry in calendar_entries(request.user, first, last, mine=mine):
        found[entry.day].append(entry)
    shown = _OF_A_WEEKS_DAY if week else _OF_A_DAY
    cells = [
        {
            "day": one, "entries": found[one][:shown], "more": max(0, len(found[one]) - shown),
            "outside": not week and one.month != day.month, "today": one == today,
        }
        for one in days_of(first, last)
    ]  # fmt: skip
    context = {
        "weeks": [cells[n : n + 7] for n in range(0, len(cells), 7)], "week": week, "mine": mine, "day": day,
        "title": formats.date_format(day, "YEAR_MONTH_FORMAT") if not week else "", "first": first, "last": last,
        "earlier": earlier, "later": later, "count": sum(len(one) for one in found.values()), "link": link,
        "feed": CalendarFeed.objects.filter(user=request.user).first(),
    }  # fmt: skip
    response = render(request, "fulfilment/calendar.html", context)
    if link:
        response["Cache-Control"] = "no-store"
    return response


@require_POST
@permission_required("orders.view_order", raise_exception=True)
def feed_renew(request: Request) -> HttpResponse:
    """Makes the reader's private address and shows it, this once."""
    return _page(request, renew_feed(actor=request.user))


@require_POST
def feed_revoke(request: Request) -> HttpResponse:
    """The reader's private address stops working."""
    revoke_feed(actor=request.user)
    return redirect("fulfilment:calendar")


@require_safe
@login_not_required
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar behind a private address; it needs no session, and nothing but what its owner sees is in it."""
    text = read_feed(token)
    if text is None:
        raise Http404(_("This address does not work."))
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="plan.ics"'
    response["Cache-Control"] = "private, no-store"
    response["X-Content-Type-Options"] = "nosniff"
    return response
