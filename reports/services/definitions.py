"""What a report is: named sections, each one aggregate query over what its reader may see."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.functional import Promise

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

    from .facts import Group

#: What a cell may hold; amounts are exact decimals, never floats.
Cell = str | int | Decimal | None
Row = dict[str, Any]


@dataclass(frozen=True)
class Column:
    """One column of a section; a permission hides it from other readers.

    `kind` is text, date, year, count and amount (both summed, whole and in the row's currency), number or percent
    (decimals that no sum makes sense of).
    """

    key: str
    label: str | Promise
    kind: str = "text"
    permission: str = ""


@dataclass(frozen=True)
class Section:
    """One table of a report with its chart: `chart` names the column that is drawn over `label_key`, per currency.

    `rows` yields mappings with the columns' keys, a `currency` where there are amounts, and a `link`: the address of
    the documents behind the row. Totals are over all rows; the first `most` of them are kept for people to read.
    """

    key: str
    title: str | Promise
    columns: tuple[Column, ...]
    rows: Callable[["User", dict[str, Any]], Iterable[Row]]
    label_key: str
    chart: str = ""
    chart_kind: str = "bar"
    permission: str = ""
    most: int = 500
    group: "Group | None" = None  # what its rows are sums over, for the page with the documents behind one
    dated: bool = True  # whether it can be told of a past day, in a report that asks for one

    def columns_for(self, user: "User") -> list[Column]:
        """The columns this reader may see."""
        return [one for one in self.columns if not one.permission or user.has_perm(one.permission)]


@dataclass(frozen=True)
class Report:
    """A report by key: the form of its filters and its sections."""

    key: str
    title: str | Promise
    summary: str | Promise
    form: type[forms.Form]
    sections: tuple[Section, ...]
    permission: str = "reports.run_report"
    also: tuple[str, ...] = ()  # further rights that its reader must have
    details: tuple[Section, ...] = ()  # documents that rows lead to and that are no section of their own
    compares: bool = True  # whether the period before says something beside it

    def may_run(self, user: "User") -> bool:
        """Whether this reader may ask for it and be shown it."""
        return all(user.has_perm(one) for one in (self.permission, *self.also))


def grouped(
    key: str, title: str | Promise, group: "Group", columns: tuple[Column, ...], *, chart: str, chart_kind: str = "bar",
    label_key: str = "label", permission: str = "", dated: bool = True,
) -> Section:  # fmt: skip
    """A section whose rows are groups of documents."""
    return Section(key, title, columns, group.rows, label_key, chart, chart_kind, permission, group=group, dated=dated)


def sections_for(sections: "Iterable[Section]", user: "User", params: dict[str, Any]) -> list[Section]:
    """Those that this reader may see and that can be told of the day that is asked about."""
    return [
        one
        for one in sections
        if (not one.permission or user.has_perm(one.permission)) and (one.dated or not params.get("as_of"))
    ]


@dataclass
class _Registry:
    reports: dict[str, Report] = field(default_factory=dict)


_registry = _Registry()


def register(report: Report) -> Report:
    """Makes a report known to pages, jobs and the shell."""
    _registry.reports[report.key] = report
    return report


def report_by_key(key: str) -> Report:
    """The report. Raises KeyError where there is none."""
    return _registry.reports[key]


def reports_for(user: "User") -> list[Report]:
    """The reports this reader may run, in the order of registration."""
    return [report for report in _registry.reports.values() if report.may_run(user)]
