"""Finding customers: scope, search, filters, export."""

import io
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.models import Customer
from customers.services import add_contact, create_customer, move_balance
from ordermgmt.lib.searching import normalise, words

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("超市", True), ("市有", True), ("上", True), ("小明", True), ("WENJU", True), ("ＷｅｎＪｕ", True),
        ("1380000", True), ("vip 超市", True), ("超市 nirgends", False), ("100%", True), ("10_%", False), ("上海文", True), ("海上", False),
    ],
)  # fmt: skip
def test_any_fragment(sales: Any, query: str, found: bool) -> None:
    made = create_customer(actor=sales, name="上海文具超市有限公司 100%", tags=["vip"], email="info@wenju.example")
    add_contact(made, actor=sales, name="王小明", phone="+86 1380000 0000")
    assert (made in Customer.objects.found_by(query)) is found


def test_normal_form() -> None:
    assert normalise("  Müller\tStraße\x00ＡＢ ") == "muller strasse ab"
    assert words("a " * 50) == ["a"] * 8


@pytest.mark.parametrize(
    ("who", "own", "other"),
    [
        ("sales", True, False), ("sales2", False, True), ("sales_manager", True, False), ("manager", True, False),
        ("finance", True, True), ("admin", True, True), ("warehouse", False, False), ("pm", False, False),
    ],
)  # fmt: skip
def test_scope_is_the_same_everywhere(
    client_of: Any, sales: Any, sales2: Any, who: str, own: bool, other: bool, request: pytest.FixtureRequest
) -> None:
    ours = create_customer(actor=sales, name="Scopetest Nord")
    theirs = create_customer(actor=sales2, name="Scopetest Sued")
    client = client_of(request.getfixturevalue(who))
    expected = {one.name for one, seen in ((ours, own), (theirs, other)) if seen}
    page = client.get("/customers/?q=scopetest").content.decode()
    listed = {one.name for one in (ours, theirs) if one.name in page}
    offered = {one["text"] for one in client.get("/customers/autocomplete/?q=scopetest").json()["results"]}
    exported = b"".join(client.get("/customers/?q=scopetest&export=csv").streaming_content).decode()
    assert listed == offered == {one.name for one in (ours, theirs) if one.name in exported} == expected
    for one, seen in ((ours, own), (theirs, other)):
        assert client.get(one.get_absolute_url()).status_code == (200 if seen else 404)


def test_filters(client_of: Any, sales: Any) -> None:
    create_customer(actor=sales, name="Filter A", grade="A", country="DE")
    create_customer(actor=sales, name="Filter B", grade="B", country="CN")
    page = client_of(sales).get("/customers/?q=filter&grade=A&country=DE").content.decode()
    assert "Filter A" in page
    assert "Filter B" not in page


@pytest.mark.parametrize(
    "path",
    ["/customers/?q=%00", "/customers/autocomplete/?q=%00", "/customers/similar/?name=%00", "/customers/?owner=%00"],
)
def test_p28_nul(client_of: Any, sales: Any, path: str) -> None:
    assert client_of(sales).get(path).status_code in (200, 400)


@pytest.mark.parametrize(
    "path",
    [
        "/customers/99999999999999999999999999/",
        "/customers/contacts/99999999999999999999999999/do/edit/",
        "/customers/C%00/",
    ],
)
def test_p29_huge_id(client_of: Any, sales: Any, path: str) -> None:
    assert client_of(sales).get(path).status_code in (400, 404)


def test_p24_formulas_in_an_export(client_of: Any, sales: Any) -> None:
    name = "=cmd|' /C calc'!A0"
    create_customer(actor=sales, name=name)
    client = client_of(sales)
    text = b"".join(client.get("/customers/?q=cmd&export=csv").streaming_content).decode()
    assert f"'{name}" in text
    answer = client.get("/customers/?q=cmd&export=xlsx")
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    cell = next(cell for row in sheet.iter_rows() for cell in row if cell.value == name)
    assert cell.data_type == "s"


def test_warehouse_sees_no_contacts_and_no_money(
    client_of: Any, sales: Any, finance: Any, warehouse: Any, monkeypatch: Any
) -> None:
    made = create_customer(actor=sales, name="Lagerkunde", email="geheim@lager-kunde.example")
    add_contact(made, actor=sales, name="Frau Geheim")
    move_balance(made, "EUR", ordered=made.payment_days)
    monkeypatch.setattr("customers.models.customer.CustomerQuerySet.visible_to", lambda self, _user: self)
    page = client_of(warehouse).get(made.get_absolute_url()).content.decode()
    assert "Lagerkunde" in page
    for hidden in ("Geheim", "geheim@", "30.00"):
        assert hidden not in page.replace("created the customer", "")
    assert "30.00" in client_of(finance).get(made.get_absolute_url()).content.decode()


def test_list_costs_the_same_for_many(client_of: Any, sales: Any) -> None:
    client = client_of(sales)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            client.get("/customers/")
        return len(caught)

    client.get("/customers/")
    few = queries()
    for number in range(15):
        create_customer(actor=sales, name=f"Viele {number}")
    assert queries() == few
