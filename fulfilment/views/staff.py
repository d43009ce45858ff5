"""Staff: who there is, how full their weeks are, what they can do, and who is assigned to an order."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.actions import ABSENCE_ACTIONS, ASSIGNMENT_ACTIONS, STAFF_ACTIONS
from fulfilment.forms.staff import AssignWorkForm, LockForm, SkillForm, StaffForm, WorkForm
from fulfilment.models import Assignment, CalendarException, HoursLock, Skill, StaffMember
from fulfilment.services import assign_staff, booking_blocked, load, lock_hours, save_skill, save_staff
from fulfilment.services.assigned import laid_minutes
from fulfilment.services.capacity import monday_of, week_text
from fulfilment.views.capacity import asked_monday
from inventory.views.base import FormPage
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.fields import add_errors
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from ordermgmt.lib.tables.paging import Sort, keyset_page
from ordermgmt.lib.typed import whole
from orders.models import Order

_PLACE = "/fulfilment/staff/"
_WEEKS = 6
_SHOWN = 50


@require_safe
@permission_required("fulfilment.view_staff", raise_exception=True)
def staff_page(request: Request) -> HttpResponse:
    """Everybody with their skills and the load of the coming weeks; `?skill=` chooses who holds one, `?q=` a name."""
    monday = asked_monday(request)
    people = StaffMember.objects.select_related("user", "calendar").prefetch_related("levels__skill")
    if request.GET.get("all") != "1":
        people = people.in_use()
    skill, text = request.GET.get("skill", ""), request.GET.get("q", "").replace("\0", "")[:100].strip()
    if (chosen := whole(skill)) is not None:
        people = people.filter(levels__skill=chosen)
    if text:
        people = people.filter(user__name__icontains=text)
    cursors = {name: request.GET.get(name, "") for name in ("after", "before")}
    page = keyset_page(people, Sort("user__name"), size=_SHOWN, **cursors)
    weeks = {row.centre.pk: row.weeks for row in load(monday, _WEEKS, [one.calendar for one in page.rows])}
    step = dt.timedelta(days=7 * _WEEKS)
    context = {
        "page": page, "rows": [(one, weeks[one.calendar_id]) for one in page.rows], "skills": Skill.objects.all()[:100],
        "skill": skill, "q": text, "all": request.GET.get("all") == "1", "monday": monday, "locked": HoursLock.day(),
        "labels": _labels(monday, _WEEKS), "earlier": (monday - step).isoformat(), "later": (monday + step).isoformat(),
    }  # fmt: skip
    return render(request, "fulfilment/staff.html", context)


def _labels(monday: dt.date, weeks: int) -> list[str]:
    return [formats.date_format(monday + dt.timedelta(days=7 * n), "MONTH_DAY_FORMAT") for n in range(weeks)]


@require_safe
def person_page(request: Request, pk: int) -> HttpResponse:
    """One person: skills, the weeks to come, absences, assignments, and for who may see cost what an hour costs."""
    found = StaffMember.objects.visible_to(request.user).select_related("user", "calendar")
    staff = get_object_or_404(found, pk=pk)
    may, today = request.user.has_perm, business_today()
    monday = monday_of(today)
    (row,) = load(monday, _WEEKS, [staff.calendar])
    coming = Assignment.objects.filter(staff=staff, minutes__gt=0, last__gte=today)
    own = list(coming.select_related("order", "milestone", "line").order_by("first", "pk")[:_SHOWN])
    visible = Assignment.objects.visible_to(request.user).filter(pk__in=[one.pk for one in own])
    seen = set(visible.values_list("pk", flat=True))
    laid = laid_minutes(own)
    off = CalendarException.objects.filter(work_centre=staff.calendar, day__gte=today)[:_SHOWN]
    context = {
        "staff": staff, "levels": staff.levels.select_related("skill"), "weeks": row.weeks, "shifts": staff.calendar.shifts.all(),
        "labels": _labels(monday, _WEEKS), "absences": off, "may_set": may("fulfilment.set_staff"),
        "assignments": [(one, one.pk in seen, one.minutes - laid.get(one.pk, 0)) for one in own],
        "actions": STAFF_ACTIONS.offered(staff, request.user),
        "rates": staff.rates.select_related("set_by") if may("orders.view_cost") else None,
        "currency": default_seller().currency, "is_self": staff.user_id == request.user.pk,
    }  # fmt: skip
    return render(request, "fulfilment/person.html", context)


class StaffPage(FormPage):
    """Somebody new, or another week and other skills."""

    permission = "fulfilment.set_staff"
    title = gettext_lazy("Staff")
    back = _PLACE
    back_label = gettext_lazy("Staff")

    def instance(self) -> StaffMember | None:
        pk = self.kwargs.get("pk")
        found = StaffMember.objects.visible_to(self.request.user).select_related("user", "calendar")
        return get_object_or_404(found, pk=pk) if pk else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return StaffForm(data, instance=self.found)

    def perform(self, form: Any) -> StaffMember:
        return save_staff(self.found, version=self.seen_version(), actor=self.request.user, **form.cleaned_data)

    def said(self, made: StaffMember) -> str:
        return f"{super().said(made)} {week_text(made.calendar)}"


class SkillList(ListView):
    """What people can do."""

    key = "fulfilment.skills"
    title = gettext_lazy("Skills")
    permission = "fulfilment.set_staff"
    default_sort = "name"
    new_url = f"{_PLACE}skills/new/"
    new_label = gettext_lazy("New skill")
    new_permission = "fulfilment.set_staff"
    empty_text = gettext_lazy("Name what not everybody can do, and the services that ask for it.")
    columns = [
        Column("name", gettext_lazy("Name")),
        Column(
            "services", gettext_lazy("Services"), sortable=False,
            value=lambda one: ", ".join(product.sku for product in one.products.all()),
        ),
        Column("people", gettext_lazy("People"), sortable=False, value=lambda one: str(len(one.levels.all()))),
    ]  # fmt: skip

    def queryset(self) -> QuerySet[Skill]:
        return Skill.objects.prefetch_related("products", "levels")

    def row_url(self, row: Skill) -> str:
        return f"{_PLACE}skills/{row.pk}/edit/"


class SkillPage(FormPage):
    """A new skill, or another name and other services of one."""

    permission = "fulfilment.set_staff"
    title = gettext_lazy("Skill")
    back = f"{_PLACE}skills/"
    back_label = gettext_lazy("Skills")

    def instance(self) -> Skill | None:
        pk = self.kwargs.get("pk")
        return get_object_or_404(Skill, pk=pk) if pk else None

    def form(self, data: Any = None) -> forms.BaseForm:
        return SkillForm(data, instance=self.found)

    def perform(self, form: Any) -> Skill:
        return save_skill(self.found, version=self.seen_version(), actor=self.request.user, **form.cleaned_data)

    def target(self, made: Any) -> str:
        return self.back


class LockPage(FormPage):
    """Locking the hours of everybody up to a day, or opening some again."""

    permission = "fulfilment.lock_hours"
    title = gettext_lazy("Lock hours")
    back = _PLACE
    back_label = gettext_lazy("Staff")

    def form(self, data: Any = None) -> forms.BaseForm:
        return LockForm(data, initial={"until": monday_of(business_today()) - dt.timedelta(days=1)})

    def perform(self, form: Any) -> HoursLock:
        return lock_hours(actor=self.request.user, **form.cleaned_data)

    def target(self, made: Any) -> str:
        return self.back


def _order(request: Request, number: str) -> Order:
    try:
        return Order.objects.with_number(request.user, number)
    except Order.DoesNotExist:
        raise Http404 from None


def assign_page(request: Request, number: str) -> HttpResponse:
    """Who could do a piece of work of an order, the best first with the reason; POST assigns one of them."""
    order = _order(request, number)
    if not request.user.has_perm("fulfilment.assign_staff"):
        raise PermissionDenied
    if request.method == "POST":
        form: WorkForm = AssignWorkForm(request.POST, order=order)
        if form.is_valid():
            try:
                made = assign_staff(order, actor=request.user, **form.cleaned_data)
            except ValidationError as error:
                add_errors(form, error)
            except TransitionRefused as refused:
                form.add_error(None, [str(one.sentence) for one in refused.blockers])
            else:
                messages.success(request, _("%(name)s is assigned.") % {"name": made.staff})
                return redirect(f"{order.get_absolute_url()}#staff")
        return _show_assign(request, order, form, status=422)
    asked = request.GET if "hours" in request.GET else None
    return _show_assign(request, order, WorkForm(asked, order=order))


def _show_assign(request: Request, order: Order, form: WorkForm, status: int = 200) -> HttpResponse:
    wish = form if form.is_bound else None
    found = _suggested(form)
    context = {
        "order": order, "form": form, "wish": wish, "suggestions": found, "blockers": booking_blocked(order),
        "hidden": AssignWorkForm(order=order)["key"].value(),
    }  # fmt: skip
    return render(request, "fulfilment/assign.html", context, status=status)


def _suggested(form: WorkForm) -> list[tuple[Any, str]]:
    """The suggestions of what was typed, of a refused assignment too."""
    if not form.is_bound:
        return []
    again = WorkForm(form.data, order=form.order)
    return again.suggestions()


class StaffActionView(ActionView):
    """An absence of somebody, or what an hour costs."""

    actions = STAFF_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[StaffMember]:
        return StaffMember.objects.visible_to(self.request.user).select_related("user", "calendar")


class AbsenceActionView(ActionView):
    """Taking an absence back."""

    actions = ABSENCE_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[CalendarException]:
        people = StaffMember.objects.visible_to(self.request.user)
        return CalendarException.objects.filter(work_centre__staff__in=people).select_related("work_centre__staff")

    def back(self, instance: CalendarException) -> str:
        centre = instance.work_centre
        return centre.staff.get_absolute_url() if centre else _PLACE


class AssignmentActionView(ActionView):
    """Replacing somebody on an order, or taking them off."""

    actions = ASSIGNMENT_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Assignment]:
        rows = Assignment.objects.visible_to(self.request.user)
        return rows.select_related("order", "staff__user", "staff__calendar", "milestone", "line")

    def back(self, instance: Assignment) -> str:
        return f"{instance.order.get_absolute_url()}#staff"
