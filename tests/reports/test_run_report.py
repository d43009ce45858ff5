"""Reports: figures, scope, rights, formats."""

import csv
import dataclasses
import datetime as dt
import io
import json
from decimal import Decimal
from typing import Any

import openpyxl
import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from customers.services import create_customer
from fulfilment.models import RiskCategory
from fulfilment.services import add_risk
from ordermgmt.company.services import business_today
from orders.services import cancel_order, create_order, place_order
from reports.models import ReportRun
from reports.services import compute_report, definitions, export, fill_run, start_report
from tests.factories.orders import placed

pytestmark = pytest.mark.django_db


def order(person: Any, customer: Any, price: str, on: dt.date, *, place: bool = True, currency: str = "EUR") -> Any:
    line = {
        "description": "Work",
        "quantity": Decimal(1),
        "unit_price": Decimal(price),
        "supply": "service",
        "tax_category": "S",
    }
    made = create_order(customer=customer, actor=person, lines=[line], order_date=on, currency=currency)
    return place_order(made, actor=person) if place else made


@pytest.fixture
def book(sales: Any, sales2: Any, sales_manager: Any) -> None:
    """North: 100 and 200 EUR in 2025, 50 USD and a draft in 2026, one cancelled; South: 1000 EUR."""
    north, south = create_customer(actor=sales, name="Nord"), create_customer(actor=sales2, name="Süd")
    order(sales, north, "100", dt.date(2025, 3, 1))
    order(sales, north, "200", dt.date(2025, 4, 1))
    order(sales, north, "50", dt.date(2026, 1, 5), currency="USD")
    order(sales, north, "999", dt.date(2026, 1, 6), place=False)
    cancel_order(order(sales, north, "777", dt.date(2026, 1, 7)), reason="Budget", actor=sales_manager)
    order(sales2, south, "1000", dt.date(2025, 3, 1))


def section(result: dict[str, Any], name: str, *keys: str) -> list[tuple[Any, ...]]:
    return [tuple(row[key] for key in keys) for row in result["sections"][name]["rows"]]


@pytest.mark.usefixtures("book")
def test_orders_are_counted_per_state_and_currency(sales: Any) -> None:
    result = compute_report("orders", {}, user=sales)
    assert section(result, "by_state", "label", "currency", "count", "net") == [
        ("Draft", "EUR", 1, "999.00"),
        ("Placed", "EUR", 2, "300.00"),
        ("Placed", "USD", 1, "50.00"),
        ("Cancelled", "EUR", 1, "777.00"),
    ]


@pytest.mark.usefixtures("book")
def test_sales_leave_out_drafts_and_cancelled_and_never_add_currencies(sales: Any) -> None:
    result = compute_report("sales", {}, user=sales)
    assert section(result, "by_year", "year", "currency", "net", "gross") == [
        (2025, "EUR", "300.00", "357.00"),
        (2026, "USD", "50.00", "59.50"),
    ]
    assert result["sections"]["by_year"]["totals"] == [
        {"currency": "EUR", "count": 2, "net": "300.00", "gross": "357.00"},
        {"currency": "USD", "count": 1, "net": "50.00", "gross": "59.50"},
    ]


@pytest.mark.usefixtures("book")
def test_everybody_sees_their_scope(sales2: Any, finance: Any, warehouse: Any) -> None:
    assert section(compute_report("sales", {}, user=sales2), "by_customer", "label", "outstanding") == [
        ("Süd", "1190.00")
    ]
    assert len(section(compute_report("sales", {}, user=finance), "by_customer", "label")) == 3
    with pytest.raises(PermissionDenied):
        compute_report("sales", {}, user=warehouse)


@pytest.mark.usefixtures("book")
def test_cost_is_a_column_for_those_with_the_right_alone(sales: Any, finance: Any) -> None:
    def columns(user: Any) -> list[str]:
        return [one["key"] for one in compute_report("sales", {}, user=user)["sections"]["by_year"]["columns"]]

    assert "margin" in columns(finance)
    assert "margin" not in columns(sales)
    assert "cost" not in json.dumps(compute_report("sales", {}, user=sales)["sections"]["by_year"]["rows"])


@pytest.mark.usefixtures("book")
def test_filters_narrow_every_section(sales: Any) -> None:
    result = compute_report(
        "sales", {"date_from": "2025-04-01", "date_to": "2025-12-31", "currency": "eur"}, user=sales
    )
    assert section(result, "by_month", "month", "net") == [("2025-04", "200.00")]
    assert section(result, "by_customer", "label", "gross") == [("Nord", "238.00")]


