"""Import, step by step: upload, layout and columns, dry run, run, report."""

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ordermgmt.activity.services import enqueue
from ordermgmt.documents.forms import LayoutForm, MappingForm, UploadForm
from ordermgmt.documents.models import ImportProfile, ImportRun
from ordermgmt.documents.services.profiles import layout_of, shipped_profiles
from ordermgmt.documents.services.uploading import (
    fields_json,
    keep_mapping,
    layout_json,
    map_import,
    table_of,
    upload_import,
)
from ordermgmt.documents.tasks import IMPORT
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.http import Request
from ordermgmt.lib.importing import Table, Unreadable, suggest, target

_may_import = permission_required("documents.import_data", raise_exception=True)


def _run(request: Request, public_id: uuid.UUID) -> ImportRun:
    return get_object_or_404(ImportRun.objects.visible_to(request.user).select_related("file"), public_id=public_id)


@require_GET
@_may_import
def overview(request: Request) -> HttpResponse:
    """The imports so far, and where a new one starts."""
    runs = ImportRun.objects.visible_to(request.user).select_related("file", "created_by")[:50]
    context = {
        "form": UploadForm(),
        "rows": [(run, target(run.target).label) for run in runs],
        "profiles": ImportProfile.objects.all()[:50],
        "shipped": shipped_profiles(),
    }
    return render(request, "documents/import_list.html", context)


@require_POST
@_may_import
def upload(request: Request) -> HttpResponse:
    """Takes a file and proposes how it is read."""
    form = UploadForm(request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data["file"]
        try:
            run = upload_import(
                content=given.read(), name=given.name, target_key=form.cleaned_data["target"], actor=request.user
            )
        except ValidationError as error:
            form.add_error("file", ValidationError(error.messages))
        else:
            return redirect(run)
    return render(request, "documents/import_list.html", {"form": form, "rows": []}, status=422)


@require_http_methods(["GET", "POST"])
@_may_import
def mapping(request: Request, public_id: uuid.UUID) -> HttpResponse:
    """Which sheet and row, which column means what; then a dry run or the import."""
    run = _run(request, public_id)
    try:
        table, problem = table_of(run), ""
    except Unreadable as error:
        table, problem = None, str(error)
    if request.method == "POST" and "layout" in request.POST:
        return _layout(request, run, table)
    if table is None:
        return _page(request, run, None, LayoutForm(initial=run.setup["layout"]), None, problem, status=422)
    if request.method == "POST":
        return _map(request, run, table)
    return _page(request, run, table, LayoutForm(initial=vars(table.layout)), MappingForm(table=table, run=run))


def _layout(request: Request, run: ImportRun, table: Table | None) -> HttpResponse:
    """Another sheet, header row, encoding, delimiter or kind: the columns are proposed anew."""
    form = LayoutForm(request.POST)
    if not form.is_valid():
        return _page(request, run, table, form, None, status=422)
    key = form.cleaned_data["target"]
    layout = layout_of({name: value for name, value in form.cleaned_data.items() if value and name != "target"})
    setup = {"layout": layout_json(layout), "fields": {}}
    moved = ImportRun(file=run.file, target=key, setup=setup)
    try:
        fresh = table_of(moved)
    except Unreadable as error:
        form.add_error(None, str(error))
        return _page(request, run, table, form, None, status=422)
    setup["fields"] = fields_json(suggest(fresh, target(key)))
    try:
        map_import(run, setup=setup, source=run.source, mode=run.mode, actor=request.user, target_key=key)
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, run, table, form, None, status=422)
    return redirect(run)


def _map(request: Request, run: ImportRun, table: Table) -> HttpResponse:
    layout = LayoutForm(initial=vars(table.layout))
    form = MappingForm(request.POST, table=table, run=run)
    if not form.is_valid():
        return _page(request, run, table, layout, form, status=422)
    setup = {**run.setup, "fields": fields_json(form.maps())}
    try:
        run = map_import(
            run, setup=setup, source=form.cleaned_data["source"], mode=form.cleaned_data["mode"],
            actor=request.user, version=form.cleaned_data["version"],
        )  # fmt: skip
    except StaleVersion:
        form.add_error(None, _("Somebody changed this mapping in the meantime. Open the page again."))
        return _page(request, run, table, layout, form, status=409)
    except ValidationError as error:
        form.add_error(None, error)
        return _page(request, run, table, layout, form, status=422)
    if name := form.cleaned_data["keep_as"]:
        keep_mapping(run, name, actor=request.user)
        messages.success(request, _("The mapping has been kept as “%(name)s”.") % {"name": name})
    if "check" in request.POST:
        return _enqueue(request, run, dry_run=True)
    return redirect(run)


def _page(
    request: Request, run: ImportRun, table: Table | None, layout: Any, form: Any, problem: str = "", status: int = 200
) -> HttpResponse:
    layout.initial.setdefault("target", run.target)
    context = {
        "run": run, "table": table, "layout": layout, "form": form, "problem": problem,
        "target": target(run.target), "preview": table.rows[:3] if table else [],
    }  # fmt: skip
    return render(request, "documents/import_mapping.html", context, status=status)


def _enqueue(request: Request, run: ImportRun, *, dry_run: bool) -> HttpResponse:
    key = f"import:{run.public_id}:{run.version}:{'check' if dry_run else 'run'}"
    title = _("Dry run of %(name)s") if dry_run else _("Import of %(name)s")
    params = {"run": str(run.public_id), "dry_run": dry_run}
    job = enqueue(IMPORT, key=key, params=params, actor=request.user, title=title % {"name": run.file.name})
    return redirect(job)


@require_POST
@_may_import
def start(request: Request, public_id: uuid.UUID) -> HttpResponse:
    """Starts the import as it was mapped. Pressed twice, it is one job."""
    return _enqueue(request, _run(request, public_id), dry_run=False)


@require_GET
@_may_import
def report(request: Request, public_id: uuid.UUID, kind: str) -> HttpResponse:
    """What came of the dry run or of the import, row by row."""
    run = _run(request, public_id)
    found = {"check": run.check_report, "done": run.report}.get(kind)
    if found is None:
        raise Http404
    context = {"run": run, "report": found, "kind": kind, "step": found["steps"][0], "target": target(run.target)}
    return render(request, "documents/import_report.html", context)
