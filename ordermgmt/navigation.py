"""What the side bar offers, by permission."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from fulfilment.models import StaffMember
from ordermgmt.accounts.models import User
from ordermgmt.accounts.roles import Role

DASHBOARD = "/reports/dashboard/"


@dataclass(frozen=True)
class Entry:
    """One line of the side bar."""

    label: str | Promise
    url: str
    icon: str
    permission: str = ""
    shown_to: Callable[[User], bool] | None = None  # asked of holders of the permission only


def _books_hours(user: User) -> bool:
    """Whether hours are theirs to book: service people, and whoever else is set up as staff."""
    return user.has_role(Role.SERVICE) or StaffMember.objects.filter(user=user).exists()


ENTRIES = [
    Entry(_("Start"), "/", icon="home"),
    Entry(_("Orders"), "/orders/", icon="clipboard-list", permission="orders.view_order"),
    Entry(_("Board"), "/fulfilment/board/", icon="columns", permission="orders.view_order"),
    Entry(_("Customers"), "/customers/", icon="users", permission="customers.view_customer"),
    Entry(_("Products"), "/inventory/products/", icon="box", permission="inventory.view_product"),
    Entry(_("Stock"), "/inventory/stock/", icon="building-warehouse", permission="inventory.view_stock"),
    Entry(_("Purchasing"), "/inventory/purchases/", icon="package-import", permission="inventory.view_purchase"),
    Entry(_("Shipments"), "/fulfilment/shipments/", icon="truck", permission="fulfilment.ship_order"),
    Entry(_("Milestones"), "/fulfilment/milestones/", icon="timeline", permission="fulfilment.plan_order"),
    Entry(_("Calendar"), "/fulfilment/calendar/", icon="calendar", permission="orders.view_order"),
    Entry(_("Capacity"), "/fulfilment/capacity/", icon="chart-bar", permission="fulfilment.view_capacity"),
    Entry(_("Staff"), "/fulfilment/staff/", icon="users", permission="fulfilment.view_staff"),
    Entry(_("My hours"), "/fulfilment/hours/", icon="clock", permission="fulfilment.book_hours", shown_to=_books_hours),
    Entry(_("Risks"), "/fulfilment/risks/", icon="alert-triangle", permission="fulfilment.manage_risk"),
    Entry(_("Feedback"), "/fulfilment/feedback/", icon="message-circle", permission="fulfilment.view_feedback"),
    Entry(_("Changes"), "/changes/", icon="replace", permission="changes.view_change"),
    Entry(_("Change rules"), "/changes/rules/", icon="shield", permission="changes.set_rules"),
    Entry(_("Billing"), "/billing/", icon="receipt", permission="billing.view_invoice"),
    Entry(_("Dashboard"), DASHBOARD, icon="chart-bar", permission="reports.view_dashboard"),
    Entry(_("Reports"), "/reports/", icon="chart-bar", permission="reports.run_report"),
    Entry(_("Import"), "/documents/imports/", icon="file-import", permission="documents.import_data"),
    Entry(_("Users"), "/users/", icon="user-cog", permission="accounts.manage_users"),
    Entry(_("Company"), "/company/", icon="building", permission="company.change_settings"),
    Entry(_("Audit"), "/activity/audit/", icon="history", permission="activity.view_audit"),
]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor: the entries this person may open, the present one marked."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    shown = [
        entry for entry in ENTRIES
        if (not entry.permission or user.has_perm(entry.permission)) and (not entry.shown_to or entry.shown_to(user))
    ]  # fmt: skip
    if user.has_role(Role.MANAGER):  # who decides by figures begins with them
        shown.sort(key=lambda entry: entry.url != DASHBOARD)
    best = max((e.url for e in shown if request.path.startswith(e.url) and e.url != "/"), key=len, default=request.path)
    return {
        "navigation": [
            {"label": entry.label, "url": entry.url, "icon": entry.icon, "active": entry.url == best} for entry in shown
        ]
    }
