"""Dashboards per role: tiles over sections of the reports, so that a figure here and there is the same figure."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from ordermgmt.accounts.roles import Role
from ordermgmt.company.services import business_today

from .definitions import Report, Section, report_by_key

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Months that a line of figures goes back, the present one included.
MONTHS = 13


def month_before(day: dt.date, months: int) -> dt.date:
    """The first of the month so many months before that of `day`."""
    index = day.year * 12 + day.month - 1 - months
    return dt.date(index // 12, index % 12 + 1, 1)


def _year(today: dt.date) -> dict[str, str]:
    return {"date_from": month_before(today, MONTHS - 1).isoformat(), "date_to": today.isoformat()}


def _quarter(today: dt.date) -> dict[str, str]:
    return {"date_from": month_before(today, 2).isoformat(), "date_to": today.isoformat()}


def _now(_today: dt.date) -> dict[str, str]:
    return {}


@dataclass(frozen=True)
class Tile:
    """One section of a report on a dashboard.

    A "figure" is the present month's `value` of a section by month with the line of the last thirteen; a "chart" has
    its table folded beside it; a "table" shows the first `most` rows, or only those whose
    `value` is `below_zero`. `params` are the report's filters as texts.
    """

    report: str
    section: str
    kind: str
    params: Callable[[dt.date], dict[str, str]] = _year
    value: str = ""
    below_zero: bool = False
    title: str | Promise = ""
    most: int = 8
    columns: tuple[str, ...] = ()  # of the section's, where all would be too wide

    def parts(self, user: "User") -> tuple[Report, Section] | None:
        """Report and section, if this reader may see them and the value: else the tile stays away."""
        try:
            report = report_by_key(self.report)
        except KeyError:
            return None
        section = next((one for one in report.sections if one.key == self.section), None)
        if (
            section is None
            or not report.may_run(user)
            or (section.permission and not user.has_perm(section.permission))
        ):
            return None
        shown = {column.key for column in section.columns_for(user)}
        return None if self.value and self.value not in shown else (report, section)


@dataclass(frozen=True)
class Dashboard:
    """What people of some roles see first."""

    key: str
    title: str | Promise
    roles: frozenset[Role]
    tiles: tuple[Tile, ...]


_NET = Tile("sales", "by_month", "figure", value="net", title=_("Sales this month, net"))
_MARGIN = Tile("sales", "by_month", "figure", value="margin", title=_("Margin this month"))
_ORDERS = Tile("sales", "by_month", "figure", value="count", title=_("Orders this month"))
_OVERDUE = Tile(
    "delivery",
    "overdue",
    "table",
    title=_("Overdue orders"),
    columns=("number", "customer_name", "promised_date", "days"),
)
_LOST = Tile(
    "profit",
    "by_order",
    "table",
    _quarter,
    value="difference",
    below_zero=True,
    title=_("Orders that lost margin"),
    columns=("number", "customer", "difference", "currency", "why"),
)
_REASONS = Tile("profit", "reasons", "chart", title=_("Why margins moved"))
_MONTHS = Tile("sales", "by_month", "chart", title=_("Sales by month"))
_ON_TIME = Tile("delivery", "on_time", "chart", title=_("Deliveries by month of the promise"))

#: In the order in which somebody of several roles is offered them.
DASHBOARDS = (
    Dashboard(
        "manager", _("Management"), frozenset({Role.MANAGER}),
        (_NET, _MARGIN, _ORDERS, _LOST, _REASONS, _MONTHS, _ON_TIME, _OVERDUE, Tile("changes", "by_reason", "chart", title=_("Changes by reason"))),
    ),
    Dashboard(
        "finance", _("Finance"), frozenset({Role.FINANCE, Role.FINANCE_MANAGER}),
        (
            _NET, _MARGIN, _ORDERS, Tile("receivables", "forecast", "chart", _now), _MONTHS,
            Tile("receivables", "aged", "table", _now, title=_("Who owes most that is overdue"),
                 columns=("number", "customer", "currency", "open", "overdue")), _REASONS, _LOST,
        ),
    ),
    Dashboard(
        "sales", _("Sales"), frozenset({Role.SALES, Role.SALES_MANAGER}),
        (
            _NET, _ORDERS, _MONTHS, Tile("orders", "by_state", "chart", _now, title=_("Orders by state")),
            Tile("sales", "by_customer", "table", title=_("Who has not paid yet"),
                 columns=("customer__number", "label", "currency", "outstanding")), _OVERDUE,
            Tile("sales", "by_category", "chart", title=_("Sales by category")),
        ),
    ),
    Dashboard(
        "pm", _("Projects"), frozenset({Role.PM}),
        (
            Tile("delivery", "on_time", "figure", value="late", title=_("Delivered late this month")), _ORDERS, _ON_TIME,
            _OVERDUE, Tile("risks", "orders", "table", _now), Tile("risks", "by_category", "chart", _now, title=_("Risks by category")), _LOST,
            Tile("quality", "first_round", "chart"),
        ),
    ),
    Dashboard(
        "warehouse", _("Warehouse"), frozenset({Role.WAREHOUSE}),
        (
            Tile("stock", "to_ship", "chart", _now), Tile("stock", "to_come", "table", _now),
            Tile("stock", "short", "table", _now),
        ),
    ),
)  # fmt: skip


def dashboards_for(user: "User") -> list[Dashboard]:
    """The dashboards of this person's roles."""
    return [one for one in DASHBOARDS if user.has_role(*one.roles)]


def months_until(day: dt.date | None = None) -> list[str]:
    """The labels of the last thirteen months, the present one last."""
    today = day or business_today()
    return [f"{month_before(today, back):%Y-%m}" for back in reversed(range(MONTHS))]
