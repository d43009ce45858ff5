"""Imported payments in parts, and what was paid against what was ordered: each difference has its reason."""

import csv
import html
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import services
from billing.models import Payment
from ordermgmt.lib.importing import read_table
from ordermgmt.lib.tables.paging import Sort, keyset_page
from orders.models import Order
from tests.conftest import data_folder, expected, whole_data
from tests.factories import billing, orders

pytestmark = [pytest.mark.django_db]
D = Decimal
#: Orders of the sample, one for each reason, and one that agrees.
MORE, LESS = "c915c070ee2f91af30208cd30cd0dee0", "6dcf0aeb8b1eb4021c26e1d0e9394979"
NOTHING_PAID = "4637ca194b6387e2d538dc89b124b0ee"
#: Paid by card and three vouchers, one of them over nothing.
VOUCHERS = "8bcbe01d44d147f901cd3192671144db"


def _import(monkeypatch: pytest.MonkeyPatch, orders: int) -> None:
    """The first orders of the sample, all that have no items, and those named above."""
    folder = data_folder()
    assert folder is not None
    folder = folder / "02_olist_sample"
    items = read_table((folder / "olist_order_items_dataset.csv").read_bytes(), "items")
    with_items = {row.cells["order_id"] for row in items.rows}
    heads = read_table((folder / "olist_orders_dataset.csv").read_bytes(), "orders")
    kept = {row.cells["order_id"]: row.cells["customer_id"] for place, row in enumerate(heads.rows)
            if place < orders or row.cells["order_id"] in (MORE, LESS, VOUCHERS) or row.cells["order_id"] not in with_items}  # fmt: skip
    customers = set(kept.values())

    def some(content, name, layout=None):
        table = read_table(content, name, layout)
        rows = [
            row for row in table.rows
            if row.cells.get("order_id") in kept or ("order_id" not in row.cells and row.cells.get("customer_id") in customers)
        ]  # fmt: skip
        return replace(table, rows=rows)

    monkeypatch.setattr("ordermgmt.documents.services.profiles.read_table", some)
    call_command("import_data", "olist", str(folder), "--format", "json", stdout=StringIO())


@pytest.mark.data
@pytest.mark.skipif(not whole_data(), reason="takes minutes: WHOLE_DATA=1")
def test_the_whole_marketplace_sample(monkeypatch, finance, client_of):
    _import(monkeypatch, 3000)
    figures, found = expected("02_olist_sample"), services.reconcile(finance, "olist")
    differences = services.differences_of(found.orders)
    assert (found.exact, found.differing, len(differences)) == (
        figures["orders_paid_exactly"], figures["orders_paid_differs"], figures["orders_paid_differs"],
    )  # fmt: skip
    assert sum(one.amount for one in differences) == D(figures["sum_paid_minus_due"])
    assert found.in_parts == figures["payment_rows_with_more_than_1_installment"]
    paid = list(Payment.objects.values_list("amount", flat=True))  # added up here: SQLite would add binary fractions
    # Two payments of the file are over nothing: there is nothing to book, and the import says so.
    assert (len(paid), sum(paid)) == (figures["rows"]["order_payments"] - 2, D(figures["payments_total"]))
    with_parts = {
        number: count for number, (count, _sum) in figures["payments_by_installments"].items() if number != "1"
    }
    assert sum(with_parts.values()) == found.in_parts
    assert found.most_parts == max(int(number) for number in with_parts)
    kinds = Counter(one.kind for one in differences)
    # One of those without items agrees: its payment is over nothing.
    assert kinds["unbilled"] == figures["orders_without_items"] - 1
    assert kinds["more"] + kinds["less"] == figures["orders_paid_differs_over_0_05_with_items"]
    assert kinds.total() == figures["orders_paid_differs"]
    page = html.unescape(client_of(finance).get("/billing/differences/?source=olist").content.decode())
    assert all(one.order.number in page and one.sentence in page for one in differences)


