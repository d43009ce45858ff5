"""Kept results of reports, and questions kept with a name."""

from .run import ReportRun
from .saved import SavedReport, Subscription

__all__ = ["ReportRun", "SavedReport", "Subscription"]
