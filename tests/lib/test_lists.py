"""The machinery of list pages, tried on a list of customers."""

import csv
import io
from typing import Any

import django_filters
import openpyxl
import pytest
from django.contrib.messages.storage.fallback import FallbackStorage
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import create_customer
from ordermgmt.lib.importing.values import plain
from ordermgmt.lib.tables import Column, ListView
from ordermgmt.lib.tables.paging import Sort, keyset_page

pytestmark = pytest.mark.django_db


class Filter(django_filters.FilterSet):
    q = django_filters.CharFilter(field_name="name", lookup_expr="icontains")
    payment_days = django_filters.NumberFilter()

    class Meta:
        model = Customer
        fields = ["grade"]


class Customers(ListView):
    key = "test-customers"
    title = "Customers"
    filterset_class = Filter
    default_sort = "name"
    columns = [
        Column("number", "Number"),
        Column("name", "Name"),
        Column("segment", "Segment"),
        Column("payment_days", "Days", kind="count"),
        Column("secret", "Secret", path="note", permission="inventory.view_cost"),
        Column("website", "Website", default=False),
    ]

    def queryset(self) -> Any:
        return Customer.objects.visible_to(self.request.user)


def get(user: Any, query: str = "", **headers: Any) -> Any:
    request = RequestFactory().get(f"/list/?{query or 'q='}", **headers)
    request.user = user
    request.session = {}
    request._messages = FallbackStorage(request)
    response = Customers.as_view()(request)
    response.render() if hasattr(response, "render") else None
    return response


def text_of(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode("utf-8-sig")


def make(user: Any, count: int, **fields: Any) -> None:
    for number in range(count):
        create_customer(actor=user, name=f"List customer {number:03d}", segment="x", **fields)


def test_costs_the_same_queries_for_ten_rows_and_for_many(sales: Any) -> None:
    make(sales, 5)
    get(sales)
    with CaptureQueriesContext(
        connection,
    ) as few:
        get(sales)
    make(sales, 40)
    with CaptureQueriesContext(connection) as many:
        get(sales)
    assert len(many) == len(few)


@pytest.mark.parametrize("falling", [False, True])
@pytest.mark.parametrize("path", ["payment_days", "pk", "name"])
def test_keyset_walks_every_row_once_through_ties_in_both_directions(sales: Any, path: str, falling: bool) -> None:
    for days in (30, 30, 14, 30, 60, 14, 30):
        make(sales, 1)
        Customer.objects.filter(pk=Customer.objects.latest("pk").pk).update(payment_days=days)
    rows = Customer.objects.visible_to(sales)
    sort = Sort(path, falling)
    expected = [row.pk for row in sort.apply(rows)]
    seen, pages, page = [], [], keyset_page(rows, sort, size=2)
    while True:
        pages.append([row.pk for row in page.rows])
        seen += pages[-1]
        if not page.next:
            break
        page = keyset_page(rows, sort, size=2, after=page.next)
    assert seen == expected
    for before in pages[-2::-1]:
        page = keyset_page(rows, sort, size=2, before=page.previous)
        assert [row.pk for row in page.rows] == before
    assert page.previous == ""


@pytest.mark.parametrize("falling", [False, True])
def test_rows_without_a_value_come_last_and_are_paged_too(sales: Any, falling: bool) -> None:
    make(sales, 6)
    for index, row in enumerate(Customer.objects.visible_to(sales)):
        Customer.objects.filter(pk=row.pk).update(credit_limit=None if index % 2 else index)
    rows = Customer.objects.visible_to(sales)
    sort = Sort("credit_limit", falling, nullable=True)
    seen, page = [], keyset_page(rows, sort, size=2)
    while True:
        seen += [row.pk for row in page.rows]
        if not page.next:
            break
        page = keyset_page(rows, sort, size=2, after=page.next)
    assert seen == [row.pk for row in sort.apply(rows)]
    limits = dict(rows.values_list("pk", "credit_limit"))
    values = [limits[pk] for pk in seen]
    assert values.index(None) == sum(value is not None for value in values)


def test_p24_formula_in_a_name_is_neutralised_in_csv_and_a_string_in_xlsx(sales: Any) -> None:
    create_customer(actor=sales, name="=cmd|' /C calc'!A0", segment="-2+3")
    rows = list(csv.reader(io.StringIO(text_of(get(sales, "export=csv&q=cmd")))))
    assert rows[1][1:3] == ["'=cmd|' /C calc'!A0", "'-2+3"]
    sheet = openpyxl.load_workbook(io.BytesIO(get(sales, "export=xlsx&q=cmd").content)).active
    assert sheet is not None
    cells = next(iter(sheet.iter_rows(min_row=2)))
    assert [(cell.data_type, cell.value) for cell in cells][1:] == [
        ("s", "=cmd|' /C calc'!A0"),
        ("s", "-2+3"),
        ("n", 30),
    ]


def test_p24_the_wide_signs_of_chinese_keyboards_begin_a_formula_too(sales: Any) -> None:
    create_customer(actor=sales, name="＝cmd", segment="＠x")
    rows = list(csv.reader(io.StringIO(text_of(get(sales, "export=csv&q=cmd")))))
    assert rows[1][1:3] == ["'＝cmd", "'＠x"]
    assert [plain(cell) for cell in rows[1][1:3]] == ["＝cmd", "＠x"]  # as the import reads them


def test_the_export_holds_what_is_shown_and_nothing_else(sales: Any) -> None:
    make(sales, 3)
    create_customer(actor=sales, name="Somebody else")
    rows = list(csv.reader(io.StringIO(text_of(get(sales, "export=csv&q=List&cols=name&sort=-name")))))
    assert rows == [["Name"], ["List customer 002"], ["List customer 001"], ["List customer 000"]]


def test_a_column_without_the_right_is_in_no_page_and_no_export(sales: Any) -> None:
    create_customer(actor=sales, name="Noted", note="the-secret-word")
    assert "the-secret-word" not in text_of(get(sales, "cols=name,secret"))
    assert "Secret" not in text_of(get(sales, "export=csv&cols=name,secret"))


@pytest.mark.parametrize(
    "query",
    [
        "q=%00",
        "sort=password",
        "after=!!!",
        "before=eyJ4Ijox",
        "after=WyJhIiwgMV0&sort=payment_days",
        "cols=nothing",
        "payment_days=99999999999999999999999999999",
        "payment_days=abc",
        "page=x",
    ],
)
def test_p28_nonsense_in_the_address_is_answered_calmly(sales: Any, query: str) -> None:
    assert get(sales, query).status_code == 200


def test_a_filter_that_is_wrong_says_so_and_shows_nothing(sales: Any) -> None:
    make(sales, 2)
    page = text_of(get(sales, "payment_days=abc"))
    assert "Enter a number" in page
    assert "List customer" not in page


def test_p25_markup_in_data_is_escaped(sales: Any) -> None:
    create_customer(actor=sales, name='"><img src=x onerror=alert(1)>')
    page = text_of(get(sales, "q=img"))
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_htmx_gets_the_rows_alone(sales: Any) -> None:
    assert "<html" not in text_of(get(sales, "q=", headers={"HX-Request": "true"}))
