"""What a tax profile wants documents to name: asked for before the issue, as rows that a page edits."""

from decimal import Decimal

import pytest

from billing import services
from billing.models import Invoice
from billing.pdf import document_context
from customers.models import Customer
from ordermgmt.company.models import SellerProfile, TaxProfile
from ordermgmt.company.services import edit_tax_profile, ensure_company
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db
USCC = "91110000600037341L"


@pytest.fixture(autouse=True)
def china(db):
    ensure_company()
    profile = TaxProfile.objects.get(code="CN")
    SellerProfile.objects.update(tax_profile=profile)
    return profile


def _draft(country="CN", kind="company", tax_id="", **header):
    order = orders.accepted(currency="CNY", **header)
    Customer.objects.filter(pk=order.customer_id).update(country=country, kind=kind, tax_id=tax_id)
    return billing.drafted(order)


def test_works(client_of, finance2):
    draft = _draft()
    client, url = client_of(finance2), f"{draft.get_absolute_url()}do/issue/"
    answer = client.post(url, {"version": draft.version})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "Our company: “Tax id” is empty" in text
    assert f"/customers/{draft.customer.number}/edit/" in text
    assert Invoice.objects.get().is_draft
    SellerProfile.objects.update(tax_id=USCC)
    Customer.objects.filter(pk=draft.customer_id).update(tax_id="913102307178706X00")
    assert "is no valid number" in client.post(url, {"version": draft.version}).content.decode()
    Customer.objects.filter(pk=draft.customer_id).update(tax_id=USCC)
    assert client.post(url, {"version": draft.version}).status_code == 302
    assert Invoice.objects.get().number


@pytest.mark.parametrize("who", [{"kind": "person"}, {"country": "JP"}])
def test_a_person_and_a_company_abroad_have_none(finance2, who):
    SellerProfile.objects.update(tax_id=USCC)
    assert services.issue_invoice(_draft(**who), actor=finance2).number


def test_a_credit_note_is_not_asked(finance, finance2):
    SellerProfile.objects.update(tax_id=USCC)
    invoice = services.issue_invoice(_draft(tax_id=USCC), actor=finance2)
    Customer.objects.update(tax_id="")
    credit = services.credit_invoice(invoice, reason="Returned", actor=finance)
    # Red because the profile says so, whatever country it is of.
    shown = document_context(credit)
    assert (credit.due, shown["due"], shown["red"]) == (Decimal("113.00"), Decimal("-113.00"), True)


def test_the_style_of_corrections_is_the_profiles(finance, finance2, admin, china):
    edit_tax_profile(china, credit_style="", required=[], actor=admin)
    credit = services.credit_invoice(services.issue_invoice(_draft(), actor=finance2), reason="x", actor=finance)
    assert (document_context(credit)["due"], document_context(credit)["red"]) == (Decimal("113.00"), False)


def test_the_page_edits_both(client_of, admin, china):
    data = {"name": "China", "layout": "china", "required": "buyer.address\nBuyer.Tax_id cn.uscc\n", "credit_style": ""}
    url = f"/company/profiles/{china.pk}/"
    assert "seller.tax_id cn.uscc\nbuyer.tax_id cn.uscc" in client_of(admin).get(url).content.decode()
    assert client_of(admin).post(url, data).status_code == 302
    china.refresh_from_db()
    assert (china.required, china.credit_style) == ([["buyer.address", ""], ["buyer.tax_id", "cn.uscc"]], "")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("buyer.shoe_size", "is none of these"), ("buyer.tax_id\nbuyer.tax_id", "stands twice"),
     ("buyer.tax_id xx.nothing", "There is no rule “xx.nothing”"), ("buyer.tax_id os.path", "no rule")],
)  # fmt: skip
def test_nonsense_is_refused_at_its_field(client_of, admin, china, text, sentence):
    answer = client_of(admin).post(f"/company/profiles/{china.pk}/", {"name": "China", "required": text})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    china.refresh_from_db()
    assert len(china.required) == 2


def test_all_that_is_missing_is_said_at_once(finance2, admin, china):
    edit_tax_profile(china, required=[["seller.iban", ""], ["buyer.email", ""], ["buyer.country", ""]], actor=admin)
    with pytest.raises(TransitionRefused) as refused:
        services.issue_invoice(_draft(country=""), actor=finance2)
    assert len(refused.value.blockers) == 3
