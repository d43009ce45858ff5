"""The engine of reports: comparison, drill-down, formats, rights that come and go, sharing."""

import datetime as dt
import io
import re
from decimal import Decimal
from typing import Any

import openpyxl
import pypdf
import pytest
from django.core.exceptions import PermissionDenied

from customers.services import create_customer
from ordermgmt.activity.models import Job
from ordermgmt.activity.services.jobs import Cancelled, Rejected
from orders.models import Order
from reports.models import ReportRun
from reports.services import asking, compute_report, definitions, export, fill_run, running, start_report
from reports.tasks import run_report
from tests.reports.test_run_report import order

pytestmark = pytest.mark.django_db
REPORTS = ["orders", "sales", "profit", "delivery", "quality", "risks", "receivables", "changes", "stock"]


@pytest.fixture
def book(sales: Any) -> list[Order]:
    customer = create_customer(actor=sales, name="Nord")
    days = [dt.date(2025, 1, 5), dt.date(2025, 2, 5), dt.date(2025, 2, 6)]
    return [order(sales, customer, price, day) for price, day in zip(("100", "250", "50"), days, strict=True)]


@pytest.mark.usefixtures("book")
def test_the_period_before_stands_beside(sales: Any) -> None:
    params = {"date_from": "2025-02-01", "date_to": "2025-02-28", "compare": "on"}
    found = compute_report("sales", params, user=sales)["sections"]["by_year"]
    assert found["totals"][0]["net"] == "300.00"
    assert found["before"][0]["net"] == "100.00"
    said = compute_report("sales", params | {"channel": "fair"}, user=sales)["filters"]
    assert [value for _label, value in said[2:]] == ["Trade fair", "Yes"]
    paper = export(compute_report("sales", params, user=sales), "pdf", "by_year")
    assert "Period before EUR" in pypdf.PdfReader(io.BytesIO(paper)).pages[0].extract_text()
    with pytest.raises(ValueError, match="compare"):
        compute_report("sales", {"compare": "on"}, user=sales)
    with pytest.raises(ValueError, match="compare: No calendar goes back"):
        compute_report("sales", {"date_from": "0001-01-01", "date_to": "9999-12-31", "compare": "on"}, user=sales)


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("section", ["by_year", "by_month", "by_customer"])
def test_the_documents_behind_a_row_add_up_to_it(sales: Any, client_of: Any, section: str) -> None:
    client = client_of(sales)
    for row in compute_report("sales", {"date_to": "2025-02-05"}, user=sales)["sections"][section]["rows"]:
        page = client.get(row["link"])
        shown = set(re.findall(r"/orders/([^/\"?]+)/\"", page.content.decode()))
        behind = Order.objects.filter(number__in=shown)
        assert behind.count() == row["count"]
        if "net" in row:
            assert sum(one.net_total for one in behind) == Decimal(row["net"])


@pytest.mark.parametrize("key", REPORTS)
def test_every_report_is_made_in_every_format(finance: Any, client_of: Any, book: list[Order], key: str) -> None:
    run, _job = start_report(key, {}, actor=finance)
    fill_run(run)
    client = client_of(finance)
    assert client.get(f"/reports/runs/{run.public_id}/").status_code == 200
    for ending, start in (("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK"), ("pdf", b"%PDF"), ("json", b"{")):
        assert client.get(f"/reports/runs/{run.public_id}/{ending}/").content.startswith(start)
    assert client.get(f"/reports/runs/{run.public_id}/doc/").status_code == 404


@pytest.mark.usefixtures("book")
def test_a_workbook_has_days_numbers_and_totals_as_formulas(sales: Any) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(export(compute_report("sales", {}, user=sales), "xlsx", "by_year")))[
        "By year"
    ]
    assert sheet.freeze_panes == "A2"
    assert sheet["D3"].value == '=SUMIF(B2:B2,"EUR",D2:D2)'
    assert sheet["D2"].value == 400


def test_totals_count_rows_that_are_not_shown(monkeypatch: Any, sales: Any, book: list[Order]) -> None:
    section = definitions.report_by_key("sales").sections[1]
    short = definitions.Section(**{**section.__dict__, "most": 1})
    found = running.section_of("sales", short, sales, {}, lambda: None)
    assert (len(found["rows"]), found["more"], found["totals"][0]["net"]) == (1, 1, "400.00")


@pytest.mark.usefixtures("book")
def test_nobody_reads_cost_who_may_not(sales: Any, client_of: Any) -> None:
    with pytest.raises(PermissionDenied):
        compute_report("profit", {}, user=sales)
    assert client_of(sales).get("/reports/profit/").status_code == 404


def test_a_right_lost_before_the_making_stops_it(finance: Any, sales: Any, book: list[Order]) -> None:
    run, job = start_report("profit", {}, actor=finance)
    finance.role_assignments.all().delete()
    with pytest.raises(Rejected):
        run_report(job, lambda *_: None)
    assert ReportRun.objects.get(pk=run.pk).result is None


def test_a_right_lost_after_the_making_closes_the_result(finance: Any, client_of: Any, book: list[Order]) -> None:
    run, _job = start_report("sales", {}, actor=finance)
    fill_run(run)
    finance.role_assignments.update(role="sales")
    client = client_of(finance)
    assert client.get(f"/reports/runs/{run.public_id}/").status_code == 403
    assert client.get(f"/reports/runs/{run.public_id}/csv/").status_code == 403


def test_two_who_see_the_same_share_the_work_and_others_do_not(
    monkeypatch: Any, finance: Any, finance2: Any, sales: Any, book: list[Order]
) -> None:
    runs = [start_report("sales", {}, actor=person)[0] for person in (finance, finance2, sales)]
    made: list[str] = []
    compute = asking.compute_report

    def counted(key: str, raw: Any, *, user: Any, progress: Any) -> Any:
        made.append(user.email)
        return compute(key, raw, user=user, progress=progress)

    monkeypatch.setattr(asking, "compute_report", counted)
    first, second, third = (fill_run(run) for run in runs)
    assert made == [finance.email, sales.email]
    assert second.result == first.result
    assert third.result != first.result


def test_asked_twice_it_is_made_once(finance: Any, book: list[Order]) -> None:
    assert start_report("sales", {}, actor=finance)[0] == start_report("sales", {}, actor=finance)[0]
    assert Job.objects.filter(kind="reports.run").count() == 1


def test_progress_moves_and_cancel_stops_the_work(finance: Any, book: list[Order]) -> None:
    run, job = start_report("sales", {}, actor=finance)
    seen: list[int] = []

    def progress(done: int, total: int, note: str) -> None:
        seen.append(done)
        if done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        run_report(job, progress)
    assert seen == [0, 1, 2]
    assert ReportRun.objects.get(pk=run.pk).result is None


@pytest.mark.parametrize("key", ["capacity", "suppliers"])
def test_a_span_from_the_first_days_of_the_calendar_is_made(key: str, manager: Any) -> None:
    assert compute_report(key, {"date_to": "0001-02-01"}, user=manager)["sections"]
