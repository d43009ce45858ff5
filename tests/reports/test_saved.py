"""Saved reports and their mails."""

import dataclasses
import datetime as dt
import io
from typing import Any

import openpyxl
import pytest
from django.core import mail
from django.core.exceptions import PermissionDenied

from customers.services import create_customer
from ordermgmt.activity.models import Job
from ordermgmt.activity.services.jobs import Rejected
from reports.models import ReportRun, SavedReport, Subscription
from reports.services import definitions, save_report, send_due, start_report, subscribe, unsubscribe
from reports.tasks import mail_report
from tests.reports.test_run_report import order

pytestmark = pytest.mark.django_db


def _quiet(*_: Any) -> None:
    """Nobody watches."""


@pytest.fixture
def saved(sales: Any, finance: Any) -> SavedReport:
    order(sales, create_customer(actor=sales, name="Nord"), "100", dt.date(2025, 1, 5))
    return save_report(key="sales", params={"date_from": "2025-01-01"}, name="Year", is_shared=True, actor=finance)


def _due(saved: SavedReport, person: Any, file_format: str = "xlsx") -> Job:
    found = subscribe(saved, every="day", file_format=file_format, actor=person)
    assert send_due(found.next_on) == 1
    return Job.objects.get(kind="reports.mail", params__subscription=found.pk)


@pytest.mark.parametrize(
    ("every", "today", "then"),
    [
        ("day", dt.date(2026, 1, 31), dt.date(2026, 2, 1)),
        ("week", dt.date(2026, 1, 5), dt.date(2026, 1, 12)),
        ("week", dt.date(2026, 1, 4), dt.date(2026, 1, 5)),
        ("month", dt.date(2026, 1, 31), dt.date(2026, 2, 1)),
        ("month", dt.date(2026, 12, 1), dt.date(2027, 1, 1)),
    ],
)
def test_the_rhythm(every: str, today: dt.date, then: dt.date) -> None:
    assert Subscription(every=every).day_after(today) == then


def test_the_file_has_the_rights_of_its_reader(saved: SavedReport, sales: Any, finance: Any) -> None:
    heads = {}
    for person in (sales, finance):
        mail_report(_due(saved, person), _quiet)
        name, content, _type = mail.outbox[-1].attachments[0]
        assert name.startswith("sales-")
        sheet = openpyxl.load_workbook(io.BytesIO(content))["By year"]
        heads[person] = [cell.value for cell in sheet[1]]
    assert "Margin" in heads[finance]
    assert "Margin" not in heads[sales]
    assert "Cost" not in heads[sales]


def test_a_day_is_asked_for_once(saved: SavedReport, finance: Any) -> None:
    job = _due(saved, finance)
    assert send_due(dt.date.fromisoformat(job.params["day"])) == 0
    assert Subscription.objects.get().next_on == dt.date.fromisoformat(job.params["day"]) + dt.timedelta(days=1)


def test_nothing_is_sent_after_the_right_or_the_wish_is_gone(saved: SavedReport, sales: Any, finance: Any) -> None:
    job = _due(saved, sales)
    SavedReport.objects.update(is_shared=False)
    with pytest.raises(Rejected):
        mail_report(job, _quiet)
    job = _due(saved, finance)
    finance.role_assignments.all().delete()
    with pytest.raises(Rejected):
        mail_report(job, _quiet)
    unsubscribe(saved, actor=finance)
    assert mail_report(job, _quiet) == {}
    assert mail.outbox == []


def test_private_ones_are_their_owners(saved: SavedReport, sales: Any, warehouse: Any) -> None:
    SavedReport.objects.update(is_shared=False)
    with pytest.raises(PermissionDenied):
        subscribe(saved, every="day", file_format="csv", actor=sales)
    with pytest.raises(PermissionDenied):
        save_report(key="sales", params={}, name="x", actor=warehouse)


def test_pages(saved: SavedReport, sales: Any, sales2: Any, finance: Any, warehouse: Any, client_of: Any) -> None:
    client = client_of(sales)
    run, _job = start_report("orders", {}, actor=sales)
    assert client.post(f"/reports/runs/{run.public_id}/save/", {"name": "Mine"}).status_code == 302
    assert client.post(f"/reports/runs/{run.public_id}/save/", {"name": ""}).status_code == 302
    mine = SavedReport.objects.get(owner=sales)
    page = client.get("/reports/").content.decode()
    assert "Mine" in page
    assert "Year" in page
    assert (
        client.post(f"/reports/saved/{mine.pk}/subscribe/", {"every": "never", "file_format": "pdf"}).status_code == 302
    )
    assert not Subscription.objects.exists()
    client.post(f"/reports/saved/{mine.pk}/subscribe/", {"every": "week", "file_format": "pdf"})
    client.post(f"/reports/saved/{mine.pk}/subscribe/", {"every": "month", "file_format": "pdf"})
    assert Subscription.objects.get().every == "month"
    assert client.post(f"/reports/saved/{mine.pk}/run/").status_code == 302
    assert ReportRun.objects.filter(requested_by=sales).exists()
    assert client_of(sales2).post(f"/reports/saved/{mine.pk}/run/").status_code == 404
    assert client_of(warehouse).post(f"/reports/saved/{saved.pk}/run/").status_code == 404
    assert client.post(f"/reports/saved/{saved.pk}/delete/").status_code == 403
    for verb in ("run", "subscribe", "unsubscribe", "delete"):
        assert client.get(f"/reports/saved/{mine.pk}/{verb}/").status_code == 405
    client.post(f"/reports/saved/{mine.pk}/unsubscribe/")
    assert client.post(f"/reports/saved/{mine.pk}/delete/").status_code == 302
    assert client.post(f"/reports/saved/{mine.pk}/delete/").status_code == 404


@pytest.mark.parametrize("file_format", ["xlsx", "csv"])
def test_the_mailed_file_has_every_row(
    saved: SavedReport, sales: Any, finance: Any, file_format: str, monkeypatch: Any
) -> None:
    for name in ("Süd", "West"):
        order(sales, create_customer(actor=sales, name=name), "50", dt.date(2025, 2, 5))
    report = definitions.report_by_key("sales")
    cut = tuple(dataclasses.replace(one, most=1) for one in report.sections)
    monkeypatch.setitem(definitions._registry.reports, "sales", dataclasses.replace(report, sections=cut))
    mail_report(_due(saved, finance, file_format), _quiet)
    _name, content, _type = mail.outbox[-1].attachments[0]
    if file_format == "csv":
        text = content if isinstance(content, str) else content.decode("utf-8-sig")
        assert all(name in text for name in ("Nord", "Süd", "West"))
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content))["By customer"]
        assert {cell.value for cell in sheet["B"]} >= {"Nord", "Süd", "West"}


def test_a_right_that_is_lost_while_the_file_is_made_stops_the_mail(saved: SavedReport, finance: Any) -> None:
    job = _due(saved, finance)

    def progress(done: int, total: int, note: str) -> None:
        if done == total:  # the file is whole, and the mail not sent
            finance.role_assignments.update(role="sales")

    with pytest.raises(Rejected):
        mail_report(job, progress)
    assert mail.outbox == []