@pytest.mark.parametrize(
    ("params", "word"),
    [({"date_from": "x"}, "date_from"), ({"date_from": "2026-02-02", "date_to": "2026-01-01"}, "before")],
)
def test_a_wrong_filter_is_a_sentence(sales: Any, params: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        compute_report("sales", params, user=sales)


@pytest.mark.usefixtures("book")
def test_the_queries_do_not_grow_with_the_book(finance: Any, sales: Any) -> None:
    compute_report("sales", {}, user=finance)  # reads the reader's roles once
    with CaptureQueriesContext(connection) as few:
        compute_report("sales", {}, user=finance)
    customer = create_customer(actor=sales, name="More")
    for day in range(1, 15):
        order(sales, customer, "10", dt.date(2025, 5, day))
    with CaptureQueriesContext(connection) as many:
        compute_report("sales", {}, user=finance)
    assert len(many) == len(few)


def test_the_queries_do_not_grow_with_the_categories_of_risks(pm: Any, manager: Any) -> None:
    one, counts, names = placed(), [], []
    fields = {"probability": 2, "impact": 2, "owner": pm, "review_on": business_today(), "actor": pm}
    for category in RiskCategory.objects.order_by("pk")[:4]:
        add_risk(one, title="Storm", category=category, **fields)
        compute_report("risks", {}, user=manager)  # reads the reader's roles once
        with CaptureQueriesContext(connection) as queries, translation.override("zh-hans"):
            rows = compute_report("risks", {}, user=manager)["sections"]["by_category"]["rows"]
            names.append(str(category))
        counts.append(len(queries))
    assert len(set(counts)) == 1
    assert {row["label"] for row in rows} == set(names)


@pytest.mark.usefixtures("book")
def test_a_run_is_computed_once_and_kept(sales: Any) -> None:
    run, _job = start_report("sales", {}, actor=sales)
    first = fill_run(run).result
    assert first["sections"]["by_year"]["totals"][0]["net"] == "300.00"
    order(sales, run.requested_by.customers.first(), "5", dt.date(2025, 1, 1))
    assert fill_run(ReportRun.objects.get(pk=run.pk)).result == first


@pytest.mark.usefixtures("book")
def test_all_formats_hold_the_same_figures(sales: Any) -> None:
    result = compute_report("sales", {}, user=sales)
    rows = list(csv.reader(io.StringIO(export(result, "csv", "by_year").decode("utf-8-sig"))))
    assert rows[2] == ["2025", "EUR", "2", "300.00", "357.00"]
    sheet = openpyxl.load_workbook(io.BytesIO(export(result, "xlsx")))["By year"]
    assert [cell.value for cell in list(sheet.iter_rows())[1]] == [2025, "EUR", 2, 300, 357]
    assert json.loads(export(result, "json"))["sections"].keys() == result["sections"].keys()


@pytest.mark.usefixtures("book")
def test_the_shell_writes_to_a_file_or_explains(tmp_path: Any) -> None:
    target = tmp_path / "report.json"
    call_command("run_report", "orders", "--param", "date_from=2026-01-01", "--output", str(target))
    assert {row["count"] for row in json.loads(target.read_text())["sections"]["by_year"]["rows"]} == {1, 2}
    for words in (
        ["nothing"],
        ["orders", "--param", "x"],
        ["orders", "--param", "date_to=soon"],
        ["orders", "--user", "a@b.example"],
    ):
        with pytest.raises(CommandError):
            call_command("run_report", *words)


@pytest.mark.usefixtures("book")
def test_pages_run_show_and_export(sales: Any, sales2: Any, warehouse: Any, client_of: Any) -> None:
    client = client_of(sales)
    assert client.get("/reports/").status_code == 200
    assert client.post("/reports/sales/", {"date_from": "never"}).status_code == 422
    answer = client.post("/reports/sales/", {"date_from": "2025-01-01"})
    run = ReportRun.objects.get()
    assert answer.url == f"/reports/runs/{run.public_id}/"
    assert b"being made" in client.get(answer.url).content
    fill_run(run)
    page = client.get(answer.url)
    assert "357.00" in page.content.decode()
    assert client.get(f"{answer.url}csv/").content.decode("utf-8-sig").count("2025") > 1
    assert client_of(sales2).get(answer.url).status_code == 404
    assert client_of(warehouse).get("/reports/sales/").status_code == 404


@pytest.mark.usefixtures("book")
@pytest.mark.parametrize("file_format", ["csv", "json", "xlsx"])
def test_the_shell_writes_every_row(tmp_path: Any, monkeypatch: Any, file_format: str) -> None:
    report = definitions.report_by_key("sales")
    cut = tuple(dataclasses.replace(one, most=1) for one in report.sections)
    monkeypatch.setitem(definitions._registry.reports, "sales", dataclasses.replace(report, sections=cut))
    target = tmp_path / f"report.{file_format}"
    call_command(
        "run_report", "sales", "--format", file_format, "--section", "by_customer", "--output", str(target),
        "--param", "date_from=2025-01-01", "--param", "date_to=2025-12-31", "--param", "compare=on",
    )  # fmt: skip
    if file_format == "json":
        found = json.loads(target.read_text("utf-8"))
        assert found["sections"].keys() == {"by_customer"}
        names = {row["label"] for row in found["sections"]["by_customer"]["rows"]}
        assert found["sections"]["by_customer"]["totals"][0]["count"] == 3
    elif file_format == "csv":
        names = {row[1] for row in csv.reader(io.StringIO(target.read_text("utf-8-sig"))) if len(row) > 4}
    else:
        names = {cell.value for cell in openpyxl.load_workbook(target)["By customer"]["B"]}
    assert names >= {"Nord", "Süd"}
