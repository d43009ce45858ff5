"""Kept results of reports, questions kept with a name, daily sums, and the figures of dashboards."""

from .dashboard import DashboardFigures
from .daysum import DaySum, DirtyDay, SumsCheck
from .run import ReportRun
from .saved import SavedReport, Subscription

__all__ = ["DashboardFigures", "DaySum", "DirtyDay", "ReportRun", "SavedReport", "Subscription", "SumsCheck"]
