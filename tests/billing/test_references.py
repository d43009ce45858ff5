"""The period of a supply, the tax point, and what the customer's papers are called: typed, printed, sent, and kept."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from lxml import etree

from billing import services
from billing.models import Invoice
from billing.pdf import invoice_pdf
from ordermgmt.company.models import SellerProfile
from ordermgmt.lib import einvoice
from ordermgmt.lib.invariants import violations
from tests.factories import billing, orders

from .test_by_hand import SAVE, _post, _sent
from .test_pdf import _text

pytestmark = pytest.mark.django_db
FIRST, LAST, POINT = dt.date(2026, 10, 1), dt.date(2026, 10, 31), dt.date(2026, 11, 2)
NAMED = {"delivery_from": FIRST, "tax_point": POINT, "contract_reference": "K-77", "buyer_reference": "04011000-1234"}


def _edited(draft, client, **changes):
    held = {f"line_{line.order_line_id}": line.quantity for line in draft.lines.all()}
    data = held | {
        "version": draft.version,
        "payment_days": 14,
        "language": "en",
        "note": "",
        "delivery_date": LAST,
        **NAMED,
    }
    return client.post(f"{draft.get_absolute_url()}edit/", {key: str(value) for key, value in (data | changes).items()})


def _ram(xml, path):
    return etree.fromstring(xml).findtext(f".//{path}", namespaces=einvoice._NS)


def test_works(client_of, finance2, finance):
    order = orders.accepted()
    SellerProfile.objects.update(vat_id="DE136695976", address="Werkstr. 1\n80331 München", country="DE")
    order.tax_profile.e_invoice = "factur-x"
    order.tax_profile.save()
    type(order.customer).objects.update(country="DE")
    draft = billing.drafted(order)
    assert _edited(draft, client_of(finance2)).status_code == 302
    invoice = services.issue_invoice(Invoice.objects.get(), actor=finance2)
    assert {name: getattr(invoice, name) for name in NAMED} == NAMED
    xml = services.einvoice_xml(invoice)
    assert einvoice.faults(xml) == []
    assert _ram(xml, "ram:BuyerReference") == "04011000-1234"
    assert _ram(xml, "ram:ContractReferencedDocument/ram:IssuerAssignedID") == "K-77"
    assert _ram(xml, "ram:BillingSpecifiedPeriod/ram:StartDateTime/udt:DateTimeString") == "20261001"
    assert _ram(xml, "ram:BillingSpecifiedPeriod/ram:EndDateTime/udt:DateTimeString") == "20261031"
    assert _ram(xml, "ram:TaxPointDate/udt:DateString") == "20261102"
    printed = _text(invoice_pdf(invoice))
    page = client_of(finance).get(invoice.get_absolute_url()).content.decode()
    for word in ("K-77", "04011000-1234"):
        assert word in printed
        assert word in page
    credit = services.credit_invoice(invoice, reason="Returned", actor=finance)
    assert (credit.contract_reference, credit.delivery_from, credit.delivery_date) == ("K-77", FIRST, LAST)
    assert list(violations(["A2", "M", "N"])) == []


def test_the_next_document_of_the_order_takes_the_references_over(client_of, finance2):
    order = orders.accepted(orders.line(quantity=2))
    line = order.lines.get()
    first = services.draft_invoice(order, quantities={line.pk: 1}, actor=finance2)
    services.edit_draft(first, version=first.version, delivery_date=LAST, references=NAMED, actor=finance2)
    second = billing.drafted(order)
    assert (second.contract_reference, second.buyer_reference) == ("K-77", "04011000-1234")
    assert (second.delivery_from, second.tax_point) == (None, None)


@pytest.mark.parametrize("last", ["", "2026-09-30"])
def test_a_period_has_an_end_after_its_beginning(client_of, finance2, last):
    draft = billing.drafted()
    answer = _edited(draft, client_of(finance2), delivery_date=last)
    assert answer.status_code == 422
    assert "last day of the period" in answer.content.decode()
    with pytest.raises(ValidationError):
        services.edit_draft(
            draft, version=draft.version, delivery_date=FIRST - dt.timedelta(days=1), references=NAMED, actor=finance2
        )
    with pytest.raises(TypeError, match="colour"):
        services.edit_draft(draft, version=draft.version, references={"colour": "red"}, actor=finance2)
    assert Invoice.objects.get().delivery_from is None


def test_by_hand_too(client_of, finance2):
    client = client_of(finance2)
    head = {name: str(value) for name, value in NAMED.items()}
    assert _post(client, SAVE, _sent(**head)).json()["header"].keys() == {"delivery_date"}
    assert _post(client, SAVE, _sent(**head, delivery_date=str(LAST))).status_code == 200
    draft = Invoice.objects.get()
    assert {name: getattr(draft, name) for name in NAMED} == NAMED
    assert 'value="K-77"' in client.get(f"/billing/entry/{draft.reference}/").content.decode()
    sent = _sent(version=draft.version, delivery_date=str(LAST))
    assert (
        _post(
            client,
            f"/billing/entry/{draft.reference}/save/",
            sent | {"header": sent["header"] | dict.fromkeys(NAMED, "")},
        ).status_code
        == 200
    )
    draft.refresh_from_db()
    assert (draft.delivery_from, draft.contract_reference) == (None, "")


@pytest.mark.parametrize(
    ("field", "value"), [("contract_reference", "X"), ("tax_point", FIRST), ("delivery_from", FIRST)]
)
def test_an_issued_document_keeps_them(field, value):
    invoice = billing.issued()
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(**{field: value})