@pytest.mark.data
def test_the_marketplace_sample(monkeypatch, finance, sales, client_of):
    _import(monkeypatch, 60)
    found = services.reconcile(finance, "olist")
    differences = services.differences_of(found.orders)
    assert found.differing == len(differences)
    assert found.exact + len(differences) == Order.objects.filter(source_key__startswith="olist:").count()
    by_order = {one.order.number: one for one in differences}
    assert (by_order[MORE].kind, by_order[MORE].amount, by_order[MORE].parts) == ("more", D("10.61"), 5)
    assert (by_order[LESS].kind, by_order[LESS].amount) == ("less", D("-14.95"))
    unbilled = [one for one in differences if one.kind == "unbilled"]
    assert len(unbilled) == 23
    assert NOTHING_PAID not in by_order  # nothing owed, nothing paid
    assert VOUCHERS not in by_order
    assert not Payment.objects.filter(remittance=NOTHING_PAID).exists()
    with (data_folder() / "02_olist_sample" / "olist_order_payments_dataset.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["order_id"] == VOUCHERS]
    booked = Payment.objects.filter(remittance=VOUCHERS)
    assert booked.count() == len([row for row in rows if D(row["payment_value"])]) == len(rows) - 1
    assert sum(booked.values_list("amount", flat=True)) == sum(D(row["payment_value"]) for row in rows)
    assert found.in_parts == Payment.objects.filter(instalments__gt=1).count() > 0
    # An order that agrees is paid in full, a lesser payment leaves the rest open, a greater one is credit.
    less = Order.objects.get(number=LESS)
    assert less.invoiced_total - less.paid_total == D("14.95")
    assert Payment.objects.get(remittance=MORE).unallocated == D("10.61")
    page = client_of(finance).get("/billing/differences/?source=olist").content.decode()
    assert "in 5 parts" in page
    assert all(one.order.number in page for one in differences)
    assert client_of(sales).get("/billing/differences/").status_code == 403


def test_without_imports_the_page_says_so(finance, client_of):
    text = client_of(finance).get("/billing/differences/").content.decode()
    assert "No orders were imported" in text or "Orders paid exactly" in text


def test_a_payment_has_at_least_one_part(finance):
    from django.db import IntegrityError, transaction

    from tests.factories import billing

    payment = billing.pay(billing.issued(), "5", instalments=8)
    assert payment.instalments == 8
    with pytest.raises(IntegrityError), transaction.atomic():
        Payment.objects.create(
            number="X", customer=payment.customer, currency="EUR", amount=1, received_on=payment.received_on, instalments=0,
            key="x", recorded_by=finance,
        )  # fmt: skip


def _imported(number, price, paid):
    """An order of another program, and what somebody paid for it."""
    order = orders.started(billing.free_line(1, price, tax_category="Z"))
    Order.objects.filter(pk=order.pk).update(source_key=f"shop:{number}")
    if paid:
        services.record_payment(
            customer=order.customer, amount=D(paid), received_on=order.order_date, key=f"p{number}", currency="EUR",
            remittance=order.number, actor=orders.person("finance"),
        )  # fmt: skip
    return order


def test_the_page_adds_up_in_the_database_and_pages(client_of, finance):
    _imported(1, "10", "10")
    made = [_imported(number, "10", f"1{number}") for number in range(2, 5)] + [_imported(9, "10", "")]
    client, url = client_of(finance), "/billing/differences/?source=shop"
    assert services.sources(finance) == ["shop"]
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        page = client.get(url)
    assert [(one.order, one.amount, one.kind) for one in page.context["rows"]] == [
        (made[3], D(-10), "less"), (made[2], D(4), "more"), (made[1], D(3), "more"), (made[0], D(2), "more"),
    ]  # fmt: skip
    assert (page.context["found"].exact, page.context["found"].differing, page.context["found"].payments) == (1, 4, 4)
    for number in range(20, 23):
        _imported(number, "10", "11")
    with CaptureQueriesContext(connection) as more:
        client.get(url)
    assert len(more) == len(few)
    kept = services.reconcile(finance, "shop").orders
    first = keyset_page(kept, Sort("off", falling=True), size=2)
    second = keyset_page(kept, Sort("off", falling=True), size=2, after=first.next)
    assert [one.off for one in (*first.rows, *second.rows)] == [10, 4, 3, 2]
