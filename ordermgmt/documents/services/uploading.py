"""Imports through the browser: upload, mapping, dry run and run."""

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from ordermgmt.activity.services import record
from ordermgmt.documents import events
from ordermgmt.documents.models import ImportProfile, ImportRun
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.importing import (
    FieldMap,
    Layout,
    Outcome,
    Table,
    Target,
    Unreadable,
    read_table,
    suggest,
    target,
    targets,
)

from .importing import Progress, Report, run_import
from .profiles import layout_of, step_of
from .storing import read_file, store_file

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: More problems than this are counted, not listed.
_MOST_LISTED = 1000


def _require(actor: "User") -> None:
    if not actor.has_perm("documents.import_data"):
        raise PermissionDenied("documents.import_data")


def recognise(table: Table) -> Target:
    """The target whose fields the headers fit best: what it needs first, then how many."""

    def fit(one: Target) -> tuple[bool, int, int]:
        found = suggest(table, one)
        needed = all(field.name in found for field in one.fields if field.required)
        return needed, len(found), -one.order

    return max(targets(), key=fit)


def layout_json(layout: Layout) -> dict[str, Any]:
    """A layout as a profile holds it."""
    return {name: value for name, value in vars(layout).items() if value}


def fields_json(maps: dict[str, FieldMap]) -> dict[str, Any]:
    """Field maps as a profile holds them."""
    return {name: one.as_json() for name, one in maps.items()}


@transaction.atomic
def upload_import(*, content: bytes, name: str, target_key: str, actor: "User") -> ImportRun:
    """Keeps a file and proposes how it is read: layout, what it holds, and which column means what.

    A mapping that somebody kept for the same columns is taken instead. Raises PermissionDenied, ValidationError at
    `file` for one that can't be read.
    """
    _require(actor)
    try:
        table = read_table(content, name)
    except Unreadable as error:
        raise ValidationError({"file": str(error)}) from error
    chosen = target(target_key) if target_key else recognise(table)
    stored = store_file(content, name=name, kind="import", actor=actor)
    run = ImportRun(file=stored, target=chosen.key, created_by=actor)
    run.setup = {"layout": layout_json(table.layout), "fields": fields_json(suggest(table, chosen))}
    for kept in ImportProfile.objects.filter(target=chosen.key).order_by("-saved_at"):
        used = {column for one in kept.setup.get("fields", {}).values() for column in one.get("columns", [])}
        if used and used <= set(table.headers):
            run.setup = {**run.setup, "fields": kept.setup["fields"]}
            run.source, run.mode = kept.source, kept.mode
            break
    run.save()
    record(events.IMPORT_UPLOADED, run, actor=actor, name=stored.name)
    return run


def table_of(run: ImportRun) -> Table:
    """The uploaded file, read by the run's layout. Raises Unreadable."""
    return read_table(read_file(run.file), run.file.name, layout_of(run.setup.get("layout", {})))


@transaction.atomic
def map_import(
    run: ImportRun,
    *,
    setup: dict[str, Any],
    source: str,
    mode: str,
    actor: "User",
    version: int | None = None,
    target_key: str = "",
) -> ImportRun:
    """Sets layout, fields, source and mode of an import. An earlier dry run no longer counts. Raises StaleVersion."""
    _require(actor)
    run = ImportRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if version is not None and run.version != version:
        raise StaleVersion(run)
    if run.finished_at:
        raise ValidationError(_("This file has been imported: upload it again for another import."))
    run.setup, run.source, run.mode, run.check_report = setup, source, mode, None
    run.target = target_key or run.target
    run.version += 1
    run.save()
    return run


@transaction.atomic
def keep_mapping(run: ImportRun, name: str, *, actor: "User") -> ImportProfile:
    """Keeps a run's mapping under a name, for files with the same columns; the same name again replaces it."""
    _require(actor)
    values = {"target": run.target, "source": run.source, "mode": run.mode, "setup": run.setup, "saved_by": actor}
    profile, _made = ImportProfile.objects.update_or_create(name=name, defaults=values)
    record(events.PROFILE_SAVED, profile, actor=actor, name=name)
    return profile


def perform_import(run: ImportRun, *, dry_run: bool, actor: "User", progress: Progress) -> Report:
    """Tries or does an import and keeps the report. A second time changes nothing, by the source's own keys.

    Raises Unreadable where file and mapping don't fit, PermissionDenied, StaleVersion for a dry run of a mapping that was
    changed meanwhile; what `progress` raises ends it.
    """
    with translation.override(actor.language):
        maps = {name: FieldMap.of(one) for name, one in run.setup.get("fields", {}).items()}
        step = step_of(table_of(run), run.target, maps, tuple(run.setup.get("key", ())))
        report = run_import([step], source=run.source, actor=actor, mode=run.mode, dry_run=dry_run, progress=progress)
    return _keep(run, report, actor)


@transaction.atomic
def _keep(run: ImportRun, report: Report, actor: "User") -> Report:
    tried, run = run.version, ImportRun.objects.select_for_update(no_key=True).get(pk=run.pk)
    if report.dry_run and run.version != tried:
        raise StaleVersion(run)
    content = report.as_json()
    for step in content["steps"]:
        step["more"] = max(0, len(step["problems"]) - _MOST_LISTED)
        step["problems"], step["warnings"] = step["problems"][:_MOST_LISTED], step["warnings"][:_MOST_LISTED]
    if report.dry_run:
        run.check_report = content
    else:
        run.report = content
        run.finished_at = timezone.now() if report.written else None
        run.version += not report.written  # pressed again it is another try: what was missing may be there by then
        counts: dict[str, Any] = {outcome.value: report.steps[0].counts[outcome] for outcome in Outcome}
        if report.written:
            record(events.IMPORT_RUN, run, actor=actor, name=run.file.name, **counts)
    run.save()
    return report
