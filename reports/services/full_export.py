"""Every row of a report as CSV or XLSX: made anew in the background and streamed to a file.

A kept result holds the first rows of each section for people to read. The file with all of them is computed again with
the rights of that moment, row by row; its name says when.
"""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import xlsxwriter
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone, translation

from ordermgmt.activity.services.jobs import enqueue
from ordermgmt.documents.services import store_file
from reports.models import ReportRun

from .exporting import FORMATS, Sheet, csv_line, sheet_name
from .rights import rights_used
from .running import (
    Progress,
    Sums,
    before_of,
    earlier_params,
    head_of,
    may_read,
    opened_report,
    plain,
    rows_of,
)

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User
    from ordermgmt.activity.models import Job
    from ordermgmt.documents.models import StoredFile

EXPORT_JOB = "reports.export"
#: The formats that hold every row; paper would be too long.
WHOLE = ("csv", "xlsx", "json")
_ROWS_A_STEP = 1000

Lines = list[dict[str, Any]]
Add = Callable[[dict[str, Any]], None]
#: Ends a section with its totals, and with those of the period before.
Close = Callable[[Lines, Lines], None]
#: Begins a section: key, title, columns.
Begin = Callable[[str, str, Lines], tuple[Add, Close]]


def rows_left_out(result: dict[str, Any]) -> int:
    """How many rows of a kept result were counted and not kept."""
    return sum(section.get("more", 0) for section in result["sections"].values())


@contextmanager
def _csv_file(target: Path, _head: dict[str, Any]) -> Iterator[Begin]:
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)

        def begin(_key: str, title: str, columns: Lines) -> tuple[Add, Close]:
            writer.writerow([title])
            writer.writerow([column["label"] for column in columns])
            return lambda row: writer.writerow(csv_line(columns, row)), lambda _totals, _before: writer.writerow([])

        yield begin


@contextmanager
def _xlsx_file(target: Path, _head: dict[str, Any]) -> Iterator[Begin]:
    options = {"constant_memory": True, "tmpdir": str(target.parent)}
    used: set[str] = set()
    with xlsxwriter.Workbook(str(target), options | {"strings_to_formulas": False, "strings_to_urls": False}) as book:

        def begin(_key: str, title: str, columns: Lines) -> tuple[Add, Close]:
            sheet = Sheet(book, sheet_name(title, used), columns)
            return sheet.add, lambda totals, before: sheet.close(totals, before=before)

        yield begin


@contextmanager
def _json_file(target: Path, head: dict[str, Any]) -> Iterator[Begin]:
    """The same shape as the kept result, written row by row."""
    with target.open("w", encoding="utf-8") as out:
        out.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "sections": {')
        between = ["", ""]  # what stands before the next section, and before the next row

        def add(row: dict[str, Any]) -> None:
            out.write(between[1] + json.dumps(row, ensure_ascii=False))
            between[1] = ",\n"

        def close(totals: Lines, before: Lines) -> None:
            ending = {"totals": totals} | ({"before": before} if before else {})
            out.write("], " + json.dumps(ending, ensure_ascii=False)[1:])

        def begin(key: str, title: str, columns: Lines) -> tuple[Add, Close]:
            opening = json.dumps({"title": title, "columns": columns}, ensure_ascii=False)[:-1]
            out.write(f'{between[0]}{json.dumps(key)}: {opening}, "rows": [\n')
            between[:] = [",\n", ""]
            return add, close

        yield begin
        out.write("}}\n")


_FILES = {"csv": _csv_file, "xlsx": _xlsx_file, "json": _json_file}


def write_whole(
    key: str, raw: dict[str, Any], target: Path, *, user: "User", file_format: str, progress: Progress, only: str = ""
) -> list[str]:
    """Writes every row of every section that `user` may see (or of the one called `only`), and never holds them all.

    Returns the rights it was made with. Raises as `compute_report`; ValueError too for a format that is not in WHOLE.
    """
    if file_format not in WHOLE:
        raise ValueError(f"{file_format} can't hold every row")
    report, form, sections = opened_report(key, raw, user=user)
    sections = [one for one in sections if one.key == only] or sections
    params, earlier = form.cleaned_data, earlier_params(report, form)
    with _FILES[file_format](target, head_of(report, raw, form, user)) as begin:
        for done, section in enumerate(sections):
            title, columns = str(section.title), section.columns_for(user)
            sums, kept = Sums(columns), [one.key for one in columns] + ["link"]
            heads = [{"key": one.key, "label": str(one.label), "kind": one.kind} for one in columns]
            add, close = begin(section.key, title, heads)
            progress(done, len(sections), title)
            for number, row in enumerate(rows_of(key, section, user, params)[0], start=1):
                if number % _ROWS_A_STEP == 0:
                    progress(done, len(sections), f"{title}: {number}")
                sums.add(row)
                add({name: plain(row[name]) for name in kept if name in row})
            close(sums.lines(), before_of(key, section, user, earlier, lambda: None) if earlier else [])
    progress(len(sections), len(sections), "")
    return rights_used(report, user)


@contextmanager
def whole_file(key: str, raw: dict[str, Any], **asked: Any) -> Iterator[tuple[Path, list[str]]]:
    """As `write_whole`, into a file that is gone afterwards; gives it with the rights it was made with."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / f"report.{asked['file_format']}"
        yield target, write_whole(key, raw, target, **asked)


@transaction.atomic
def start_export(run: ReportRun, file_format: str, *, actor: "User") -> "Job":
    """Asks the worker for the file with every row; asked again, the same job is returned.

    Raises PermissionDenied for the run of somebody else or a result that may no longer be read, and ValueError for a
    format that can't hold every row.
    """
    if run.requested_by_id != actor.pk or not may_read(run, actor):
        raise PermissionDenied
    if file_format not in WHOLE:
        raise ValueError(f"{file_format} can't hold every row")
    params = {"run": run.pk, "format": file_format}
    return enqueue(EXPORT_JOB, key=f"report-file:{run.public_id}:{file_format}", params=params, actor=actor)


def fill_export(run: ReportRun, file_format: str, *, progress: Progress) -> "tuple[StoredFile, list[str]]":
    """Makes and stores the file with the rights of now; returns it with the rights it was made with.

    Raises PermissionDenied where the person lost the right or is no longer active.
    """
    person = run.requested_by
    if not person.is_active or not may_read(run, person):
        raise PermissionDenied
    asked = {"user": person, "file_format": file_format, "progress": progress}
    with translation.override(run.language), whole_file(run.key, run.params, **asked) as (made, rights):
        name = f"{run.key}-{timezone.localtime():%Y-%m-%d-%H%M}.{file_format}"
        with made.open("rb") as content:
            stored = store_file(
                content, name=name, kind="report", actor=person, content_type=FORMATS[file_format].partition(";")[0]
            )
    return stored, rights
