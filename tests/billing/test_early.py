"""The discount of who pays early: printed, earned by the day the money came in, granted once by a second person."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction

from billing import services
from billing.models import EarlyDiscount, Invoice, OrderCharge
from customers.models import Customer
from customers.services import edit_terms
from ordermgmt.company.services import business_today
from ordermgmt.lib import einvoice
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import billing, orders
from tests.factories.customers import customer as make_customer
from tests.factories.orders import person

from .test_einvoice import _electronic

pytestmark = pytest.mark.django_db
D = Decimal


def _terms(customer: Customer, percent="2", days=10, mode="included") -> None:
    edit_terms(
        customer, early_percent=D(percent), early_days=days, early_mode=mode, actor=person("finance"),
    )  # fmt: skip


def _issued(mode="included", **given) -> Invoice:
    """An invoice over 100.00 and 19.00 with 2 % within 10 days, issued by Felix."""
    order = orders.accepted(**given)
    _terms(order.customer, mode=mode)
    return billing.issued(Order.objects.get(pk=order.pk))


def _hand(lines, **given) -> Invoice:
    customer = make_customer(name="Early Bird")
    _terms(customer)
    customer.refresh_from_db()
    draft = services.draft_by_hand(customer, lines, actor=person("finance2"), **given)
    return services.issue_invoice(draft, actor=person("finance2"))


def _line(price, rate="19", category="S"):
    return {
        "description": "Thing", "unit": "pcs", "quantity": D(1), "unit_price": D(price), "tax_category": category,
        "tax_rate": D(rate),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("mode", "pays", "net", "tax"), [("included", "116.62", "2.00", "0.38"), ("excluded", "117.00", "2.00", "0.00")]
)
def test_works_on_an_order(client_of, finance, mode, pays, net, tax):
    invoice = _issued(mode)
    early = invoice.early
    assert (early.until, early.pays) == (business_today() + dt.timedelta(days=10), D(pays))
    client = client_of(finance)
    assert pays in client.get(invoice.get_absolute_url()).content.decode()  # printed
    url = f"{invoice.get_absolute_url()}do/discount/"
    assert client.post(url).status_code == 409  # not paid yet
    billing.pay(invoice, pays, allocations={invoice.instalments.get().pk: D(pays)})
    assert invoice.number in client.get("/billing/work/discounts/").content.decode()
    assert "Grant the discount" in client.get(invoice.get_absolute_url()).content.decode()
    assert client.get(url).status_code == 200
    assert not OrderCharge.objects.exists()
    assert client.post(url).status_code == 302
    assert client.post(url).status_code == 409  # once
    credit = Invoice.objects.get(kind="credit_note")
    assert (credit.tax_basis, credit.tax_total, credit.due) == (D(net), D(tax), D(net) + D(tax))
    assert [one.original for one in credit.references.all()] == [invoice]
    invoice.refresh_from_db()
    assert (invoice.open, invoice.credited) == (0, credit.due)
    # The order's account says what its documents say.
    order = Order.objects.get()
    assert order.final_gross == order.gross_total - credit.due == order.invoiced_total == order.paid_total
    content = services.account_content(order)
    assert content["final_net"] == content["invoiced_net"]
    assert not services.discounts_to_grant(Invoice.objects.all()).exists()


def test_settles_with_the_discount(finance, finance2, finance_manager):
    invoice = _issued()
    billing.pay(invoice, "116.62", allocations={invoice.instalments.get().pk: D("116.62")})
    services.grant_early_discount(invoice, actor=finance)
    order = billing.frozen(Order.objects.get())
    assert services.settlement_blockers(order) == []


def test_without_an_order_over_two_rates():
    invoice = _hand([_line("33.33"), _line("66.66", "7"), _line("0.07", "7")])
    early = invoice.early
    key = invoice.instalments.get().pk
    billing.pay(invoice, early.pays, allocations={key: early.pays})
    credit = services.grant_early_discount(Invoice.objects.get(pk=invoice.pk), actor=person("finance"))
    assert credit.due == early.amount == D("2.22")
    assert [(tax.rate, tax.basis) for tax in credit.taxes.order_by("rate")] == [
        (7, D("1.34")),
        (19, D("0.66")),
    ]  # 1.43 and 0.79 of it
    assert credit.grand_total + credit.rounding == credit.due
    invoice.refresh_from_db()
    assert invoice.open == 0


def test_late_short_and_by_who_issued_it(finance, finance2, sales):
    invoice = _issued()
    with pytest.raises(DatabaseError), transaction.atomic():  # frozen with the document
        EarlyDiscount.objects.update(percent=D(50))
    with pytest.raises(DatabaseError), transaction.atomic():
        EarlyDiscount.objects.all().delete()
    key = invoice.instalments.get().pk
    payment = billing.pay(invoice, "116.61", allocations={key: D("116.61")})
    with pytest.raises(TransitionRefused, match="No discount"):
        services.grant_early_discount(invoice, actor=finance)
    billing.pay(invoice, "0.01", allocations={key: D("0.01")})
    with pytest.raises(TransitionRefused, match="somebody else"):
        services.grant_early_discount(invoice, actor=finance2)
    with pytest.raises(PermissionDenied):
        services.grant_early_discount(invoice, actor=sales)
    # A payment that bounces takes the ground away.
    services.cancel_payment(payment, reason="bounced", actor=finance2)
    with pytest.raises(TransitionRefused, match="No discount"):
        services.grant_early_discount(invoice, actor=finance)


def test_after_the_day_it_is_not_earned(finance, monkeypatch):
    invoice = _issued()
    day = invoice.early.until + dt.timedelta(days=1)
    monkeypatch.setattr("billing.services.paying.business_today", lambda: day)
    services.record_payment(
        customer=invoice.customer, amount=D("116.62"), received_on=day, key="late", actor=finance,
        allocations={invoice.instalments.get().pk: D("116.62")},
    )  # fmt: skip
    assert services.earned(Invoice.objects.get(pk=invoice.pk)) == 0
    assert not services.discounts_to_grant(Invoice.objects.all()).exists()


def test_terms_on_customer_and_draft(client_of, finance, sales):
    draft = billing.drafted()
    client = client_of(finance)
    url = f"/customers/{draft.customer.number}/do/terms/"
    given = {"payment_days": 30, "early_percent": "3", "early_days": ""}
    assert client.post(url, given).status_code == 422
    assert client.post(url, given | {"early_days": 30}).status_code == 422  # not before the money is due
    assert client.post(url, given | {"early_days": 14}).status_code == 302
    assert client_of(sales).post(url, given | {"early_days": 9}).status_code in (403, 404)
    assert "3 % within 14 days" in client.get(draft.customer.get_absolute_url()).content.decode()
    assert services.early_of(draft) is None  # drafted before
    edit = f"{draft.get_absolute_url()}edit/"
    line = draft.lines.get().order_line_id
    data = {
        "version": draft.version, "payment_days": 30, "language": "en", f"line_{line}": "1", "early_percent": "2.5",
        "early_days": "7", "early_mode": "excluded",
    }  # fmt: skip
    assert client.post(edit, data | {"early_days": "31"}).status_code == 422
    assert client.post(edit, data).status_code == 302
    draft = Invoice.objects.get(pk=draft.pk)
    assert (draft.early.percent, draft.early.days, draft.early.mode) == (D("2.5"), 7, "excluded")
    assert "116.50" in client.get(draft.get_absolute_url()).content.decode()  # 119.00 - 2.50, as it would be issued
    none = {**data, "version": draft.version, "early_percent": "", "early_days": ""}
    assert client.post(edit, none).status_code == 302
    assert services.early_of(Invoice.objects.get(pk=draft.pk)) is None


def test_the_electronic_invoice_says_so():
    order = _electronic(orders.accepted())
    _terms(order.customer)
    invoice = billing.issued(Order.objects.get(pk=order.pk))
    xml = services.einvoice_xml(invoice)
    assert einvoice.faults(xml) == []
    assert f"{invoice.early.until}: 116.62 (-2 %)".encode() in xml


def test_what_was_credited_before_is_not_to_be_paid(client_of, finance):
    invoice = _hand([_line("1000", "0", "Z"), _line("100", "0", "Z")])
    services.credit_invoice(
        invoice, quantities={invoice.lines.get(unit_price=100).pk: D(1)}, reason="broken", actor=finance
    )
    invoice.refresh_from_db()
    key = invoice.instalments.get().pk
    short = billing.pay(invoice, "979.99", allocations={key: D("979.99")})
    assert services.earned(Invoice.objects.get(pk=invoice.pk)) == 0
    billing.pay(invoice, "0.01", allocations={key: D("0.01")})
    assert services.earned(Invoice.objects.get(pk=invoice.pk)) == D(20)
    page = client_of(finance).get("/billing/work/discounts/").content.decode()
    assert invoice.number in page
    assert services.grant_early_discount(Invoice.objects.get(pk=invoice.pk), actor=finance).due == 20
    invoice.refresh_from_db()
    assert (invoice.open, short.amount) == (0, D("979.99"))
    assert list(violations(["M"])) == []


@pytest.mark.parametrize(("mode", "pays"), [("included", "58.31"), ("excluded", "58.50")])
def test_nor_of_an_order(finance, mode, pays):
    order = orders.accepted(billing.free_line(2, "50"))
    _terms(order.customer, mode=mode)
    invoice = billing.issued(Order.objects.get(pk=order.pk))
    services.credit_invoice(invoice, quantities={invoice.lines.get().pk: D(1)}, reason="broken", actor=finance)
    billing.pay(invoice, pays, allocations={invoice.instalments.get().pk: D(pays)})
    services.grant_early_discount(Invoice.objects.get(pk=invoice.pk), actor=finance)
    assert Invoice.objects.get(pk=invoice.pk).open == 0
    assert list(violations(["M"])) == []


def test_a_payment_that_bounces_takes_the_granted_discount_back(client_of, finance, finance2, finance_manager):
    invoice = _issued()
    payment = billing.pay(invoice, "116.62", allocations={invoice.instalments.get().pk: D("116.62")})
    services.grant_early_discount(invoice, actor=finance)
    services.cancel_payment(payment, reason="bounced", actor=finance2)
    back = OrderCharge.objects.get(kind="charge")
    assert (back.state, back.net, back.tax) == ("proposed", D(2), D("0.38"))
    assert payment.number in back.reason
    assert services.earned(Invoice.objects.get(pk=invoice.pk)) == 0  # granted once
    services.accept_charge(back, decision="bounced", actor=finance_manager)
    note = services.bill_charges(Order.objects.get(pk=invoice.order_id), actor=finance2)
    assert note.due == D("2.38")
    order = Order.objects.get(pk=invoice.order_id)
    assert order.invoiced_total == order.gross_total == D(119)
    assert list(violations(["M"])) == []


def test_a_bounce_that_leaves_the_document_paid_takes_nothing_back(finance, finance2):
    invoice = _issued()
    key = invoice.instalments.get().pk
    billing.pay(invoice, "116.62", allocations={key: D("116.62")})
    services.grant_early_discount(invoice, actor=finance)
    other = billing.pay(invoice, "10", allocations={})
    services.cancel_payment(other, reason="bounced", actor=finance2)
    assert not OrderCharge.objects.filter(kind="charge").exists()


def test_without_an_order_a_debit_note_is_drafted(finance, finance2):
    invoice = _hand([_line("100")])
    payment = billing.pay(invoice, "116.62", allocations={invoice.instalments.get().pk: D("116.62")})
    services.grant_early_discount(Invoice.objects.get(pk=invoice.pk), actor=finance)
    services.cancel_payment(payment, reason="bounced", actor=finance2)
    draft = Invoice.objects.drafts().get()
    assert (draft.kind, draft.due, draft.tax_total) == ("debit_note", D("2.38"), D("0.38"))
    assert [one.original for one in draft.references.all()] == [invoice]
    services.issue_invoice(draft, actor=finance)
    assert list(violations(["M"])) == []
