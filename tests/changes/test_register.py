"""Registers: by reason, days per state, value per order and customer; prices only for those who see them."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from changes.services import assess_change, register_of
from orders.models import Order
from tests.factories.changes import applied, fresh, judged, more, submitted
from tests.factories.orders import line, person, started

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    order = started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))
    applied(order, more(order, 12))
    submitted(Order.objects.get(pk=order.pk), more(order, 13))
    return order


def test_counted_and_summed(order):
    found = register_of(person("manager"))
    assert [(one["all"], one["applied"]) for one in found["reasons"]] == [(2, 1)]
    assert [one.state for one in found["stays"]] == ["draft", "submitted", "assessed", "approved"]
    row = found["orders"][0]
    assert (row["key"], row["count"], row["net"]) == (order.number, 1, 2 * order.order_lines[0].unit_price)
    assert found["customers"][0]["net"] == row["net"]
    assert register_of(person("sales2"))["reasons"] == []


def test_days_count_until_now_and_one_stay_is_one(order):
    """What still waits counts too; to be judged once more is no new stay."""
    change = judged(order.change_requests.get(state="submitted"))
    for cost in (5, 6):
        assess_change(fresh(change), aspect="cost", level="low", note="dearer", cost=cost, actor=person("finance2"))
    submitted(Order.objects.get(pk=order.pk), more(order, 14))
    found = {one.state: one.count for one in register_of(person("manager"))["stays"]}
    assert found == {"draft": 3, "submitted": 3, "assessed": 2, "approved": 1}


def test_the_page_and_hidden_prices(order, client_of, manager, warehouse, admin):
    page = client_of(manager).get("/changes/register/").content.decode()
    assert "Applied value per order" in page
    assert order.number in page
    assert "Applied value" not in client_of(warehouse).get("/changes/register/").content.decode()
    assert client_of(admin).get("/changes/register/").status_code == 403
    client = client_of(manager)
    client.get("/changes/register/")
    with CaptureQueriesContext(connection) as few:
        client.get("/changes/register/")
    for quantity in (14, 15, 16):
        submitted(Order.objects.get(pk=order.pk), more(order, quantity))
    with CaptureQueriesContext(connection) as many:
        client.get("/changes/register/")
    assert len(few) == len(many)
