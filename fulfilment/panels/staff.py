"""What staff shows on the order page and on the start page."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from fulfilment.actions import ASSIGNMENT_ACTIONS
from fulfilment.models import Assignment, StaffMember
from fulfilment.services import booking_blocked, hours_cost, unrated_minutes, worked_minutes
from fulfilment.services.assigned import laid_minutes
from fulfilment.services.capacity import hours
from ordermgmt.activity.services import register_root
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.money import ZERO, quantise, total
from ordermgmt.lib.palette import command
from ordermgmt.lib.panels import Panel, register
from orders.models import Order, OrderLine

SHOWN = 8
_MOST = 200

register_root(
    StaffMember,
    url=StaffMember.get_absolute_url,
    visible=lambda user: StaffMember.objects.visible_to(user),
    name=_("person"),
)


def _staff(request: Any, order: Order) -> dict[str, Any] | None:
    """Who works on the order: planned, missing and worked hours, and their cost for who may see it."""
    may_assign = request.user.has_perm("fulfilment.assign_staff") and not booking_blocked(order)
    services = [line for line in order.order_lines if line.supply == OrderLine.Supply.SERVICE]
    found = list(
        Assignment.objects.filter(order=order).select_related("staff__user", "milestone", "line", "skill")[:_MOST]
    )
    if not found and not (may_assign and services):
        return None
    laid, worked = laid_minutes(found), worked_minutes(found)
    today = business_today()
    rows = []
    for one in found:
        one.order = order
        missing = one.minutes - laid.get(one.pk, 0)
        comes = may_assign and (missing or (one.minutes and one.last >= today))
        rows.append(
            {
                "assignment": one, "planned": hours(one.minutes), "missing": missing, "missing_hours": hours(missing),
                "worked": hours(worked.get(one.pk, 0)), "actions": list(ASSIGNMENT_ACTIONS) if comes else [],
            }
        )  # fmt: skip
    context = {
        "order": order, "rows": rows, "may_assign": may_assign, "planned": hours(sum(one.minutes for one in found)),
        "worked": hours(sum(worked.values())),
    }  # fmt: skip
    if request.user.has_perm("orders.view_cost"):
        currency = default_seller().currency
        cost = quantise(hours_cost([order.pk]).get(order.pk, ZERO), currency)
        standard = total((line.unit_cost or ZERO) * line.due for line in services)
        # Amounts of two currencies are not laid side by side; the profit of the order converts them.
        comparable = quantise(standard, currency) if order.currency == currency else ZERO
        unrated = unrated_minutes(order)
        context |= {
            "cost": cost,
            "currency": currency,
            "standard": comparable,
            "unrated": hours(unrated) if unrated else "",
        }
    return context


register(
    Panel(
        "orders.order", "staff", _("Staff"), "fulfilment/_order_staff.html", _staff, order=13,
        permission="fulfilment.view_staff",
    )
)  # fmt: skip


def _work(request: Any, _nothing: Any) -> dict[str, Any] | None:
    """One's own work to come, the first first."""
    rows = Assignment.objects.filter(staff__user=request.user, minutes__gt=0, last__gte=business_today())
    found = list(rows.select_related("order", "milestone", "line").order_by("first", "pk")[:SHOWN])
    return {"rows": found} if found else None


register(
    Panel(
        "home",
        "my-work",
        _("My work"),
        "fulfilment/_home_work.html",
        _work,
        order=5,
        permission="fulfilment.book_hours",
    )
)

command(_("Staff"), "/fulfilment/staff/", "fulfilment.view_staff", "staff people skills load 人员 技能 负荷")
command(_("Skills"), "/fulfilment/staff/skills/", "fulfilment.set_staff", "skills 技能")
command(_("My hours"), "/fulfilment/hours/", "fulfilment.book_hours", "hours timesheet 工时 填报")
