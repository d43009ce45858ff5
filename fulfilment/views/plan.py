"""The plan of an order as a Gantt chart and a table, and the milestones of all orders."""

import datetime as dt
from typing import Any

from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from fulfilment.actions import BOOKING_ACTIONS, MILESTONE_ACTIONS, PLAN_ACTIONS
from fulfilment.filters import MilestoneFilter
from fulfilment.forms.plan import MoveForm
from fulfilment.models import CapacityBooking, Milestone, MilestoneLink
from fulfilment.models.plan import OVER
from fulfilment.services import broken_steps, early_hours, order_needs
from fulfilment.views.gantt import gantt
from ordermgmt.company.services import business_today
from ordermgmt.lib.actions import Action
from ordermgmt.lib.actionviews import ActionView
from ordermgmt.lib.http import Request
from ordermgmt.lib.tables import Column, ListView
from ordermgmt.lib.typed import whole
from orders.models import Order

_FARTHEST_DRAG = 3650
_MOST_BOOKINGS = 200


def plan_url(order: Order) -> str:
    """Where the order's plan is."""
    return reverse("fulfilment:order-plan", args=[order.number])


@require_safe
def plan_page(request: Request, number: str) -> HttpResponseBase:
    """The order's plan; the same number of queries for two milestones and for four hundred."""
    order = get_object_or_404(Order.objects.visible_to(request.user), number=number)
    found = Milestone.objects.filter(order=order).select_related("owner")
    milestones = list(found.order_by(F("forecast").asc(nulls_last=True), "pk"))
    links = list(MilestoneLink.objects.filter(after__order=order))
    today = business_today()
    codes = {one.pk: one.code for one in milestones}
    first: dict[int, list[str]] = {}
    for link in links:
        first.setdefault(link.after_id, []).append(codes[link.before_id])
    for one in milestones:
        one.order = order
    plans = request.user.has_perm("fulfilment.plan_order")
    over = order.state in OVER
    broken = {} if over else broken_steps(milestones, links, order.promised_date)
    sees_capacity = request.user.has_perm("fulfilment.view_capacity")
    early = early_hours(order, milestones) if sees_capacity and not over else {}
    rows = [
        (
            one,
            one.status(dt.date.min if over else today),
            first.get(one.pk, []),
            _offered(one, request, plans=plans),
            broken.get(one.pk, []),
            early.get(one.pk, []),
        )
        for one in milestones
    ]
    context = {
        "order": order,
        "over": over,
        "plans": plans,
        "rows": rows,
        "gantt": gantt(milestones, links, today=today, over=over, promised=order.promised_date, broken=broken)
        if milestones
        else None,
        "progress": found.progress(),
        "late": sum(1 for row in rows if row[1] == "late"),
        "done": sum(1 for one in milestones if one.actual),
        "slipped": sum(1 for one in milestones if (one.slip or 0) > 0),
        "actions": PLAN_ACTIONS.offered(order, request.user),
    }
    if sees_capacity:
        context |= _capacity(order, request, today)
    return render(request, "fulfilment/plan.html", context)


def _capacity(order: Order, request: Request, today: dt.date) -> dict[str, Any]:
    """What the order asks of work centres and has booked, for who may see their load."""
    books = request.user.has_perm("fulfilment.book_capacity")
    rows = CapacityBooking.objects.filter(order=order, assignment=None).select_related("work_centre", "milestone")
    return {
        "sees_capacity": True,
        "needs": order_needs(order),
        "bookings": [(one, books and one.day >= today) for one in rows[:_MOST_BOOKINGS]],
        "booking_actions": BOOKING_ACTIONS.offered(order, request.user),
    }


def _offered(milestone: Milestone, request: Request, *, plans: bool) -> list[Action]:
    """What the reader may do with it: all for who plans, its report for its owner."""
    if not plans and milestone.owner_id != request.user.pk:
        return []
    return MILESTONE_ACTIONS.offered(milestone, request.user)


class PlanActionView(ActionView):
    """Adding to the plan of an order."""

    actions = PLAN_ACTIONS

    def queryset(self) -> QuerySet[Order]:
        return Order.objects.visible_to(self.request.user)

    def back(self, instance: Order) -> str:
        return plan_url(instance)


class MilestoneActionView(ActionView):
    """Every verb on a milestone. `?by=days` fills the form for moving as a drag left it."""

    actions = MILESTONE_ACTIONS
    lookup = "pk"

    def queryset(self) -> QuerySet[Milestone]:
        return Milestone.objects.visible_to(self.request.user).select_related("order", "owner")

    def back(self, instance: Milestone) -> str:
        return plan_url(instance.order)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = request.GET.get("by", "")
        days = whole(asked.removeprefix("-"), digits=5)
        if self.action.name == "move" and days is not None:
            days = min(_FARTHEST_DRAG, days) * (-1 if asked.startswith("-") else 1)
            return self.show(MoveForm.preview(self.instance, days))
        return super().get(request, *args, **kwargs)


class MilestoneList(ListView):
    """The milestones of all orders that the reader sees."""

    key = "fulfilment.milestones"
    title = gettext_lazy("Milestones")
    permission = "orders.view_order"
    filterset_class = MilestoneFilter
    default_sort = "forecast"
    empty_text = gettext_lazy("Plan an order from its page.")
    columns = [
        Column("order", gettext_lazy("Order"), path="order.number"),
        Column("customer", gettext_lazy("Customer"), path="order.customer_name", sortable=False),
        Column("code", gettext_lazy("Code"), sortable=False),
        Column("name", gettext_lazy("Name"), sortable=False),
        Column("kind", gettext_lazy("Kind"), sortable=False),
        Column("owner", gettext_lazy("Owner"), path="owner.name", sortable=False),
        Column("baseline", gettext_lazy("Baseline"), kind="date", nullable=True),
        Column("forecast", gettext_lazy("Planned"), kind="date", nullable=True),
        Column("actual", gettext_lazy("Reached on"), kind="date", nullable=True),
        Column("slip", gettext_lazy("Days after the baseline"), kind="quantity", sortable=False),
    ]

    def queryset(self) -> QuerySet[Milestone]:
        return Milestone.objects.visible_to(self.request.user).select_related("order", "owner")

    def row_url(self, row: Milestone) -> str:
        return plan_url(row.order)
