"""Replay: the baseline and the applied changes give the present order; the command proves it, and finds what was bent."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from changes.services import Op, acknowledge_change, refuse_change, replay
from ordermgmt.activity.models import Event
from ordermgmt.lib.invariants import violations
from ordermgmt.lib.templatetags.ui import amount
from orders.models import Order
from orders.views.versions import compared
from tests.factories.changes import applied, assessed, more, submitted
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
    """Past the rules of the database, which are taken out here."""
    on_table = " ON orders_order" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        if on_table:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"DROP TRIGGER orders_order_agreed_update{on_table}")
        cursor.execute("UPDATE orders_order SET delivery_address = 'nowhere' WHERE id = %s", [order.pk])
    assert len(replay(now(order))) == 1
    assert {one.invariant.code for one in violations("C")} == {"C4"}
    with pytest.raises(CommandError):
        call_command("replay_changes", "--order", order.number, stdout=StringIO())


def test_before_and_after_of_what_is_decided(order, client_of, sales, warehouse):
    first = order.change_requests.order_by("pk").first()
    page = client_of(sales).get(first.get_absolute_url()).content.decode()
    for text in ("Before and after", "Dock 7", "Crane", "70.125", "not there"):
        assert text in page, text
    hidden = client_of(warehouse).get(first.get_absolute_url()).content.decode()
    assert "Crane" in hidden
    assert "70.125" not in hidden
    pk = order.order_lines[0].pk
    refused = submitted(
        order, Op("quantity", pk, "20"), Op("price", pk, "77.25"), Op("delivery_address", after="Dock 9")
    )
    refuse_change(refused, reason="No.", actor=person("manager"))
    page = client_of(sales).get(refused.get_absolute_url()).content.decode()
    for text in ("Quantity", "77.25", "Dock 9", "20"):
        assert text in page, text
    assert "77.25" not in client_of(warehouse).get(refused.get_absolute_url()).content.decode()


def test_a_version_names_no_customer_whom_the_reader_does_not_see(order):
    kept = order.versions.order_by("version").first().content

    def named(reader):
        return {after for where, _before, after in compared(None, kept, reader) if where == "Customer"}

    assert named(person("sales")) == {str(order.customer)}
    assert named(person("sales2")) == {"–"}


def test_two_versions_are_compared_and_exported(order, client_of, sales, warehouse):
    versions = list(order.versions.order_by("version").values_list("version", flat=True))
    client, url = client_of(sales), f"/orders/{order.number}/versions/{versions[-1]}/"
    page = client.get(f"{url}?with={versions[0]}").content.decode()
    assert "Dock 7" in page
    assert "A bigger crane" in page
    assert "Dock 7" not in client.get(url).content.decode()
    for raw in ("net_total", "delivery_address", "tax_category", "unit_price", "{}"):
        assert f">{raw}<" not in page, raw
        assert f". {raw}<" not in page, raw
    assert "Delivery address" in page
    assert "Line 1: " in page or "Line 2: " in page
    assert amount(order.net_total, order.currency) in page
    file = client.get(f"{url}?with={versions[0]}&export=csv")
    assert "Dock 7" in file.content.decode()
    assert client.get(f"{url}?with=abc").status_code == 200
    assert client.get(f"{url}?with=99999").status_code == 404
    assert client_of(warehouse).get(url).status_code == 403


def test_the_audit_keeps_cost_and_margin_from_who_may_not_see_them(client_of):
    order = started(line(quantity=10, supply="make"))
    change = assessed(order, more(order, 12))
    event = Event.objects.filter(type="changes.assessed", subject_id=change.pk).latest("pk")
    assert "margin_after" in event.after
    seen = {}
    for who in ("admin", "manager"):
        page = client_of(person(who)).get(f"/activity/audit/{event.pk}/").content.decode()
        assert "content_hash" in page or str(change.content_hash) in page  # the rest of it is there
        seen[who] = "margin_before" in page
    assert seen == {"admin": False, "manager": True}


def test_the_timeline_speaks_the_readers_language(order, client_of):
    reader = person("manager")
    reader.language = "zh-hans"
    reader.save()
    page = client_of(reader).get(f"/activity/timeline/orders.order/{order.pk}/").content.decode()
    assert "变更申请" in page
    assert "the change requests" not in page
    assert "以Finance" not in page
    assert "as Finance" not in page
