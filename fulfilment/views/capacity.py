"""Load against capacity of the work centres, and how they are set up."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib.auth.decorators import permission_required
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.actions import BOOKED_ACTIONS, BOOKING_ACTIONS, CLOSED_ACTIONS, ROUTING_ACTIONS
from fulfilment.filters import RoutingFilter
from fulfilment.forms.capacity import CentreForm, ExceptionForm, RoutingForm
from fulfilment.models import CalendarException, CapacityBooking, RoutingStep, WorkCentre
from fulfilment.services import add_exception, load, save_centre, save_routing_step
from fulfilment.services.capacity import booked_minutes, capacities, days_of, hours, monday_of, week_text
from fulfilment.views.plan import plan_url
from inventory.views.base import FormPage
from ordermgmt.company.services import business_today
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from orders.models import Order

_PLACE = "/fulfilment/capacity/"
_SPANS = (4, 8, 13, 26)
_FARTHEST = 3660


def asked_monday(request: Request) -> dt.date:
    """The Monday of `?from=`, this week's where it is absent, unreadable or ten years away."""
    today = business_today()
    try:
        day = dt.date.fromisoformat(request.GET.get("from", ""))
    except ValueError:
        return monday_of(today)
    return monday_of(day if abs((day - today).days) <= _FARTHEST else today)


@require_safe
@permission_required("fulfilment.view_capacity", raise_exception=True)
def capacity_page(request: Request) -> HttpResponse:
    """Load against capacity, a row per work centre and a column per week, with a chart above the table."""
    monday = asked_monday(request)
    asked = request.GET.get("weeks", "")
    weeks = int(asked) if asked in [str(one) for one in _SPANS] else 8
    rows = load(monday, weeks)
    labels = [formats.date_format(monday + dt.timedelta(days=7 * n), "MONTH_DAY_FORMAT") for n in range(weeks)]
    chart = {
        "labels": labels,
        "series": [{"label": row.centre.name, "values": [week.percent for week in row.weeks]} for row in rows[:7]],
    }
    step = dt.timedelta(days=7 * weeks)
    over = [week.monday for row in rows for week in row.weeks if week.level == "over"]
    context = {
        "rows": rows, "labels": labels, "weeks": weeks, "spans": _SPANS, "monday": monday,
        "earlier": (monday - step).isoformat(), "later": (monday + step).isoformat(), "chart": chart,
        "over": len(over), "over_weeks": len(set(over)),
    }  # fmt: skip
    return render(request, "fulfilment/capacity.html", context)


@require_safe
@permission_required("fulfilment.view_capacity", raise_exception=True)
def centre_page(request: Request, pk: int) -> HttpResponse:
    """One work centre in one week, day by day: shifts, load and the orders that are booked."""
    centre = get_object_or_404(WorkCentre.objects.places(), pk=pk)
    monday = asked_monday(request)
    last = monday + dt.timedelta(days=6)
    able, taken = capacities([centre], monday, last), booked_minutes([centre], monday, last)
    rows = CapacityBooking.objects.filter(work_centre=centre, day__gte=monday, day__lte=last)
    bookings = list(rows.select_related("order", "milestone", "booked_by"))
    seen = set(CapacityBooking.objects.visible_to(request.user).filter(pk__in=rows).values_list("pk", flat=True))
    books = request.user.has_perm("fulfilment.book_capacity")
    today = business_today()
    days = [
        {
            "day": day, "capacity": hours(able[pk, day]), "booked": hours(taken.get((pk, day), 0)),
            "over": hours(max(0, taken.get((pk, day), 0) - able[pk, day])) if taken.get((pk, day), 0) > able[pk, day] else "",
            "bookings": [(one, one.pk in seen, books and one.pk in seen and day >= today) for one in bookings if one.day == day],
        }
        for day in days_of(monday, last)
    ]  # fmt: skip
    exceptions = CalendarException.objects.filter(work_centre__in=[centre], day__gte=today)[:20]
    context = {
        "centre": centre, "days": days, "monday": monday, "shifts": centre.shifts.all(), "exceptions": exceptions,
        "earlier": (monday - dt.timedelta(days=7)).isoformat(), "later": (monday + dt.timedelta(days=7)).isoformat(),
    }  # fmt: skip
    return render(request, "fulfilment/centre.html", context)


class CentrePage(FormPage):
    """A new work centre, or another calendar of one."""

    permission = "fulfilment.set_capacity"
    title = gettext_lazy("Work centre")
    back = _PLACE
    back_label = gettext_lazy("Capacity")

    def instance(self) -> WorkCentre | None:
        pk = self.kwargs.get("pk")
        return get_object_or_404(WorkCentre.objects.places(), pk=pk) if pk else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return CentreForm(data, instance=self.found)

    def perform(self, form: Any) -> WorkCentre:
        return save_centre(self.found, version=self.seen_version(), actor=self.request.user, **form.cleaned_data)

    def said(self, made: WorkCentre) -> str:
        return f"{super().said(made)} {week_text(made)}"


