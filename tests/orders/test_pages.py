"""The order pages open for everybody who may see them, and for nobody else."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from orders.models import Order
from tests.factories import orders as make

pytestmark = pytest.mark.django_db
ClientOf = Callable[[Any], Client]


@pytest.mark.parametrize("state", list(make.BY_STATE))
def test_order_page_in_every_state(client_of: ClientOf, sales: Any, state: str) -> None:
    order = make.BY_STATE[state]()
    answer = client_of(sales).get(f"/orders/{order.number}/")
    assert answer.status_code == 200
    assert order.customer_name in answer.content.decode()


@pytest.mark.parametrize("who", ["sales", "sales_manager", "pm", "warehouse", "finance", "finance_manager", "manager"])
def test_list_and_page_show_the_same_orders(client_of: ClientOf, who: str, request: pytest.FixtureRequest) -> None:
    orders = [build() for build in make.BY_STATE.values()]
    orders.append(make.made(customer=make.customer_b(), actor=make.person("sales2")))
    client = client_of(request.getfixturevalue(who))
    listed = client.get("/orders/?sort=number").content.decode()
    for order in orders:
        found = client.get(f"/orders/{order.number}/").status_code
        assert found == (200 if f"/orders/{order.number}/" in listed else 404), order.number


@pytest.mark.parametrize("state", ["in_production", "shipped", "rectification", "accepted", "settled"])
def test_without_a_project_manager_it_stays_with_all_of_them(client_of: ClientOf, pm2: Any, state: str) -> None:
    order = make.BY_STATE[state](make.line())
    assert (order.state, order.project_manager) == (state, None)
    assert client_of(pm2).get(order.get_absolute_url()).status_code == 200


def test_a_draft_is_no_project_managers_yet(client_of: ClientOf, pm2: Any) -> None:
    assert client_of(pm2).get(make.draft().get_absolute_url()).status_code == 404


def test_nobody_else(client_of: ClientOf, sales2: Any, admin: Any) -> None:
    order = make.placed()
    assert client_of(sales2).get(f"/orders/{order.number}/").status_code == 404
    assert client_of(admin).get(f"/orders/{order.number}/").status_code == 403
    assert client_of(admin).get("/orders/").status_code == 403
    assert Client().get(f"/orders/{order.number}/").status_code == 302


def test_warehouse_meets_no_price(client_of: ClientOf, warehouse: Any) -> None:
    order = make.placed(make.line(supply="make", unit_price=Decimal("1234.5"), quantity=3))
    client = client_of(warehouse)
    pages = [
        client.get(f"/orders/{order.number}/"),
        client.get("/orders/"),
        client.get("/orders/?cols=number,total,cost,invoiced,paid&sort=-total"),
        client.get(f"/orders/{order.number}/lines/"),
        client.get("/orders/?export=csv&cols=number,total,cost"),
    ]
    for page in pages:
        body = b"".join(page) if page.streaming else page.content
        text = body.decode().replace(",", "")
        assert page.status_code == 200
        assert order.number in text or "lines" in page.request["PATH_INFO"]
        for figure in ("1234.5", "3703.5", "4407.17"):
            assert figure not in text, page.request
    assert client.get("/orders/entry/products/?q=SKU").status_code == 403
    assert client.get(f"/orders/{order.number}/order.pdf").status_code in (403, 404)


def test_p20_foreign_order_leaks_nothing(client_of: ClientOf, sales2: Any) -> None:
    order = make.placed(customer_reference="geheim-77")
    client = client_of(sales2)
    for path in ("", "edit/", "lines/", "versions/1/", "do/cancel/", "order.pdf"):
        answer = client.get(f"/orders/{order.number}/{path}")
        assert answer.status_code in (403, 404), path
        assert b"geheim-77" not in answer.content
    assert b"geheim-77" not in client.get("/orders/?q=geheim-77&cols=number,reference").content.replace(
        b'value="geheim-77"', b""
    ).replace(b"q=geheim-77", b"")
    assert client.post(f"/orders/{order.number}/save/", "{}", content_type="application/json").status_code == 404


def test_p22_a_right_taken_away_counts_at_once(client_of: ClientOf, sales: Any) -> None:
    client = client_of(sales)
    assert client.get("/orders/").status_code == 200
    sales.role_assignments.all().delete()
    assert client.get("/orders/").status_code == 403


def test_p25_markup_is_text(client_of: ClientOf, sales: Any) -> None:
    evil = '"><img src=x onerror=alert(1)>'
    order = make.made(make.line(supply="make", description=evil), note=evil, customer_reference=evil)
    client = client_of(sales)
    for path in (
        f"/orders/{order.number}/",
        f"/orders/{order.number}/edit/",
        f"/orders/?q={evil}&cols=number,reference",
    ):
        assert b"<img src=x" not in client.get(path).content, path


def test_p28_nul_and_p29_huge(client_of: ClientOf, sales: Any) -> None:
    client = client_of(sales)
    for path in (
        "/orders/?q=%00",
        "/orders/?number=%00",
        "/orders/?customer=%00&product=%00",
        "/orders/autocomplete/?q=%00",
        "/orders/entry/products/?q=%00",
    ):
        assert client.get(path).status_code in (200, 400), path
    for path in (
        "/orders/99999999999999999999999999/",
        "/orders/%00/",
        "/orders/entry/customers/99999999999999999999/",
    ):
        assert client.get(path).status_code == 404, path
    assert client.get("/orders/?amount_from=99999999999999999999999999&owner=99999999999999999999").status_code in (
        200,
        400,
    )


def test_p24_formulas_stay_text(client_of: ClientOf, sales: Any) -> None:
    order = make.made(customer_reference="=cmd|' /C calc'!A0")
    body = b"".join(client_of(sales).get("/orders/?export=csv&cols=number,reference")).decode()
    assert order.number in body
    assert "'=cmd" in body


def test_get_changes_nothing(client_of: ClientOf, sales: Any) -> None:
    order = make.made()
    before = Order.objects.values().get(pk=order.pk)
    client = client_of(sales)
    for path in ("", "edit/", "do/place/", "do/delete/", "do/duplicate/"):
        assert client.get(f"/orders/{order.number}/{path}").status_code == 200
    assert Order.objects.values().get(pk=order.pk) == before
    assert Order.objects.count() == 1


def test_order_page_costs_the_same_for_any_size(
    client_of: ClientOf, sales: Any, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    client = client_of(sales)
    for size in (1, 40):
        order = make.made(*[make.line(supply="make") for _ in range(size)])
        client.get(f"/orders/{order.number}/")
        with CaptureQueriesContext(
            connection,
        ) as captured:
            client.get(f"/orders/{order.number}/")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_list_costs_the_same_for_any_size(client_of: ClientOf, sales: Any) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    client = client_of(sales)
    for more in (2, 20):
        for _ in range(more):
            make.made()
        client.get("/orders/")
        with CaptureQueriesContext(connection) as captured:
            assert client.get("/orders/").status_code == 200
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_every_filter_and_sort(client_of: ClientOf, sales: Any) -> None:
    order = make.placed(customer_reference="PO-4711")
    other = make.made(customer_reference="PO-0815")
    client = client_of(sales)

    def numbers(query: str) -> set[str]:
        body = client.get(f"/orders/?{query}").content.decode()
        return {one.number for one in (order, other) if f'href="/orders/{one.number}/"' in body}

    assert numbers("q=4711") == {order.number}
    assert numbers("q=方机") == {order.number, other.number}
    assert numbers("customer=机械") == {order.number, other.number}
    assert numbers("customer=贸易") == set()
    assert numbers("state=placed") == {order.number}
    assert numbers("state=placed&state=draft") == {order.number, other.number}
    assert numbers("product=SKU-1") == {order.number, other.number}
    assert numbers("product=SKU-9") == set()
    assert numbers(f"number={order.number}") == {order.number}
    assert numbers("late=yes") == set()
    assert numbers("on_hold=no&amount_from=1&amount_to=1000000") == {order.number, other.number}
    assert numbers("ordered_from=2001-01-01&ordered_to=2001-12-31") == set()
    assert numbers(f"owner={sales.pk}") == {order.number, other.number}
    for sort in ("number", "-customer", "state", "order_date", "-promised_date", "-total"):
        assert numbers(f"sort={sort}") == {order.number, other.number}


def test_autocomplete_finds_by_any_fragment(client_of: ClientOf, sales: Any, sales2: Any) -> None:
    order = make.placed()
    found = json.loads(client_of(sales).get(f"/orders/autocomplete/?q={order.number[-5:]}").content)
    assert [one["text"] for one in found["results"]] == [order.number]
    assert json.loads(client_of(sales2).get("/orders/autocomplete/?q=SO").content)["results"] == []
