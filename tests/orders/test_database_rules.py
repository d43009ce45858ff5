"""What no path may do, not even SQL: the database refuses."""

import itertools
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction

from orders.models import Order, OrderLine, OrderStep, OrderVersion
from tests.factories import orders as make

pytestmark = pytest.mark.django_db

STATES = ["draft", "placed", "in_production", "shipped", "rectification", "accepted", "settled", "cancelled"]
LEGAL = {
    ("draft", "placed"), ("placed", "in_production"), ("in_production", "shipped"), ("shipped", "accepted"),
    ("shipped", "rectification"), ("rectification", "shipped"), ("accepted", "settled"), ("settled", "accepted"),
    ("draft", "cancelled"), ("placed", "cancelled"), ("in_production", "cancelled"),
}  # fmt: skip


def refused(sql: str, *params: object) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_only_the_edges_of_the_table(django_assert_num_queries: object) -> None:
    """T1 by raw SQL: all 64 pairs, from orders that arrived in their state as imports."""
    order = make.made()
    row = Order.objects.filter(pk=order.pk).values().get()
    row.pop("id")
    made = {
        state: Order.objects.bulk_create(
            [Order(**(row | {"state": state, "origin": "imported", "number": f"X-{state}"}))]
        )[0].pk
        for state in STATES
    }
    for source, target in itertools.permutations(STATES, 2):
        sql = "UPDATE orders_order SET state = %s WHERE id = %s"
        if (source, target) not in LEGAL:
            refused(sql, target, made[source])
            continue
        with transaction.atomic(), connection.cursor() as cursor:
            try:
                cursor.execute(sql, [target, made[source]])
            except DatabaseError as error:  # settled asks for more than the edge
                assert target == "settled", error  # noqa: PT017
            transaction.set_rollback(True)


def test_an_order_begins_as_a_draft() -> None:
    order = make.made()
    row = Order.objects.filter(pk=order.pk).values().get() | {"number": "X-1", "state": "settled"}
    row.pop("id")
    with pytest.raises(DatabaseError), transaction.atomic():
        Order.objects.bulk_create([Order(**row)])


def test_queryset_update_meets_the_trigger_too() -> None:
    order = make.placed()
    with pytest.raises(DatabaseError), transaction.atomic():
        Order.objects.filter(pk=order.pk).update(state="settled")


def test_the_version_never_falls() -> None:
    order = make.placed()
    refused("UPDATE orders_order SET version = version - 1 WHERE id = %s", order.pk)


def test_history_is_append_only() -> None:
    order = make.placed()
    assert OrderStep.objects.filter(order=order).exists()
    assert OrderVersion.objects.filter(order=order).exists()
    for table in ("orders_orderstep", "orders_orderversion"):
        refused(f"DELETE FROM {table} WHERE order_id = %s", order.pk)  # noqa: S608
        refused(f"UPDATE {table} SET actor_id = NULL WHERE order_id = %s", order.pk)  # noqa: S608


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": Decimal(0)},
        {"unit_price": Decimal(-1)},
        {"discount_percent": Decimal(101)},
        {"qty_shipped": Decimal(11)},
        {"qty_reserved": Decimal(8), "qty_shipped": Decimal(3)},
        {"qty_returned": Decimal(1)},
        {"qty_accepted": Decimal(1)},
        {"qty_invoiced": Decimal(11)},
        {"qty_credited": Decimal(1)},
        {"qty_cancelled": Decimal(11)},
    ],
)
def test_s4_counters_stay_in_their_bounds(change: dict[str, Decimal]) -> None:
    order = make.made(make.line(quantity=10, supply="make"))
    with pytest.raises(DatabaseError), transaction.atomic():
        OrderLine.objects.filter(order=order).update(**change)


def test_amounts_stay_in_their_bounds() -> None:
    order = make.placed()
    for change in ({"gross_total": Decimal(1)}, {"paid_total": Decimal(1)}, {"on_hold": True}):
        with pytest.raises(DatabaseError), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(**change)