class ExceptionList(ListView):
    """The days on which work differs from the weekly shifts."""

    key = "fulfilment.exceptions"
    title = gettext_lazy("Holidays and exceptions")
    permission = "fulfilment.set_capacity"
    default_sort = "-day"
    new_url = f"{_PLACE}exceptions/new/"
    new_label = gettext_lazy("New exception")
    new_permission = "fulfilment.set_capacity"
    empty_text = gettext_lazy("Every week follows the shifts of its work centres.")
    columns = [
        Column("day", gettext_lazy("Day"), kind="date"),
        Column("centre", gettext_lazy("Work centre"), value=lambda one: str(one.work_centre or _("All of them"))),
        Column("hours", gettext_lazy("Hours worked"), kind="quantity", sortable=False),
        Column("reason", gettext_lazy("Reason"), sortable=False),
    ]

    def queryset(self) -> QuerySet[CalendarException]:
        return CalendarException.objects.filter(work_centre__staff=None).select_related("work_centre")

    def row_url(self, row: CalendarException) -> str:
        return f"{_PLACE}exceptions/{row.pk}/do/remove/"


class ExceptionPage(FormPage):
    """A holiday, a repair, a Saturday worked."""

    permission = "fulfilment.set_capacity"
    title = gettext_lazy("New exception")
    back = f"{_PLACE}exceptions/"
    back_label = gettext_lazy("Holidays and exceptions")

    def form(self, data: Any = None) -> forms.BaseForm:
        return ExceptionForm(data)

    def perform(self, form: Any) -> Any:
        return add_exception(actor=self.request.user, **form.cleaned_data)

    def target(self, made: Any) -> str:
        return self.back


class RoutingList(ListView):
    """What products ask of the work centres."""

    key = "fulfilment.routing"
    title = gettext_lazy("Routing")
    permission = "fulfilment.set_capacity"
    filterset_class = RoutingFilter
    default_sort = "sku"
    new_url = f"{_PLACE}routing/new/"
    new_label = gettext_lazy("New step")
    new_permission = "fulfilment.set_capacity"
    empty_text = gettext_lazy("Say how many hours a product takes at which work centre.")
    columns = [
        Column("sku", gettext_lazy("SKU"), path="product.sku"),
        Column("product", gettext_lazy("Product"), path="product.name", sortable=False),
        Column("position", pgettext_lazy("routing", "Position"), kind="quantity", sortable=False),
        Column("centre", gettext_lazy("Work centre"), path="work_centre.name", sortable=False),
        Column("setup_hours", gettext_lazy("Hours to set up"), kind="quantity", sortable=False),
        Column("unit_hours", gettext_lazy("Hours per unit"), kind="quantity", sortable=False),
    ]

    def queryset(self) -> QuerySet[RoutingStep]:
        return RoutingStep.objects.select_related("product", "work_centre")

    def row_url(self, row: RoutingStep) -> str:
        return f"{_PLACE}routing/{row.pk}/edit/"


class RoutingPage(FormPage):
    """A new step of a product's routing, or other hours of one."""

    permission = "fulfilment.set_capacity"
    title = gettext_lazy("Routing step")
    back = f"{_PLACE}routing/"
    back_label = gettext_lazy("Routing")
    template = "fulfilment/routing_form.html"

    def instance(self) -> RoutingStep | None:
        pk = self.kwargs.get("pk")
        return get_object_or_404(RoutingStep.objects.select_related("product"), pk=pk) if pk else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return RoutingForm(data, instance=self.found, initial={"product": self.request.GET.get("sku", "")[:40]})

    def perform(self, form: Any) -> RoutingStep:
        return save_routing_step(self.found, actor=self.request.user, **form.cleaned_data)

    def target(self, made: Any) -> str:
        return self.back


class BookingActionView(ActionView):
    """Booking work centres for an order."""

    actions = BOOKING_ACTIONS

    def queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.request.user)

    def back(self, instance: Order) -> str:
        return f"{plan_url(instance)}#capacity"


class BookedActionView(ActionView):
    """Giving a booking back."""

    actions = BOOKED_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[CapacityBooking]:
        return (
            CapacityBooking.objects.visible_to(self.request.user)
            .filter(assignment=None)
            .select_related("order", "work_centre")
        )

    def back(self, instance: CapacityBooking) -> str:
        return f"{plan_url(instance.order)}#capacity"


class ExceptionActionView(ActionView):
    """Taking an exception back."""

    actions = CLOSED_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[CalendarException]:
        return CalendarException.objects.filter(work_centre__staff=None).select_related("work_centre")

    def back(self, instance: CalendarException) -> str:
        return f"{_PLACE}exceptions/"


class RoutingActionView(ActionView):
    """Taking a step out of a routing."""

    actions = ROUTING_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[RoutingStep]:
        return RoutingStep.objects.select_related("product", "work_centre")

    def back(self, instance: RoutingStep) -> str:
        return f"{_PLACE}routing/"
