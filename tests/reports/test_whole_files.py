"""Files with every row of a report: nothing left out, totals right, made in the background, rights asked again."""

import csv
import dataclasses
import datetime as dt
import io
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.db.models import Sum

from customers.services import create_customer
from ordermgmt.activity.models import Job
from ordermgmt.activity.services.jobs import Cancelled, Rejected
from ordermgmt.documents.models import StoredFile
from orders.models import Order
from reports.models import ReportRun
from reports.services import compute_report, definitions, export, exporting, fill_run, start_export, start_report
from reports.tasks import export_report
from tests.reports.test_run_report import order

pytestmark = pytest.mark.django_db


@pytest.fixture
def short(monkeypatch: Any, sales: Any) -> None:
    """Three customers with 100, 250 and 50 EUR, and a sales report that keeps one row of each section."""
    for name, price in (("Nord", "100"), ("Nordsee", "250"), ("Süd", "50")):
        order(sales, create_customer(actor=sales, name=name), price, dt.date(2025, 1, 5))
    report = definitions.report_by_key("sales")
    cut = tuple(dataclasses.replace(one, most=1) for one in report.sections)
    monkeypatch.setitem(definitions._registry.reports, "sales", dataclasses.replace(report, sections=cut))


def made(person: Any) -> ReportRun:
    run, _job = start_report("sales", {}, actor=person)
    return fill_run(run)


def finished(run: ReportRun, file_format: str) -> Job:
    """The job, done the way a worker keeps its result."""
    job = start_export(run, file_format, actor=run.requested_by)
    Job.objects.filter(pk=job.pk).update(result=export_report(job, lambda *_: None))
    job.refresh_from_db()
    return job


@pytest.mark.usefixtures("short")
def test_the_csv_has_every_row_and_adds_up_to_the_documents(finance: Any, client_of: Any) -> None:
    client = client_of(finance)
    run = made(finance)
    page = client.get(f"/reports/runs/{run.public_id}/").content.decode()
    assert "CSV, all rows" in page
    answer = client.post(f"/reports/runs/{run.public_id}/csv/whole/")
    job = finished(run, "csv")
    assert answer.url == f"/activity/jobs/{job.public_id}/"
    assert Job.objects.filter(kind="reports.export").count() == 1
    text = b"".join(client.get(job.result["url"]).streaming_content).decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    start = next(at for at, line in enumerate(lines) if line[:1] == ["By customer"]) + 2
    ordered = [Decimal(line[5]) for line in lines[start : start + 3]]
    assert sum(ordered) == Order.objects.aggregate(sum=Sum("gross_total"))["sum"]


@pytest.mark.usefixtures("short")
def test_the_workbook_has_every_row_and_its_formula_spans_them(finance: Any, client_of: Any) -> None:
    job = finished(made(finance), "xlsx")
    answer = client_of(finance).get(job.result["url"])
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))["By customer"]
    assert [cell.value for cell in sheet["B"]][1:4] == ["Nordsee", "Nord", "Süd"]
    assert sheet["F5"].value == '=SUMIF(C2:C4,"EUR",F2:F4)'
    assert sheet["F2"].value + sheet["F3"].value + sheet["F4"].value == 476


@pytest.mark.usefixtures("short")
def test_a_file_of_the_kept_rows_says_what_it_lacks_and_has_the_whole_total(finance: Any) -> None:
    result = compute_report("sales", {}, user=finance)
    sheet = openpyxl.load_workbook(io.BytesIO(export(result, "xlsx", "by_customer")))["By customer"]
    assert sheet["F3"].value == 476
    assert "2 more rows" in sheet["A5"].value
    assert "2 more rows" in export(result, "csv", "by_customer").decode()


@pytest.mark.usefixtures("short")
def test_a_sheet_that_is_full_says_so_and_has_the_whole_total(finance: Any, client_of: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(exporting, "_ROWS_ON_A_SHEET", 2)
    answer = client_of(finance).get(finished(made(finance), "xlsx").result["url"])
    sheet = openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))["By customer"]
    assert [cell.value for cell in sheet["B"]][1:3] == ["Nordsee", "Nord"]
    assert sheet["F4"].value == 476
    assert "1 more row" in sheet["A6"].value


@pytest.mark.usefixtures("short")
def test_only_the_asker_gets_it_and_only_while_the_rights_last(finance: Any, sales: Any, client_of: Any) -> None:
    run = made(finance)
    job = finished(run, "csv")
    client, other = client_of(finance), client_of(sales)
    assert client.get(f"/reports/runs/{run.public_id}/csv/whole/").status_code == 405
    assert client.post(f"/reports/runs/{run.public_id}/pdf/whole/").status_code == 404
    assert other.post(f"/reports/runs/{run.public_id}/csv/whole/").status_code == 404
    assert other.get(job.result["url"]).status_code == 404
    with pytest.raises(PermissionDenied):
        start_export(run, "csv", actor=sales)
    assert client.get(f"/documents/jobs/{job.public_id}/").status_code == 404
    finance.role_assignments.update(role="sales")
    assert client_of(finance).get(job.result["url"]).status_code == 403


@pytest.mark.usefixtures("short")
def test_a_right_lost_before_the_making_or_a_cancel_leaves_no_file(finance: Any) -> None:
    run = made(finance)
    job = start_export(run, "xlsx", actor=finance)
    seen: list[int] = []

    def progress(done: int, total: int, note: str) -> None:
        seen.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        export_report(job, progress)
    assert seen == [0, 1, 2]
    finance.role_assignments.all().delete()
    with pytest.raises(Rejected):
        export_report(job, lambda *_: None)
    assert not StoredFile.objects.filter(kind="report").exists()


@pytest.mark.usefixtures("short")
def test_the_orders_behind_a_customer_are_that_customers_alone(finance: Any, client_of: Any) -> None:
    report = definitions.report_by_key("sales")
    rows = list(report.sections[-1].rows(finance, {}))
    row = next(one for one in rows if one["label"] == "Nord")
    page = client_of(finance).get(row["link"]).content.decode()
    behind = [one for one in Order.objects.all() if f"/orders/{one.number}/" in page]
    assert [one.customer_name for one in behind] == ["Nord"]
    assert sum(one.gross_total for one in behind) == row["gross"]
