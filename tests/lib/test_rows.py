"""Many rows at once: every type of column, more rows than a statement takes, nothing but what is named."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ordermgmt.lib.rows import write_columns
from orders.models import OrderLine
from tests.factories.orders import draft, line

pytestmark = pytest.mark.django_db


def lines_of(count):
    order = draft(*(line(quantity=2, supply="make") for _ in range(count)))
    return list(OrderLine.objects.filter(order=order).order_by("pk"))


def test_every_type_of_column():
    rows = lines_of(2)
    for row, day in zip(rows, (dt.date(2031, 2, 28), None), strict=True):
        row.quantity, row.unit_price = Decimal("3.000001"), Decimal("0.07")
        row.promised_date, row.description, row.specification = day, "50 % «ок» 'x'", {"Farbe": "weiß", "n": [1]}
        row.unit = "kg"
    write_columns(rows, ["quantity", "unit_price", "promised_date", "description", "specification"])
    for row in rows:
        kept = OrderLine.objects.get(pk=row.pk)
        assert kept.content() | {"unit": "kg"} == row.content()
        assert kept.unit != "kg"
        assert OrderLine.objects.filter(pk=row.pk, quantity=Decimal("3.000001")).exists()


def test_more_rows_than_a_statement_takes(monkeypatch):
    monkeypatch.setattr(type(connection.features), "max_query_params", 6, raising=False)
    rows = lines_of(7)
    for place, row in enumerate(rows):
        row.quantity = Decimal(place + 10)
    with CaptureQueriesContext(connection) as asked:
        write_columns(rows, ["quantity"])
        write_columns([], ["quantity"])
        write_columns(rows, [])
    assert sum("UPDATE" in one["sql"] for one in asked) == 3
    kept = OrderLine.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    assert [one.quantity for one in kept] == [10, 11, 12, 13, 14, 15, 16]


def test_what_the_database_refuses_is_refused():
    rows = lines_of(2)
    rows[1].quantity = Decimal(-1)
    with pytest.raises(DatabaseError), transaction.atomic():
        write_columns(rows, ["quantity"])
    if connection.vendor == "postgresql":
        rows[0].unit = "x" * 500
        with pytest.raises(DatabaseError), transaction.atomic():
            write_columns(rows, ["unit"])
