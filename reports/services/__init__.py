"""Verbs of reports. Importing this makes the shipped reports known."""

from . import (
    changes_report,
    delivery_report,
    money_report,
    orders_report,
    profit_report,
    quality_report,
    risks_report,
    sales_report,
    stock_report,
    supply_report,
)
from .asking import fill_run, start_report
from .dashboard_figures import DASHBOARD_JOB, ask_figures, figures_for, fill_figures, refresh_figures
from .dashboards import DASHBOARDS, Dashboard, dashboards_for
from .definitions import Report, Section, report_by_key, reports_for
from .exporting import FORMATS, export
from .full_export import EXPORT_JOB, WHOLE, fill_export, rows_left_out, start_export, whole_file, write_whole
from .profit import not_counted
from .rights import has_rights
from .running import checked_params, compute_report, may_read, quiet
from .saving import (
    MAIL_JOB,
    delete_saved,
    save_report,
    send_due,
    still_entitled,
    subscribe,
    subscribed_file,
    unsubscribe,
)
from .summing import check_sums, days_of_products, days_of_rate, difference_rows, mark_all, mark_days, refresh_sums
from .variance import variance_of

__all__ = [
    "DASHBOARDS",
    "DASHBOARD_JOB",
    "EXPORT_JOB",
    "FORMATS",
    "MAIL_JOB",
    "WHOLE",
    "Dashboard",
    "Report",
    "Section",
    "ask_figures",
    "changes_report",
    "check_sums",
    "checked_params",
    "compute_report",
    "dashboards_for",
    "days_of_products",
    "days_of_rate",
    "delete_saved",
    "delivery_report",
    "difference_rows",
    "export",
    "figures_for",
    "fill_export",
    "fill_figures",
    "fill_run",
    "has_rights",
    "mark_all",
    "mark_days",
    "may_read",
    "money_report",
    "not_counted",
    "orders_report",
    "profit_report",
    "quality_report",
    "quiet",
    "refresh_figures",
    "refresh_sums",
    "report_by_key",
    "reports_for",
    "risks_report",
    "rows_left_out",
    "sales_report",
    "save_report",
    "send_due",
    "start_export",
    "start_report",
    "still_entitled",
    "stock_report",
    "subscribe",
    "subscribed_file",
    "supply_report",
    "unsubscribe",
    "variance_of",
    "whole_file",
    "write_whole",
]
