"""Verbs of reports. Importing this makes the shipped reports known."""

from . import changes_report, delivery_report, money_report, orders_report, profit_report, sales_report
from .definitions import Report, report_by_key, reports_for
from .exporting import FORMATS, export
from .full_export import EXPORT_JOB, WHOLE, fill_export, rows_left_out, start_export, write_whole
from .running import checked_params, compute_report, fill_run, may_read, start_report
from .saving import MAIL_JOB, delete_saved, save_report, send_due, subscribe, unsubscribe

__all__ = [
    "EXPORT_JOB",
    "FORMATS",
    "MAIL_JOB",
    "WHOLE",
    "Report",
    "changes_report",
    "checked_params",
    "compute_report",
    "delete_saved",
    "delivery_report",
    "export",
    "fill_export",
    "fill_run",
    "may_read",
    "money_report",
    "orders_report",
    "profit_report",
    "report_by_key",
    "reports_for",
    "rows_left_out",
    "sales_report",
    "save_report",
    "send_due",
    "start_export",
    "start_report",
    "subscribe",
    "unsubscribe",
    "write_whole",
]
