"""Replay: the baseline and the applied changes give the present order; the command proves it, and finds what was bent."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from changes.services import Op, acknowledge_change, replay
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories.changes import applied
from tests.factories.fulfilment import ship
from tests.factories.orders import line, person, placed, started

pytestmark = pytest.mark.django_db


def now(order):
    return Order.objects.get(pk=order.pk)


@pytest.fixture
def order():
    order = started(line(quantity=5, supply="make"), line("SKU-1", 90, supply="make"))
    first, second = (one.pk for one in order.order_lines)
    applied(
        order, Op("quantity", first, "8"), Op("discount", second, "12.5"), Op("delivery_address", after="Dock 7"),
        Op("add", after={"product": order.order_lines[0].product_id, "quantity": "3", "supply": "make"}),
        Op("add", after={"description": "Crane", "quantity": "2", "unit_price": "70.125", "supply": "make"}),
    )  # fmt: skip
    applied(now(order), Op("remove", second), Op("price", first, "99.99"), Op("line_date", first, "2999-01-01"))
    applied(now(order), Op("description", now(order).order_lines[3].pk, "A bigger crane"))
    return now(order)


def test_three_changes_one_after_another(order):
    assert replay(order) == []
    assert [one.description for one in order.order_lines][-1] == "A bigger crane"
    assert [str(one) for one in violations("C")] == []
    placed()
    out = StringIO()
    call_command("replay_changes", stdout=out)
    assert "0 differences" in out.getvalue()


def test_an_ended_order_replays(order):
    for change in order.change_requests.all():
        acknowledge_change(change, actor=person("warehouse"))
    ship(order, 2, 0, 0, 0)
    applied(now(order), Op("terminate", after={}))
    assert replay(now(order)) == []


def test_what_was_bent_is_found(order):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE orders_order SET delivery_address = 'nowhere' WHERE id = %s", [order.pk])
    assert len(replay(now(order))) == 1
    assert {one.invariant.code for one in violations("C")} == {"C4"}
    with pytest.raises(CommandError):
        call_command("replay_changes", "--order", order.number, stdout=StringIO())


def test_two_versions_are_compared_and_exported(order, client_of, sales, warehouse):
    versions = list(order.versions.order_by("version").values_list("version", flat=True))
    client, url = client_of(sales), f"/orders/{order.number}/versions/{versions[-1]}/"
    page = client.get(f"{url}?with={versions[0]}").content.decode()
    assert "Dock 7" in page
    assert "A bigger crane" in page
    assert "Dock 7" not in client.get(url).content.decode()
    file = client.get(f"{url}?with={versions[0]}&export=csv")
    assert "Dock 7" in file.content.decode()
    assert client.get(f"{url}?with=abc").status_code == 200
    assert client.get(f"{url}?with=99999").status_code == 404
    assert client_of(warehouse).get(url).status_code == 403
