"""Computing a report section by section, over what its reader may see."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from reports.models import ReportRun

from .definitions import Column, Report, Row, Section, report_by_key, sections_for
from .parameters import period_before
from .rights import has_rights, rights_used
from .summed import summed_rows

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Progress = Callable[[int, int, str], None]

#: A job looks whether it was cancelled after so many rows.
_ROWS_A_STEP = 1000


def quiet(_done: int, _total: int, _note: str) -> None:
    """Progress that nobody watches."""


def checked_params(report: Report, raw: dict[str, Any]) -> forms.Form:
    """The filter form bound to raw texts; its `cleaned_data` is what sections are asked with."""
    form = report.form(data=raw)
    form.is_valid()
    return form


def plain(value: Any) -> Any:
    """A figure as the kept JSON holds it: amounts as text with at least two decimals, never as floats; days in ISO."""
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, Decimal):
        return value
    exact = value.normalize()
    return format(exact if -int(exact.as_tuple().exponent) > 2 else value.quantize(Decimal("0.01")), "f")


class Sums:
    """One line of totals per currency: amounts of different currencies are never added up."""

    def __init__(self, columns: list[Column]) -> None:
        self.columns = [column for column in columns if column.kind in ("amount", "count")]
        self.by_currency: dict[str, dict[str, Decimal]] = {}

    def add(self, row: dict[str, Any]) -> None:
        line = self.by_currency.setdefault(row.get("currency", ""), {c.key: Decimal(0) for c in self.columns})
        for column in self.columns:
            line[column.key] += Decimal(row.get(column.key) or 0)

    def lines(self) -> list[dict[str, Any]]:
        return [
            {
                "currency": currency,
                **{c.key: int(line[c.key]) if c.kind == "count" else plain(line[c.key]) for c in self.columns},
            }
            for currency, line in sorted(self.by_currency.items())
            if self.columns
        ]


def rows_of(report: str, section: Section, user: "User", params: dict[str, Any]) -> tuple[Iterable[Row], str]:
    """The rows of a section, and where they are from: "sums" (the daily sums) or "documents"."""
    rows = summed_rows(report, section, user, params)
    return (section.rows(user, params), "documents") if rows is None else (rows, "sums")


def section_of(
    report: str, section: Section, user: "User", params: dict[str, Any], step: Callable[[], None], most: int = 0
) -> dict[str, Any]:
    """One section as JSON-ready data with its first `most` rows (default: as many as the section keeps)."""
    columns = section.columns_for(user)
    kept = [column.key for column in columns] + ["link"]
    rows, sums, count, most = [], Sums(columns), 0, most or section.most
    found, source = rows_of(report, section, user, params)
    for count, row in enumerate(_counted(found, step), start=1):
        sums.add(row)
        if count <= most:
            rows.append({key: plain(row[key]) for key in kept if key in row})
    return {
        "title": str(section.title),
        "label_key": section.label_key,
        "chart": section.chart,
        "chart_kind": section.chart_kind,
        "columns": [{"key": one.key, "label": str(one.label), "kind": one.kind} for one in columns],
        "rows": rows,
        "more": max(0, count - most),
        "totals": sums.lines(),
        "source": source,
    }


def _counted(rows: Any, step: Callable[[], None]) -> Iterator[Any]:
    for index, row in enumerate(rows, start=1):
        if index % _ROWS_A_STEP == 0:
            step()
        yield row


def before_of(
    report: str, section: Section, user: "User", params: dict[str, Any], step: Callable[[], None]
) -> list[dict[str, Any]]:
    """The totals of a section over the period before."""
    sums = Sums(section.columns_for(user))
    for row in _counted(rows_of(report, section, user, params)[0], step):
        sums.add(row)
    return sums.lines()


def may_read(run: ReportRun, user: "User") -> bool:
    """Whether the reader still has every right that the kept result was made with."""
    return has_rights(user, (run.result or {}).get("rights", []))


def opened_report(key: str, raw: dict[str, Any], *, user: "User") -> tuple[Report, forms.Form, list[Section]]:
    """The report, its filters and the sections that `user` may see. Raises as `compute_report`."""
    report = report_by_key(key)
    if not report.may_run(user):
        raise PermissionDenied
    form = checked_params(report, raw)
    if form.errors:
        raise ValueError(" ".join(f"{name}: {' '.join(map(str, found))}" for name, found in form.errors.items()))
    return report, form, sections_for(report.sections, user, form.cleaned_data)


def compute_report(key: str, raw: dict[str, Any], *, user: "User", progress: Progress = quiet) -> dict[str, Any]:
    """The report as JSON-ready data, in the active language, over what `user` may see.

    Raises KeyError for an unknown report, PermissionDenied without the right, ValueError for filters that are wrong.
    """
    report, form, sections = opened_report(key, raw, user=user)
    params, earlier = form.cleaned_data, earlier_params(report, form)
    result: dict[str, Any] = {**head_of(report, raw, form, user), "sections": {}}
    for done, section in enumerate(sections):

        def step(done: int = done, note: str = str(section.title)) -> None:
            progress(done, len(sections), note)

        step()
        result["sections"][section.key] = section_of(key, section, user, params, step)
        if earlier:
            result["sections"][section.key]["before"] = before_of(key, section, user, earlier, step)
    progress(len(sections), len(sections), "")
    return result


def earlier_params(report: Report, form: forms.Form) -> dict[str, Any] | None:
    """The filters of the period before, where somebody wants it beside."""
    return period_before(form.cleaned_data) if report.compares and form.cleaned_data.get("compare") else None


def head_of(report: Report, raw: dict[str, Any], form: forms.Form, user: "User") -> dict[str, Any]:
    """What a result says of itself beside its sections."""
    words = {"report": report.key, "title": str(report.title), "params": raw}
    return {**words, "rights": rights_used(report, user), "filters": _filters_said(form)}


def _filters_said(form: forms.Form) -> list[list[str]]:
    """The filters in force as pairs of words, for page and paper."""
    return [[str(form[name].label), _said(form, name)] for name in form.fields if form.cleaned_data.get(name)]


def _said(form: forms.Form, name: str) -> str:
    """A filter's value as the form shows it: yes instead of True, a choice by its label."""
    if form.cleaned_data[name] is True:
        return _("Yes")
    value = str(form[name].value())
    return str(dict(getattr(form.fields[name], "choices", ())).get(value, value))
