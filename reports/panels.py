"""What reports offer on other pages."""

from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.palette import command

command(_("Report: orders"), "/reports/orders/", permission="reports.run_report", keywords="report 报表 订单")
command(_("Report: sales"), "/reports/sales/", permission="reports.run_report", keywords="report revenue 报表 销售")
command(_("Report: profit per order"), "/reports/profit/", permission="orders.view_cost", keywords="margin 利润 毛利")
command(_("Report: delivery"), "/reports/delivery/", permission="reports.run_report", keywords="late 交期 交付")
