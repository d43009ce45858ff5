"""What the side bar offers, by permission."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Entry:
    """One line of the side bar."""

    label: str | Promise
    url: str
    icon: str
    permission: str = ""


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
    Entry(_("Risks"), "/fulfilment/risks/", icon="alert-triangle", permission="fulfilment.manage_risk"),
    Entry(_("Feedback"), "/fulfilment/feedback/", icon="message-circle", permission="fulfilment.view_feedback"),
    Entry(_("Changes"), "/changes/", icon="replace", permission="changes.view_change"),
    Entry(_("Change rules"), "/changes/rules/", icon="shield", permission="changes.set_rules"),
    Entry(_("Billing"), "/billing/", icon="receipt", permission="billing.view_invoice"),
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
    shown = [entry for entry in ENTRIES if not entry.permission or user.has_perm(entry.permission)]
    best = max((e.url for e in shown if request.path.startswith(e.url) and e.url != "/"), key=len, default=request.path)
    return {
        "navigation": [
            {"label": entry.label, "url": entry.url, "icon": entry.icon, "active": entry.url == best} for entry in shown
        ]
    }
