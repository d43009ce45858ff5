"""Prices that include tax, in the application: the customer pays what the price says, whatever way it is split."""

import datetime as dt
from decimal import Decimal

import pytest

from billing import services
from billing.models import Instalment
from ordermgmt.company.models import SellerProfile
from ordermgmt.company.services import business_today, ensure_company, load_profile
from ordermgmt.lib import einvoice
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db
D = Decimal
SHOP = {
    "code": "SHOP", "name": "Shop prices", "country": "DE", "price_mode": "gross",
    "rates": [
        {"category": "S", "percent": "19", "valid_from": "2000-01-01"},
        {"category": "R", "percent": "7", "valid_from": "2000-01-01"},
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _shop(db):
    ensure_company()
    SellerProfile.objects.update(
        tax_profile=load_profile(SHOP), vat_id="DE136695976", address="Werkstr. 1\n80331 München", country="DE"
    )


# billing.md, rule 7: 29.97 / 1.19 = 25.18, tax 4.78, one cent is left over: the customer pays 29.97 all the same.
def test_works(finance):
    order = orders.accepted(billing.free_line(3, "9.99"), billing.free_line(1, "0.02", tax_category="R"))
    assert (order.net_total, order.tax_total, order.gross_total) == (D("25.20"), D("4.78"), D("29.99"))
    assert order.rounding == D("0.01")
    invoice = billing.issued(order)
    assert (invoice.tax_basis, invoice.rounding, invoice.due) == (D("25.20"), D("0.01"), D("29.99"))
    credit = services.credit_invoice(invoice, reason="Returned", actor=finance)
    assert (credit.due, credit.tax_total) == (invoice.due, invoice.tax_total)
    assert list(violations(["M"])) == []


def test_parts_and_instalments_add_up_to_the_price(finance, finance2):
    order = orders.accepted(billing.free_line(3, "9.99"))
    line = order.lines.get()
    for _ in range(2):
        part = services.draft_invoice(order, actor=finance2, quantities={line.pk: D(1)})
        assert services.issue_invoice(part, actor=finance2).due == D("9.99")
    assert billing.issued(order).due == D("9.99")
    assert Order.objects.get(pk=order.pk).invoiced_total == order.gross_total == D("29.97")
    assert list(violations(["M"])) == []


def test_the_electronic_invoice_has_net_prices():
    order = orders.accepted(billing.free_line(3, "9.99"), billing.free_line("1.5", "0.37"))
    order.tax_profile.e_invoice = "factur-x"
    order.tax_profile.save()
    type(order.customer).objects.update(country="DE")
    xml = services.einvoice_xml(billing.issued(order))
    document, declared = einvoice.read_document(xml)
    assert einvoice.faults(xml) == []
    assert declared["due"] == order.gross_total
    assert document.lines[0].price < D("9.99")


def test_a_deposit_comes_off_with_its_tax(sales, finance2):
    order = orders.accepted(billing.free_line(3, "333.33"), billing.free_line(1, "0.07", tax_category="R"))
    rows = [
        services.PlanRow(D(one), business_today() + dt.timedelta(days=place))
        for place, one in enumerate(("119", "881.06"))
    ]
    services.plan_instalments(order, rows=rows, actor=sales)
    for instalment, due in zip(Instalment.objects.order_by("seq"), ("119.00", "881.06"), strict=True):
        draft = services.draft_invoice(order, instalment=instalment, actor=finance2)
        assert services.issue_invoice(draft, actor=finance2).due == D(due)
    assert Order.objects.get(pk=order.pk).invoiced_total == order.gross_total == D("1000.06")
    assert list(violations(["M"])) == []
