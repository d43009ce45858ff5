"""`credit_invoice`: corrections are documents of their own."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied

from billing import services
from billing.models import Instalment, Invoice, Payment
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
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
    page = client_of(finance2).get(_url(invoice)).content.decode()
    assert "somebody else must credit it" in page  # before a reason is typed


def test_the_account_says_what_a_credit_note_left_in_no_instalment(client_of, finance):
    order = orders.accepted(billing.free_line(2, "50"))
    today = business_today()
    rows = [services.PlanRow(Decimal(value), today) for value in ("59.50", "59.50")]
    services.plan_instalments(order, rows=rows, method="fixed", actor=finance)
    client = client_of(finance)
    page = f"/billing/orders/{order.number}/"
    assert "in no instalment" not in client.get(page).content.decode()
    invoice = billing.issued(order, instalment=Instalment.objects.filter(invoice=None).order_by("seq").first())
    assert services.unplanned(Order.objects.get(pk=order.pk)) == 0
    services.credit_invoice(invoice, reason="x", quantities={invoice.lines.get().pk: Decimal("0.5")}, actor=finance)
    assert services.unplanned(Order.objects.get(pk=order.pk)) == Decimal("29.75")
    assert "29.75 EUR of the order is in no instalment" in client.get(page).content.decode()
    assert [str(one) for one in violations() if one.invariant.code[0] in "AMN"] == []


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


def test_one_cent_above_what_is_left_is_refused(client_of, finance):
    invoice = billing.issued(orders.accepted(billing.free_line(10_000, "0.01", tax_category="Z")))
    line = invoice.lines.get().pk
    services.credit_invoice(invoice, reason="returned", quantities={line: Decimal(9_999)}, actor=finance)
    before = Invoice.objects.count()
    with pytest.raises(TransitionRefused, match="1 can be credited"):
        services.credit_invoice(invoice, reason="returned", quantities={line: Decimal(2)}, actor=finance)
    assert Invoice.objects.count() == before
    rest = services.credit_invoice(invoice, reason="returned", quantities={line: Decimal(1)}, actor=finance)
    assert rest.due == Decimal("0.01")
    assert Invoice.objects.get(pk=invoice.pk).credited == Decimal("100.00")


def test_a_part_sent_twice_is_credited_once(client_of, finance):
    invoice = billing.issued(orders.accepted(billing.free_line(5, "10")))
    line, client = invoice.lines.get().pk, client_of(finance)
    page = client.get(_url(invoice)).content.decode()
    key = re.search(r'name="key"[^>]*value="(\w+)"', page)
    assert key
    data = {"reason": "came back", "version": invoice.version, "key": key[1]}
    for quantity in ("3", "3"):  # more than is left by then
        answer = client.post(_url(invoice), data | {f"line_{line}": quantity})
        assert answer.status_code == 302
    credit = Invoice.objects.get(kind="credit_note")
    assert answer["Location"] == credit.get_absolute_url()
    assert credit.lines.get().quantity == 3
    client.post(_url(invoice), data | {f"line_{line}": "1", "key": "other"})
    assert Invoice.objects.filter(kind="credit_note").count() == 2


def test_all_of_it_sent_twice_leads_to_the_first(client_of, finance):
    invoice = billing.issued()
    data = {"reason": "wrong", "key": "abc", f"line_{invoice.lines.get().pk}": "1"}
    answers = [client_of(finance).post(_url(invoice), data) for _ in range(2)]
    assert [one.status_code for one in answers] == [302, 302]
    assert (
        answers[0]["Location"] == answers[1]["Location"] == Invoice.objects.get(kind="credit_note").get_absolute_url()
    )


def test_a_deposit_that_the_final_invoice_deducted_is_credited_after_that(client_of, finance, finance2):
    order = orders.accepted()
    rows = [services.PlanRow(Decimal(30), business_today()), services.PlanRow(None, business_today())]
    services.plan_instalments(order, rows=rows, actor=finance)
    first, last = Instalment.objects.filter(plan__order=order).order_by("seq")
    deposit = services.bill_instalment(first, actor=finance2)
    final = services.bill_instalment(last, actor=finance2)
    with pytest.raises(TransitionRefused, match=f"{final.number} takes it off"):
        services.credit_invoice(deposit, reason="wrong", actor=finance)
    answer = client_of(finance).post(_url(deposit), {"reason": "wrong", f"line_{deposit.lines.get().pk}": "1"})
    assert answer.status_code == 409
    services.credit_invoice(final, reason="wrong", actor=finance)
    services.credit_invoice(deposit, reason="wrong", actor=finance)
    assert Order.objects.get(pk=order.pk).invoiced_total == 0
    billing.issued(Order.objects.get(pk=order.pk))
    assert Order.objects.get(pk=order.pk).invoiced_total == order.gross_total
    assert [one for one in violations() if one.invariant.code[0] in "AMN"] == []


def test_a_key_that_no_database_keeps_is_refused(client_of, finance):
    invoice = billing.issued()
    answer = client_of(finance).post(_url(invoice), {"reason": "wrong", "key": "\x00"})
    assert answer.status_code == 422
    assert Invoice.objects.count() == 1


def test_a_document_over_nothing_is_taken_back_as_a_whole(client_of, finance):
    invoice = services.draft_by_hand(
        orders.customer_a(), [{"description": "Frame", "unit": "pcs", "quantity": Decimal(1), "unit_price": Decimal(100),
                               "tax_category": "S", "tax_rate": Decimal(19)}],
        prepaid=Decimal("119"), actor=orders.person("finance2"),
    )  # fmt: skip
    invoice = services.issue_invoice(invoice, actor=orders.person("finance2"))
    assert invoice.due == 0
    data = {"reason": "wrong price", f"line_{invoice.lines.get().pk}": "1"}
    assert client_of(finance).post(_url(invoice), data).status_code == 302
    credit = Invoice.objects.get(kind="credit_note")
    assert (credit.tax_basis, credit.tax_total, credit.due) == (Decimal("100.00"), Decimal("19.00"), 0)
    assert Invoice.objects.get(pk=invoice.pk).state == "cancelled"
    assert client_of(finance).post(_url(invoice), data).status_code == 409
    assert list(violations()) == []
