"""Profit per order: planned, now, and why they differ."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from customers.services import create_customer
from fulfilment.models import Risk
from orders.models import Order
from reports.services import compute_report
from tests.factories.changes import applied, more
from tests.factories.orders import line, started
from tests.reports.test_run_report import order

pytestmark = pytest.mark.django_db


def _risk(one: Order, owner: Any, cost: str) -> None:
    day = dt.date(2026, 1, 1)
    Risk.objects.create(
        order=one,
        title="Storm",
        owner=owner,
        review_on=day,
        state="happened",
        outcome="It came.",
        cost=Decimal(cost),
    )


def test_the_parts_add_up_to_the_difference(finance: Any, pm: Any) -> None:
    one = started(line(quantity=5), line("SKU-1", 90, supply="make"))
    contract, planned_cost = one.net_total, one.cost_total
    applied(one, more(one, 8))
    one = Order.objects.get(pk=one.pk)
    _risk(one, pm, "55")
    sections = compute_report("profit", {}, user=finance)["sections"]
    row = sections["by_order"]["rows"][0]
    found = {
        key: Decimal(row[key]) for key in ("contract", "changes", "net", "planned", "margin", "difference", "risks")
    }
    assert found == {
        "contract": contract,
        "changes": one.net_total - contract,
        "net": one.net_total,
        "planned": contract - planned_cost,
        "margin": one.net_total - one.cost_total - 55,
        "difference": one.net_total - contract - (one.cost_total - planned_cost) - 55,
        "risks": Decimal(55),
    }
    assert one.net_total > contract
    assert "Risks that happened -55" in row["why"]
    assert row["link"] == f"/orders/{one.number}/"
    reasons = {entry["reason"]: Decimal(entry["amount"]) for entry in sections["reasons"]["rows"]}
    assert reasons.keys() == {"Changes", "Risks that happened"}
    assert sum(reasons.values()) == found["difference"]


def test_totals_equal_sql_of_its_own(finance: Any, sales: Any) -> None:
    customer = create_customer(actor=sales, name="Nord")
    for day in range(1, 8):
        order(sales, customer, f"{day * 10}.55", dt.date(2025, 1, day))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT SUM(net_total), SUM(net_total - cost_total), COUNT(*) FROM orders_order WHERE state='placed'"
        )
        net, margin, count = cursor.fetchone()
    total = compute_report("profit", {}, user=finance)["sections"]["by_order"]["totals"][0]
    assert Decimal(total["net"]) == Decimal(str(net)).quantize(Decimal("0.01"))
    assert Decimal(total["margin"]) == Decimal(str(margin)).quantize(Decimal("0.01"))
    assert count == 7


def test_queries_do_not_grow_with_orders(finance: Any, sales: Any) -> None:
    customer = create_customer(actor=sales, name="Nord")
    compute_report("profit", {}, user=finance)
    counts = []
    for number in range(2):
        for day in range(1, 4 + 6 * number):
            order(sales, customer, "10", dt.date(2025, 1, day))
        with CaptureQueriesContext(connection) as queries:
            compute_report("profit", {}, user=finance)
        counts.append(len(queries))
    assert counts[0] == counts[1]
