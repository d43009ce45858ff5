"""Profit per order: planned, now, and why they differ."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services import set_exchange_rate
from customers.services import create_customer
from fulfilment.models import MaterialUse, Production, Risk
from inventory.models import Product
from orders.models import Order
from reports.services import compute_report
from reports.services.profit import figures
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
    assert row["link"] == f"/orders/{one.number}/#margin"
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


def priced_in(currency: str) -> Product:
    """A product like SKU-1 that costs in another currency."""
    product = Product.objects.get(sku="SKU-1")
    product.pk, product.sku, product.currency = None, f"SKU-{currency}", currency
    product.save(force_insert=True)
    return product


def took(order_line: Any, product: Any, day: dt.date, quantity: int, cost: str, by: Any) -> None:
    """Production took so much where the bill of material says 1."""
    made = Production.objects.create(
        order_line=order_line, quantity=1, on=day, key=f"{product.pk}-{day}", recorded_by=by
    )  # fmt: skip
    MaterialUse.objects.create(
        production=made, product=product, quantity=quantity, standard=1, unit_cost=Decimal(cost)
    )  # fmt: skip


def _material(one: Order, finance: Any) -> tuple[Decimal, str, list[str]]:
    sections = compute_report("profit", {}, user=finance)["sections"]
    row = sections["by_order"]["rows"][0]
    return Decimal(row["material"]), row["why"], [entry["reason"] for entry in sections["reasons"]["rows"]]


def test_material_in_a_foreign_currency_counts_at_the_rate_of_its_day(finance: Any, client_of: Any) -> None:
    one = started(line(quantity=5))
    row = one.lines.get()
    dollars = priced_in("USD")
    first, later = dt.date(2026, 3, 2), dt.date(2026, 3, 9)
    for day in (first, later):
        took(row, dollars, day, 11, "3.00", finance)
    amount, why, reasons = _material(one, finance)
    assert amount == 0
    assert "Material in USD is not counted: no exchange rate" in why
    assert "Material in USD is not counted: no exchange rate" in reasons
    page = client_of(finance).get(one.get_absolute_url()).content.decode()
    assert "Material in USD is not counted: no exchange rate" in page
    for day, rate in ((first, "0.80"), (later, "0.90")):
        set_exchange_rate(currency="USD", day=day, rate=Decimal(rate), actor=finance)
    amount, why, reasons = _material(one, finance)
    assert amount == Decimal("24.00") + Decimal("27.00")  # (11 - 1) × 3.00 at 0.80 and at 0.90
    assert why == "Material beyond the bill -51.00"
    assert reasons == ["Material beyond the bill"]


def test_foreign_material_costs_the_same_queries(finance: Any) -> None:
    one = started(line(quantity=5))
    row = one.lines.get()
    counts = []
    for currency in ("USD", "CHF", "JPY"):
        product = priced_in(currency)
        for day in range(1, 5):
            took(row, product, dt.date(2026, 3, day), 3, "2", finance)
        set_exchange_rate(currency=currency, day=dt.date(2026, 3, 2), rate=Decimal("0.5"), actor=finance)
        with CaptureQueriesContext(connection) as found:
            list(figures(Order.objects.all()))
        counts.append(len(found))
    assert counts[0] == counts[1] == counts[2]
