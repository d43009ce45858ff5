"""Imported payments in parts, and what was paid against what was ordered: each difference has its reason."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command

from billing import services
from billing.models import Payment
from ordermgmt.lib.importing import read_table
from orders.models import Order
from tests.conftest import data_folder

pytestmark = [pytest.mark.django_db]
D = Decimal
#: Orders of the sample, one for each reason, and one that agrees.
MORE, LESS = "c915c070ee2f91af30208cd30cd0dee0", "6dcf0aeb8b1eb4021c26e1d0e9394979"
NOTHING_PAID = "4637ca194b6387e2d538dc89b124b0ee"


def _import(monkeypatch: pytest.MonkeyPatch, orders: int) -> None:
    """The first orders of the sample, all that have no items, and those named above."""
    folder = data_folder()
    assert folder is not None
    folder = folder / "02_olist_sample"
    items = read_table((folder / "olist_order_items_dataset.csv").read_bytes(), "items")
    with_items = {row.cells["order_id"] for row in items.rows}
    heads = read_table((folder / "olist_orders_dataset.csv").read_bytes(), "orders")
    kept = {row.cells["order_id"]: row.cells["customer_id"] for place, row in enumerate(heads.rows)
            if place < orders or row.cells["order_id"] in (MORE, LESS) or row.cells["order_id"] not in with_items}  # fmt: skip
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
def test_the_marketplace_sample(monkeypatch, finance, sales, client_of):
    _import(monkeypatch, 60)
    found = services.reconcile(finance, "olist")
    assert found.exact + len(found.differences) == Order.objects.filter(source_key__startswith="olist:").count()
    by_order = {one.order.number: one for one in found.differences}
    assert (by_order[MORE].kind, by_order[MORE].amount, by_order[MORE].parts) == ("more", D("10.61"), 5)
    assert (by_order[LESS].kind, by_order[LESS].amount) == ("less", D("-14.95"))
    unbilled = [one for one in found.differences if one.kind == "unbilled"]
    assert len(unbilled) == 23
    assert NOTHING_PAID not in by_order  # nothing owed, nothing paid
    assert found.in_parts == Payment.objects.filter(instalments__gt=1).count() > 0
    # An order that agrees is paid in full, a lesser payment leaves the rest open, a greater one is credit.
    less = Order.objects.get(number=LESS)
    assert less.invoiced_total - less.paid_total == D("14.95")
    assert Payment.objects.get(remittance=MORE).unallocated == D("10.61")
    page = client_of(finance).get("/billing/differences/?source=olist").content.decode()
    assert "in 5 parts" in page
    assert all(one.order.number in page for one in found.differences)
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
