"""Running a report: compute it section by section, keep the result, announce it."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone, translation

from ordermgmt.accounts.roles import Role
from ordermgmt.activity.services import record
from ordermgmt.activity.services.jobs import enqueue
from reports import events
from reports.models import ReportRun

from .definitions import Column, Report, Section, report_by_key
from .parameters import period_before

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User
    from ordermgmt.activity.models import Job

Progress = Callable[[int, int, str], None]

#: For so long a result is given to somebody else who asks for the same and may see the same.
SHARED_FOR = dt.timedelta(minutes=1)
#: A job looks whether it was cancelled after so many rows.
_ROWS_A_STEP = 1000


def _quiet(_done: int, _total: int, _note: str) -> None:
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


def _section(section: Section, user: "User", params: dict[str, Any], step: Callable[[], None]) -> dict[str, Any]:
    columns = section.columns_for(user)
    kept = [column.key for column in columns] + ["link"]
    rows, sums, count = [], Sums(columns), 0
    for count, row in enumerate(_counted(section.rows(user, params), step), start=1):
        sums.add(row)
        if count <= section.most:
            rows.append({key: plain(row[key]) for key in kept if key in row})
    return {
        "title": str(section.title),
        "label_key": section.label_key,
        "chart": section.chart,
        "chart_kind": section.chart_kind,
        "columns": [{"key": one.key, "label": str(one.label), "kind": one.kind} for one in columns],
        "rows": rows,
        "more": max(0, count - section.most),
        "totals": sums.lines(),
    }


def _counted(rows: Any, step: Callable[[], None]) -> Iterator[Any]:
    for index, row in enumerate(rows, start=1):
        if index % _ROWS_A_STEP == 0:
            step()
        yield row


def _before(section: Section, user: "User", params: dict[str, Any], step: Callable[[], None]) -> list[dict[str, Any]]:
    sums = Sums(section.columns_for(user))
    for row in _counted(section.rows(user, params), step):
        sums.add(row)
    return sums.lines()


def rights_used(report: Report, user: "User") -> list[str]:
    """The rights without which what this reader got would have looked different, or not been made."""
    sections = report.sections
    asked = {one.permission for one in sections} | {column.permission for one in sections for column in one.columns}
    return sorted({report.permission, *report.also} | {one for one in asked if one and user.has_perm(one)})


def may_read(run: ReportRun, user: "User") -> bool:
    """Whether the reader still has every right that the kept result was made with."""
    return all(user.has_perm(one) for one in (run.result or {}).get("rights", []))


def opened_report(key: str, raw: dict[str, Any], *, user: "User") -> tuple[Report, forms.Form, list[Section]]:
    """The report, its filters and the sections that `user` may see. Raises as `compute_report`."""
    report = report_by_key(key)
    if not report.may_run(user):
        raise PermissionDenied
    form = checked_params(report, raw)
    if form.errors:
        raise ValueError(" ".join(f"{name}: {' '.join(map(str, found))}" for name, found in form.errors.items()))
    return report, form, [one for one in report.sections if not one.permission or user.has_perm(one.permission)]


def compute_report(key: str, raw: dict[str, Any], *, user: "User", progress: Progress = _quiet) -> dict[str, Any]:
    """The report as JSON-ready data, in the active language, over what `user` may see.

    Raises KeyError for an unknown report, PermissionDenied without the right, ValueError for filters that are wrong.
    """
    report, form, sections = opened_report(key, raw, user=user)
    params = form.cleaned_data
    earlier = period_before(params) if report.compares and params.get("compare") else None
    result: dict[str, Any] = {"report": key, "title": str(report.title), "params": raw, "sections": {}}
    result |= {"rights": rights_used(report, user), "filters": _filters_said(form)}
    for done, section in enumerate(sections):

        def step(done: int = done, note: str = str(section.title)) -> None:
            progress(done, len(sections), note)

        step()
        result["sections"][section.key] = _section(section, user, params, step)
        if earlier:
            result["sections"][section.key]["before"] = _before(section, user, earlier, step)
    progress(len(sections), len(sections), "")
    return result


def _filters_said(form: forms.Form) -> list[list[str]]:
    """The filters in force as pairs of words, for page and paper."""
    return [[str(form[name].label), str(form[name].value())] for name in form.fields if form.cleaned_data.get(name)]


def scope_of(user: "User") -> str:
    """What decides what this reader sees: two people with the same text see the same figures.

    Sellers and project managers see by name; finance sees everything, a manager the department.
    """
    roles = sorted(str(role) for role in Role if user.has_role(role))
    if user.is_system:
        return "system"
    if set(roles) <= {Role.FINANCE, Role.FINANCE_MANAGER}:
        return "+".join(roles)
    if set(roles) <= {Role.FINANCE, Role.FINANCE_MANAGER, Role.MANAGER}:
        return f"{'+'.join(roles)}:{user.department_id}"
    return f"{'+'.join(roles)}:{user.pk}"


@transaction.atomic
def start_report(key: str, raw: dict[str, Any], *, actor: "User") -> tuple[ReportRun, "Job"]:
    """Asks the worker for a report; its page shows progress and then the kept result.

    Asked for the same again while it is being made, the run under way is returned. Raises KeyError for an unknown
    report and PermissionDenied without the right.
    """
    report = report_by_key(key)
    if not report.may_run(actor):
        raise PermissionDenied
    language = translation.get_language() or "en"
    same = {"key": key, "params": raw, "language": language}
    since = timezone.now() - SHARED_FOR
    mine = ReportRun.objects.filter(requested_by=actor, result__isnull=True, requested_at__gte=since, **same)
    run = mine.first()
    if run is None:
        run = ReportRun.objects.create(requested_by=actor, **same)
        record(events.REPORT_RUN, run, actor=actor, title=key)
    job = enqueue("reports.run", key=f"report:{run.public_id}", params={"run": run.pk}, actor=actor)
    return run, job


def _made_for_another(run: ReportRun) -> ReportRun | None:
    """A result just made of the same question for somebody who sees the same."""
    since = run.requested_at - SHARED_FOR
    same = ReportRun.objects.filter(key=run.key, params=run.params, language=run.language, finished_at__gte=since)
    scope = scope_of(run.requested_by)
    others = (
        same.exclude(result=None)
        .exclude(requested_by=run.requested_by)
        .select_related("requested_by")
        .order_by("-finished_at")[:20]
    )
    return next((one for one in others if scope_of(one.requested_by) == scope), None)


def fill_run(run: ReportRun, *, progress: Progress = _quiet) -> ReportRun:
    """Computes a run once and keeps its result; a second call changes nothing.

    Rights count as they are now. Raises PermissionDenied where the person lost the right or is no longer active.
    """
    if run.result is not None:
        return run
    person = run.requested_by
    if not person.is_active or not report_by_key(run.key).may_run(person):
        raise PermissionDenied
    shared = _made_for_another(run)
    if shared is not None and may_read(shared, person):
        result, made_at = shared.result, shared.finished_at
    else:
        made_at = timezone.now()
        with translation.override(run.language):
            result = compute_report(run.key, run.params, user=person, progress=progress)
    ReportRun.objects.filter(pk=run.pk, result__isnull=True).update(result=result, finished_at=made_at)
    run.refresh_from_db()
    return run
