"""Electronic invoices: valid, exact and embedded, or not issued at all, with the field that is to be mended."""

import io
from decimal import Decimal

import pikepdf
import pytest

from billing import services
from billing.models import Invoice
from ordermgmt.activity.services import work_off
from ordermgmt.company.models import SellerProfile, TaxRate
from ordermgmt.documents.services import read_file
from ordermgmt.lib import einvoice
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db


def _electronic(order, **seller):
    """The order of a seller whose tax profile asks for Factur-X, with all that this needs unless told otherwise."""
    given = {"vat_id": "DE136695976", "address": "Werkstr. 1\n80331 München", "country": "DE"} | seller
    SellerProfile.objects.filter(pk=order.seller_id).update(**given)
    order.tax_profile.e_invoice = "factur-x"
    order.tax_profile.save()
    order.customer.country = "DE"
    order.customer.save()
    return order


def _issued(**header):
    invoice = billing.issued(_electronic(orders.accepted(**header)))
    work_off()
    return Invoice.objects.select_related("pdf").get(pk=invoice.pk)


def test_works():
    invoice = _issued()
    content = read_file(invoice.pdf)
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert list(pdf.attachments) == ["factur-x.xml"]
        metadata = pdf.open_metadata()
        assert (metadata["pdfaid:part"], metadata["pdfaid:conformance"]) == ("3", "B")
        facturx = "{urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#}"
        assert metadata[f"{facturx}ConformanceLevel"] == "EN 16931"
        assert metadata[f"{facturx}DocumentFileName"] == "factur-x.xml"
        attached = pdf.attachments["factur-x.xml"].get_file().read_bytes()
    assert einvoice.faults(attached) == []
    assert attached == einvoice.embedded(content)
    document, declared = einvoice.read_document(attached)
    assert document.currency == invoice.currency
    assert (declared["due"], declared["tax_total"]) == (Decimal("119.00"), Decimal("19.00"))
    assert str(invoice.number).encode() in attached


def test_a_credit_note_names_its_invoice(finance):
    invoice = _issued()
    credit = services.credit_invoice(invoice, reason="Returned", actor=finance)
    xml = services.einvoice_xml(credit)
    assert b">381<" in xml
    assert str(invoice.number).encode() in xml


def test_a_plain_profile_makes_a_plain_pdf():
    invoice = billing.issued()
    work_off()
    invoice.refresh_from_db()
    with pytest.raises(ValueError, match="no electronic invoice"):
        einvoice.embedded(read_file(invoice.pdf))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda order: SellerProfile.objects.update(vat_id="", tax_id=""), "VAT id"),
        (lambda order: SellerProfile.objects.update(address=""), "your address"),
        (lambda order: type(order.customer).objects.update(country=""), "country: fill in"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_and_nothing_is_issued(client_of, finance2, spoil, words):
    order = _electronic(orders.accepted())
    draft = billing.drafted(order)
    spoil(order)
    answer = client_of(finance2).post(
        f"/billing/invoices/{draft.reference}/do/issue/", {"version": draft.version}, follow=True
    )
    assert words in answer.content.decode()
    draft.refresh_from_db()
    assert draft.is_draft
    assert draft.number is None


def test_a_currency_with_three_decimals_is_refused(finance2):
    order = _electronic(orders.accepted(currency="KWD"))
    draft = billing.drafted(order)
    with pytest.raises(TransitionRefused) as refused:
        services.issue_invoice(draft, actor=finance2)
    assert "three decimals" in str(refused.value.blockers[0])


def test_exemption_without_a_reason_is_refused_and_with_one_issued(finance2):
    order = _electronic(orders.accepted(billing.free_line(tax_category="E")))
    TaxRate.objects.filter(category="E").update(exemption_reason="")
    draft = billing.drafted(order)
    with pytest.raises(TransitionRefused, match="exemption reason"):
        services.issue_invoice(draft, actor=finance2)
    TaxRate.objects.filter(category="E").update(exemption_reason="Exempt under §4 UStG")
    xml = services.einvoice_xml(services.issue_invoice(draft, actor=finance2))
    assert "§4 UStG".encode() in xml


def test_one_cent_of_tax_too_much_is_seen():
    """The schematron alone lets it pass: exactness is ours."""
    xml = services.einvoice_xml(_issued())
    wrong = xml.replace(b">19.00</", b">19.01</").replace(b">119.00</", b">119.01</")
    assert {fault.rule for fault in einvoice.faults(wrong)} == {"EXACT"}


def test_a_missing_delivery_date_or_broken_code_is_seen():
    xml = services.einvoice_xml(_issued())
    assert einvoice.faults(xml.replace(b'unitCode="H87"', b'unitCode="NONSENSE"'))
    assert einvoice.faults(xml.replace(b">380<", b">999<"))


@pytest.mark.parametrize(("unit", "code"), [("pcs", "H87"), ("小时", "HUR"), ("crate", "C62"), (" KG ", "KGM")])
def test_units(unit, code):
    assert einvoice.unit_code(unit) == code


def test_the_xml_of_the_kept_pdf_is_downloaded(client_of, finance, sales2):
    invoice = _issued()
    client, url = client_of(finance), f"/billing/invoices/{invoice.number}/xml/"
    answer = client.get(url)
    assert answer.content == einvoice.embedded(read_file(invoice.pdf))
    assert answer["Content-Disposition"] == f'attachment; filename="{invoice.number}.xml"'
    assert url in client.get(invoice.get_absolute_url()).content.decode()
    assert client.post(url).status_code == 405
    assert client_of(sales2).get(url).status_code == 404
    # One without a PDF yet waits for it, and a draft or a plain document has none.
    waiting = billing.issued(orders.accepted())
    assert client.get(f"/billing/invoices/{waiting.number}/xml/")["Location"].endswith("/pdf/")
    assert client.get(f"/billing/invoices/{billing.drafted().reference}/xml/").status_code == 404
    waiting.order.tax_profile.e_invoice = ""
    waiting.order.tax_profile.save()
    plain = billing.issued(orders.accepted())
    assert client.get(f"/billing/invoices/{plain.number}/xml/").status_code == 404
