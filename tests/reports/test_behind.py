"""The documents behind every figure: each row of each section leads to a list that adds up to it."""

import datetime as dt
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from reports.services import compute_report
from reports.services.definitions import report_by_key
from tests.reports.book import make_book, make_work

pytestmark = pytest.mark.django_db
REPORTS = [
    "orders", "sales", "changes", "profit", "delivery", "quality", "risks", "receivables", "suppliers", "capacity",
]  # fmt: skip
#: Reports whose filter is not the order date.
OWN_FILTERS: dict[str, dict[str, str]] = {
    "receivables": {}, "suppliers": {"date_from": "2024-01-01"}, "capacity": {"date_to": "2027-06-01"}
}  # fmt: skip


def groups(user: Any, key: str) -> list[Any]:
    return [
        one
        for one in report_by_key(key).sections
        if one.group and (not one.permission or user.has_perm(one.permission))
    ]


@pytest.mark.parametrize("key", REPORTS)
def test_the_documents_behind_every_row_add_up_to_it(manager: Any, client_of: Any, key: str) -> None:
    make_book()
    make_work()
    client = client_of(manager)
    params = OWN_FILTERS.get(key, {"date_from": "2024-01-01"})
    result = compute_report(key, params, user=manager)["sections"]
    seen = 0
    for section in groups(manager, key):
        assert result[section.key]["rows"], f"{key}/{section.key} shows nothing to follow"
        for row in (one for one in result[section.key]["rows"] if one["link"]):
            page = client.get(row["link"])
            assert page.status_code == 200, row["link"]
            columns = {one.key: one for one in section.columns_for(manager) if one.kind in ("count", "amount")}
            figures = columns.keys() & section.group.facts.figures.keys()
            ((_currency, cells),) = page.context["sums"]
            for column, value in cells:
                assert Decimal(value or 0).quantize(Decimal("0.01")) == Decimal(row[column.key] or 0), (row, column.key)
            assert {column.key for column, _value in cells} == figures
            assert figures
            _listed(page, row)
            seen += 1
    assert seen > len(groups(manager, key)) > 0


def _listed(page: Any, row: dict[str, Any]) -> None:
    """What is listed adds up too, where a column of the list is a figure of the section."""
    documents = page.context["page"].rows
    assert 0 < len(documents) < 50
    for column in page.context["columns"]:
        if column.kind == "amount" and column.key in row:
            assert sum(column.raw(one) for one in documents) == Decimal(row[column.key])


@pytest.mark.parametrize("key", REPORTS)
def test_the_queries_of_a_report_do_not_grow(manager: Any, key: str) -> None:
    make_book(rounds=1)
    make_work()
    compute_report(key, {}, user=manager)
    with CaptureQueriesContext(connection) as few:
        compute_report(key, {}, user=manager)
    make_book(rounds=1, day=dt.date(2025, 8, 1))
    make_work(day=dt.date(2025, 8, 1))
    with CaptureQueriesContext(connection) as many:
        compute_report(key, {}, user=manager)
    assert len(many) == len(few)


def test_filters_of_the_report_narrow_the_documents_too(manager: Any, client_of: Any) -> None:
    make_book()
    params = {"date_from": "2025-03-01", "customer": "Nord", "channel": "web"}
    row = compute_report("sales", params, user=manager)["sections"]["by_region"]["rows"][0]
    query = urlsplit(row["link"]).query
    assert all(part in query for part in ("date_from=2025-03-01", "customer=Nord", "channel=web"))
    rows = client_of(manager).get(row["link"]).context["page"].rows
    assert len(rows) == row["count"]
    assert {one.customer_name for one in rows} == {"Nord"}
    assert min(one.order_date for one in rows) >= dt.date(2025, 3, 1)


def test_who_may_not_see_costs_sees_none_behind_a_figure_either(sales: Any, client_of: Any) -> None:
    make_book()
    row = compute_report("sales", {}, user=sales)["sections"]["by_region"]["rows"][0]
    assert "margin" not in row
    assert "cost" not in row
    client = client_of(sales)
    page = client.get(row["link"])
    assert not {"cost", "margin"} & {one.key for one in page.context["columns"]}
    assert not {"cost", "margin"} & {one.key for _currency, cells in page.context["sums"] for one, _value in cells}
    export = client.get(f"{row['link']}&export=csv&cols=number,cost,margin&sort=cost")
    assert "Cost" not in b"".join(export.streaming_content).decode("utf-8-sig").splitlines()[0]


def test_nothing_of_others_is_behind_a_figure(sales: Any, sales2: Any, warehouse: Any, client_of: Any) -> None:
    make_book()
    row = compute_report("sales", {}, user=sales)["sections"]["by_year"]["rows"][0]
    assert client_of(sales2).get(row["link"]).context["page"].rows == []
    assert client_of(warehouse).get(row["link"]).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "nothing/by_year/", "sales/nothing/", "sales/by_year/?by.year=x", "sales/by_month/?by.month=2025-99-99",
        "sales/by_month/?by.month=%00", "sales/by_year/?date_from=x", "orders/by_owner/?by.owner_id=9e99",
        "sales/by_year/?by.year=0", "sales/by_year/?by.year=10000", "sales/by_year/?by.year=-5", "sales/by_region/?by.region=%00",
        "sales/by_year/?by.year=99999999999999999999", "orders/by_owner/?by.owner_id=99999999999999999999",
    ],
)  # fmt: skip
def test_an_address_that_is_none_of_ours(manager: Any, client_of: Any, path: str) -> None:
    assert client_of(manager).get(f"/reports/behind/{path}").status_code == 404
