"""Verbs of reports. Importing this makes the shipped reports known."""

from . import changes_report, delivery_report, money_report, orders_report, profit_report, sales_report
from .definitions import Report, report_by_key, reports_for
from .exporting import FORMATS, export
from .running import checked_params, compute_report, fill_run, may_read, start_report
from .saving import MAIL_JOB, delete_saved, save_report, send_due, subscribe, unsubscribe

__all__ = [
    "FORMATS",
    "MAIL_JOB",
    "Report",
    "changes_report",
    "checked_params",
    "compute_report",
    "delete_saved",
    "delivery_report",
    "export",
    "fill_run",
    "may_read",
    "money_report",
    "orders_report",
    "profit_report",
    "report_by_key",
    "reports_for",
    "sales_report",
    "save_report",
    "send_due",
    "start_report",
    "subscribe",
    "unsubscribe",
]
