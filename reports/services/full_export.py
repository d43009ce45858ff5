"""Every row of a report as CSV or XLSX: made anew in the background and streamed to a file.

A kept result holds the first rows of each section for people to read. The file with all of them is computed again with
the rights of that moment, row by row; its name says when.
"""

import csv
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
from .running import Progress, Sums, may_read, opened_report, plain, rights_used

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User
    from ordermgmt.activity.models import Job
    from ordermgmt.documents.models import StoredFile

EXPORT_JOB = "reports.export"
#: The formats that hold every row; paper would be too long.
WHOLE = ("csv", "xlsx")
_ROWS_A_STEP = 1000

Add = Callable[[dict[str, Any]], None]
Close = Callable[[list[dict[str, Any]]], None]
Begin = Callable[[str, list[dict[str, Any]]], tuple[Add, Close]]


def rows_left_out(result: dict[str, Any]) -> int:
    """How many rows of a kept result were counted and not kept."""
    return sum(section.get("more", 0) for section in result["sections"].values())


@contextmanager
def _csv_file(target: Path) -> Iterator[Begin]:
    with target.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)

        def begin(title: str, columns: list[dict[str, Any]]) -> tuple[Add, Close]:
            writer.writerow([title])
            writer.writerow([column["label"] for column in columns])
            return lambda row: writer.writerow(csv_line(columns, row)), lambda _totals: writer.writerow([])

        yield begin


@contextmanager
def _xlsx_file(target: Path) -> Iterator[Begin]:
    options = {"constant_memory": True, "tmpdir": str(target.parent)}
    used: set[str] = set()
    with xlsxwriter.Workbook(str(target), options | {"strings_to_formulas": False, "strings_to_urls": False}) as book:

        def begin(title: str, columns: list[dict[str, Any]]) -> tuple[Add, Close]:
            sheet = Sheet(book, sheet_name(title, used), columns)
            return sheet.add, sheet.close

        yield begin


def write_whole(
    key: str, raw: dict[str, Any], target: Path, *, user: "User", file_format: str, progress: Progress
) -> list[str]:
    """Writes every row of every section that `user` may see; returns the rights it was made with.

    Raises as `compute_report`; ValueError too for a format that is not in WHOLE.
    """
    if file_format not in WHOLE:
        raise ValueError(f"{file_format} can't hold every row")
    report, form, sections = opened_report(key, raw, user=user)
    with (_csv_file if file_format == "csv" else _xlsx_file)(target) as begin:
        for done, section in enumerate(sections):
            title, columns = str(section.title), section.columns_for(user)
            sums = Sums(columns)
            heads = [{"key": one.key, "label": str(one.label), "kind": one.kind} for one in columns]
            add, close = begin(title, heads)
            progress(done, len(sections), title)
            for number, row in enumerate(section.rows(user, form.cleaned_data), start=1):
                if number % _ROWS_A_STEP == 0:
                    progress(done, len(sections), f"{title}: {number}")
                sums.add(row)
                add({one.key: plain(row[one.key]) for one in columns if one.key in row})
            close(sums.lines())
    progress(len(sections), len(sections), "")
    return rights_used(report, user)


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
    with TemporaryDirectory() as folder, translation.override(run.language):
        target = Path(folder) / f"report.{file_format}"
        rights = write_whole(run.key, run.params, target, user=person, file_format=file_format, progress=progress)
        name = f"{run.key}-{timezone.localtime():%Y-%m-%d-%H%M}.{file_format}"
        with target.open("rb") as content:
            stored = store_file(
                content, name=name, kind="report", actor=person, content_type=FORMATS[file_format].partition(";")[0]
            )
    return stored, rights
