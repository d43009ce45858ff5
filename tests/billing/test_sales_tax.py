"""Sales tax in the application: authorities on order and document, exemption certificates with their days."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing import services
from billing.models import Instalment
from billing.pdf import document_context
from customers.models import ExemptionCertificate
from customers.services import add_certificate, exemption_certificate, remove_certificate
from ordermgmt.company.models import SellerProfile, TaxProfile
from ordermgmt.company.services import business_today, ensure_company, set_tax_rate
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture(autouse=True)
def _california(db):
    ensure_company()
    SellerProfile.objects.update(tax_profile=TaxProfile.objects.get(code="US-CA"))


def _taxes(invoice):
    return [(one.authority, one.basis, one.tax) for one in invoice.taxes.all()]


def test_works():
    order = orders.accepted(
        billing.free_line(3, "19.99"), billing.free_line(price="50", tax_category="O"), currency="USD"
    )
    # 59.97 x 6 % = 3.5982, x 0.25 % = 0.1499, x 1 % = 0.5997; 7.25 % at once would be 4.3478.
    assert (order.tax_total, order.gross_total) == (D("4.35"), D("114.32"))
    invoice = billing.issued(order)
    assert _taxes(invoice) == [
        ("", D("50.00"), 0), ("County", D("59.97"), D("0.15")), ("City", D("59.97"), D("0.60")),
        ("State", D("59.97"), D("3.60")),
    ]  # fmt: skip
    assert (invoice.tax_total, invoice.due) == (D("4.35"), D("114.32"))
    assert invoice.tax_profile["components"] == [["S", "7.250000", [["State", "6"], ["County", "0.25"], ["City", "1"]]]]
    assert [one["authority"] for one in document_context(invoice)["taxes"]] == ["", "County", "City", "State"]
    assert list(violations(["M"])) == []


def test_a_deposit_is_shared_by_the_authorities_too(sales, finance2):
    order = orders.accepted(
        billing.free_line(3, "19.99"), billing.free_line(price="50", tax_category="O"), currency="USD"
    )
    rows = [
        services.PlanRow(D(one), business_today() + dt.timedelta(days=place))
        for place, one in enumerate(("20", "94.32"))
    ]
    services.plan_instalments(order, rows=rows, actor=sales)
    for instalment, due in zip(Instalment.objects.order_by("seq"), ("20.00", "94.32"), strict=True):
        draft = services.draft_invoice(order, instalment=instalment, actor=finance2)
        invoice = services.issue_invoice(draft, actor=finance2)
        assert invoice.due == D(due)
        assert [one.authority for one in invoice.taxes.all()] == ["", "County", "City", "State"]
    assert list(violations(["M"])) == []


def test_parts_and_their_credit_add_up_by_authority(finance, finance2):
    order = orders.accepted(billing.free_line(1, "10.10"), billing.free_line(1, "7.77"), currency="USD")
    first = services.draft_invoice(order, actor=finance, quantities={order.lines.first().pk: D(1)})
    services.issue_invoice(first, actor=finance)
    rest = billing.issued(order)
    assert first.due + rest.due == order.gross_total
    credit = services.credit_invoice(rest, reason="Returned", actor=finance)
    assert (credit.due, credit.tax_total) == (rest.due, rest.tax_total)
    assert _taxes(credit) == _taxes(rest)
    assert list(violations(["M"])) == []


def test_a_certificate_frees_new_orders_and_is_named_on_the_document(finance_manager):
    customer = orders.customer_a()
    add_certificate(
        customer, number="CA-77", valid_from=dt.date(2020, 1, 1), authority="California", actor=finance_manager
    )
    order = orders.accepted(currency="USD")
    assert order.lines.get().tax_category == "E"
    invoice = billing.issued(order)
    assert invoice.tax_total == 0
    assert "CA-77" in invoice.taxes.get().exemption_reason


def test_a_certificate_that_ran_out_stops_the_invoice(finance2, finance_manager):
    customer, today = orders.customer_a(), business_today()
    made = add_certificate(customer, number="CA-77", valid_from=dt.date(2020, 1, 1), actor=finance_manager)
    draft = billing.drafted(orders.accepted(currency="USD"))
    ExemptionCertificate.objects.update(valid_to=today - dt.timedelta(days=1))
    assert exemption_certificate(customer, today) == ""
    with pytest.raises(TransitionRefused, match="no exemption certificate"):
        services.issue_invoice(draft, actor=finance2)
    draft.refresh_from_db()
    assert draft.number is None
    remove_certificate(ExemptionCertificate.objects.get(pk=made.pk), actor=finance_manager)
    assert not ExemptionCertificate.objects.exists()


def test_the_customers_page_takes_it_once(client_of, finance_manager, sales):
    customer = orders.customer_a()
    url = f"/customers/{customer.number}/do/add-certificate/"
    data = {"number": "CA-1", "authority": "CA", "valid_from": "2026-01-01", "valid_to": "2025-01-01"}
    client = client_of(finance_manager)
    assert "ends before" in client.post(url, data).content.decode()
    assert not ExemptionCertificate.objects.exists()
    for _ in range(2):
        client.post(url, data | {"valid_to": ""})
    assert ExemptionCertificate.objects.count() == 1
    assert "CA-1" in client.get(f"/customers/{customer.number}/").content.decode()
    assert client_of(sales).post(url, data | {"number": "CA-2", "valid_to": ""}).status_code == 403
    one = ExemptionCertificate.objects.get()
    assert client_of(sales).post(f"/customers/certificates/{one.pk}/do/remove/").status_code == 403
    assert client.post(f"/customers/certificates/{one.pk}/do/remove/").status_code == 302
    assert not ExemptionCertificate.objects.exists()


def test_authorities_add_up_to_the_rate(client_of, admin):
    profile = TaxProfile.objects.get(code="US-CA")
    data = {"profile": profile.pk, "category": "S", "percent": "9.5", "valid_from": "2027-01-01"}
    client = client_of(admin)
    for wrong in ("State 6\nCounty 0.25", "State", "State six", "County NaN"):
        assert client.post("/company/rates/", data | {"components": wrong}).status_code == 422
    assert client.post("/company/rates/", data | {"components": "State 6\nLos Angeles 3.5 %"}).status_code == 422
    assert client.post("/company/rates/", data | {"components": "State 6\nLos Angeles 3.5"}).status_code == 302
    assert profile.rates.get(percent="9.5").components == [["State", "6"], ["Los Angeles", "3.5"]]
    with pytest.raises(ValidationError):
        set_tax_rate(
            TaxProfile.objects.get(code="EU-DE"), category="S", percent=D(20), valid_from=dt.date(2027, 1, 1),
            components=[("State", D(20))], actor=admin,
        )  # fmt: skip
