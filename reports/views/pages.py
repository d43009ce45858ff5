"""Pages of reports: choose, filter, watch, read, export."""

from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from ordermgmt.accounts.models import User
from ordermgmt.activity.models import Job
from ordermgmt.lib.http import Request
from reports.forms import SaveForm, SubscribeForm
from reports.models import ReportRun, SavedReport, Subscription
from reports.services import FORMATS, Report, checked_params, export, may_read, reports_for, rows_left_out, start_report


def _report(request: Request, key: str) -> Report:
    for report in reports_for(request.user):
        if report.key == key:
            return report
    raise Http404


def saved_rows(user: User, titles: dict[str, Any]) -> list[dict[str, Any]]:
    """The saved reports that this reader may run, with what they are sent of each."""
    found = SavedReport.objects.visible_to(user).filter(key__in=titles).select_related("owner")
    mails = {one.saved_id: one for one in Subscription.objects.filter(person=user)}
    return [
        {"saved": one, "title": titles[one.key], "mail": mails.get(one.pk), "mine": one.owner_id == user.pk}
        for one in found
    ]


@require_GET
def report_list(request: Request) -> HttpResponse:
    """The reports one may run, and one's last results."""
    runs = ReportRun.objects.visible_to(request.user)[:20]
    titles = {report.key: report.title for report in reports_for(request.user)}
    context = {
        "reports": reports_for(request.user),
        "runs": [(run, titles.get(run.key, run.key)) for run in runs],
        "saved": saved_rows(request.user, titles),
        "subscribe_form": SubscribeForm(auto_id=False),
    }
    return render(request, "reports/report_list.html", context)


@require_http_methods(["GET", "POST"])
def report_start(request: Request, key: str) -> HttpResponse:
    """The filters of a report; a POST asks the worker for it."""
    report = _report(request, key)
    form = checked_params(report, request.POST) if request.method == "POST" else report.form(initial=request.GET.dict())
    if request.method == "POST" and not form.errors:
        raw = {name: request.POST.get(name, "") for name in form.fields if request.POST.get(name)}
        run, _job = start_report(key, raw, actor=request.user)
        return redirect("reports:run-detail", public_id=run.public_id)
    status = 422 if form.errors else 200
    return render(request, "reports/report_start.html", {"report": report, "form": form}, status=status)


@require_GET
def run_detail(request: Request, public_id: Any) -> HttpResponse:
    """A result with charts and tables; while the worker is busy, its progress."""
    run = get_object_or_404(ReportRun.objects.visible_to(request.user), public_id=public_id)
    report = _report(request, run.key)
    if not may_read(run, request.user):
        return render(request, "reports/run_lost.html", {"run": run, "report": report}, status=403)
    if run.result is None:
        job = Job.objects.filter(key=f"report:{run.public_id}").first()
        return render(request, "reports/run_waiting.html", {"run": run, "report": report, "job": job})
    sections = [_shown(key, section) for key, section in run.result["sections"].items()]
    context = {
        "run": run,
        "report": report,
        "sections": sections,
        "again": f"?{urlencode(run.params)}",
        "save_form": SaveForm(),
        "left_out": rows_left_out(run.result),
    }
    return render(request, "reports/run_detail.html", context)


def shown_rows(section: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Per row its link, its columns with their values, and the row itself."""
    return [
        (row.get("link", ""), [(column, row.get(column["key"])) for column in section["columns"]], row)
        for row in section["rows"]
    ]


def _shown(key: str, section: dict[str, Any]) -> dict[str, Any]:
    columns = section["columns"]
    totals = _sums(section["totals"], columns, "now") + _sums(section.get("before", []), columns, "before")
    return section | {
        "key": key,
        "data_id": f"data-{key}",
        "shown": shown_rows(section),
        "sums": totals,
        "chart_data": chart_data(section),
    }


def _sums(lines: list[dict[str, Any]], columns: list[dict[str, Any]], period: str) -> list[tuple[Any, ...]]:
    return [(period, line["currency"], [(column, line.get(column["key"])) for column in columns]) for line in lines]


def chart_data(section: dict[str, Any]) -> dict[str, Any]:
    """Labels, what the values are, and one series per currency: amounts of different currencies are never added up."""
    label_key, value_key = section["label_key"], section["chart"]
    rows = section["rows"][:24] if section["chart_kind"] == "bar" else section["rows"]
    labels = list(dict.fromkeys(str(row[label_key]) for row in rows))
    series: dict[str, dict[str, str | None]] = {}
    for row in rows:
        value = row[value_key]  # where nothing is to be told, the line has a gap
        series.setdefault(row.get("currency", ""), {})[str(row[label_key])] = None if value is None else str(value)
    return {
        "labels": labels,
        "unit": next((column["kind"] for column in section["columns"] if column["key"] == value_key), ""),
        "series": [
            {"label": name, "values": [found.get(label) for label in labels]} for name, found in sorted(series.items())
        ],
    }


@require_GET
def run_export(request: Request, public_id: Any, file_format: str) -> HttpResponse:
    """The kept result as CSV, XLSX, PDF or JSON: the figures of the page."""
    run = get_object_or_404(
        ReportRun.objects.visible_to(request.user).exclude(result__isnull=True), public_id=public_id
    )
    if file_format not in FORMATS:
        raise Http404
    _report(request, run.key)
    if not may_read(run, request.user):
        raise PermissionDenied
    data = export(run.result or {}, file_format, request.GET.get("section", ""), language=run.language)
    response = HttpResponse(data, content_type=FORMATS[file_format])
    response["Content-Disposition"] = f'attachment; filename="{run.key}-{run.requested_at:%Y-%m-%d}.{file_format}"'
    return response
