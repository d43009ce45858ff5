"""`credit_invoice`: corrections are documents of their own."""

from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from billing import services
from billing.models import Invoice, Payment
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import Order
from orders.services import cancel_order
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db


def _url(invoice):
    return f"{invoice.get_absolute_url()}do/credit/"


def test_works(client_of, finance):
    invoice = billing.issued()
    answer = client_of(finance).post(
        _url(invoice), {"reason": "wrong price", "version": invoice.version, f"line_{invoice.lines.get().pk}": "1"}
    )
    assert answer.status_code == 302
    credit = Invoice.objects.get(kind="credit_note")
    invoice.refresh_from_db()
    assert credit.number.startswith("CN-")
    assert (credit.due, invoice.credited, invoice.open) == (invoice.due, invoice.due, Decimal(0))
    assert invoice.state == "cancelled"
    order = Order.objects.get(pk=invoice.order_id)
    assert order.invoiced_total == 0
    assert order.lines.get().qty_to_invoice == 1
    assert order.customer.balances.get(currency=invoice.currency).invoiced == 0
    assert billing.issued(order).due == invoice.due


def test_get_credits_nothing(client_of, finance):
    invoice = billing.issued()
    assert client_of(finance).get(_url(invoice)).status_code == 200
    assert Invoice.objects.count() == 1


def test_a_foreign_invoice_is_404(client_of, sales2):
    assert client_of(sales2).post(_url(billing.issued())).status_code == 404


def test_without_the_right_403(client_of, sales):
    invoice = billing.issued()
    assert client_of(sales).post(_url(invoice)).status_code == 403
    with pytest.raises(PermissionDenied):
        services.credit_invoice(invoice, reason="x", actor=sales)


def test_the_second_time_is_refused(finance):
    invoice = billing.issued()
    services.credit_invoice(invoice, reason="x", actor=finance)
    with pytest.raises(TransitionRefused):
        services.credit_invoice(invoice, reason="x", actor=finance)


def test_the_issuer_does_not_credit(client_of, finance2):
    invoice = billing.issued()
    with pytest.raises(TransitionRefused, match="somebody else"):
        services.credit_invoice(invoice, reason="x", actor=finance2)


def test_m6_by_line_never_above_the_document(finance):
    order = orders.accepted(billing.free_line(3, "33.335"))
    invoice = billing.issued(order)
    key = invoice.lines.get().pk
    for _ in range(3):
        services.credit_invoice(invoice, reason="one piece", quantities={key: Decimal(1)}, actor=finance)
    invoice.refresh_from_db()
    assert (invoice.credited, invoice.state) == (invoice.due, "cancelled")
    with pytest.raises(TransitionRefused):
        services.credit_invoice(invoice, reason="x", quantities={key: Decimal(1)}, actor=finance)


def test_a_quantity_above_what_is_left_is_refused(finance):
    invoice = billing.issued()
    with pytest.raises(TransitionRefused, match="can be credited"):
        services.credit_invoice(invoice, reason="x", quantities={invoice.lines.get().pk: Decimal(2)}, actor=finance)
    with pytest.raises(TransitionRefused, match="Nothing is left"):
        services.credit_invoice(invoice, reason="x", quantities={}, actor=finance)


def test_what_was_paid_becomes_credit(finance):
    invoice = billing.issued()
    payment = billing.pay(invoice, "100")
    services.credit_invoice(invoice, reason="taken back", actor=finance)
    payment.refresh_from_db()
    invoice.refresh_from_db()
    assert (payment.unallocated, invoice.paid, invoice.open) == (Decimal(100), Decimal(0), Decimal(0))
    order = Order.objects.get(pk=invoice.order_id)
    assert (order.paid_total, order.invoiced_total) == (0, 0)
    assert Payment.objects.with_credit().count() == 1


def test_an_order_is_cancelled_only_after_the_credit(finance, sales_manager):
    order = orders.placed()
    invoice = billing.issued(order)
    with pytest.raises(TransitionRefused, match="not credited"):
        cancel_order(Order.objects.get(pk=order.pk), reason="x", actor=sales_manager)
    services.credit_invoice(invoice, reason="order cancelled", actor=finance)
    assert cancel_order(Order.objects.get(pk=order.pk), reason="x", actor=sales_manager).state == "cancelled"


def test_a_draft_or_a_credit_note_is_not_credited(finance):
    with pytest.raises(TransitionRefused):
        services.credit_invoice(billing.drafted(), reason="x", actor=finance)
    credit = services.credit_invoice(billing.issued(), reason="x", actor=finance)
    with pytest.raises(TransitionRefused):
        services.credit_invoice(credit, reason="x", actor=finance)
