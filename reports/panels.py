"""What reports offer on other pages."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.palette import command
from ordermgmt.lib.panels import Panel, register
from reports.services import not_counted, variance_of

command(
    _("Dashboard"), "/reports/dashboard/", permission="reports.view_dashboard", keywords="dashboard 仪表板 看板 figures"
)
command(_("Report: orders"), "/reports/orders/", permission="reports.run_report", keywords="report 报表 订单")
command(_("Report: sales"), "/reports/sales/", permission="reports.run_report", keywords="report revenue 报表 销售")
command(_("Report: profit per order"), "/reports/profit/", permission="orders.view_cost", keywords="margin 利润 毛利")
command(_("Report: delivery"), "/reports/delivery/", permission="reports.run_report", keywords="late 交期 交付")


def _margin(request: Any, order: Any) -> dict[str, Any] | None:
    found = variance_of(order, request.user)
    if found is None:
        return None
    # A product whose cost no exchange rate could bring into the order's currency; what has no product has no cost.
    without = sum(1 for line in order.order_lines if line.product_id and line.unit_cost is None)
    unrated = not_counted(found[0]["unrated"]) if found[0]["unrated"] else ""
    return {"order": order, "row": found[0], "parts": found[1], "without_cost": without, "unrated": unrated}


register(
    Panel("orders.order", "margin", _("Margin"), "reports/_margin_panel.html", _margin, order=55,
          permission="orders.view_cost")
)  # fmt: skip
