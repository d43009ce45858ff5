"""`record_payment`, `cancel_payment`, `allocate_credit`: nothing is paid twice, nothing gets lost."""

import datetime as dt
import re
import threading
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction

from billing import services
from billing.models import Allocation, Instalment, Invoice, Payment
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import Order
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db


def _form(invoice, share=None, amount=None, **more):
    one = invoice.instalments.get()
    return {
        "customer": invoice.customer_id, "currency": invoice.currency, "amount": str(amount or one.open),
        "received_on": str(business_today()), "method": "bank", "key": uuid.uuid4().hex,
        f"share_{one.pk}": str(share if share is not None else one.open),
    } | more  # fmt: skip


def test_works(client_of, finance):
    invoice = billing.issued()
    client = client_of(finance)
    page = client.get(f"/billing/payments/new/?customer={invoice.customer.number}").content.decode()
    assert str(invoice.number) in page
    assert 'value="119"' in page
    answer = client.post("/billing/payments/new/", _form(invoice))
    assert answer.status_code == 302
    invoice.refresh_from_db()
    assert (invoice.paid, invoice.open, invoice.payment_state) == (Decimal("119.00"), Decimal(0), "paid")
    invoice.order = Order.objects.get(pk=invoice.order.pk)
    assert invoice.order.paid_total == Decimal("119.00")
    balance = invoice.customer.balances.get(currency=invoice.currency)
    assert (balance.paid, balance.open) == (Decimal("119.00"), Decimal(0))
    assert client.get(answer["Location"]).status_code == 200


def test_get_books_nothing(client_of, finance):
    invoice = billing.issued()
    client_of(finance).get("/billing/payments/new/", _form(invoice))
    assert not Payment.objects.exists()


def test_a_foreign_payment_page_is_closed(client_of, finance, sales):
    payment = billing.pay(billing.issued())
    assert client_of(sales).get(payment.get_absolute_url()).status_code == 403
    assert client_of(finance).get("/billing/payments/PAY-1/").status_code == 404


def test_without_the_right_403(client_of, sales):
    invoice = billing.issued()
    assert client_of(sales).post("/billing/payments/new/", _form(invoice)).status_code == 403
    with pytest.raises(PermissionDenied):
        services.record_payment(
            customer=invoice.customer, amount=Decimal(1), received_on=business_today(), key="x", actor=sales
        )


def test_the_same_form_twice_is_booked_once(client_of, finance):
    invoice = billing.issued()
    data, client = _form(invoice), client_of(finance)
    first, second = client.post("/billing/payments/new/", data), client.post("/billing/payments/new/", data)
    assert first["Location"] == second["Location"]
    assert Payment.objects.count() == 1


def test_p10_more_than_is_open_is_refused(client_of, finance):
    invoice = billing.issued()
    billing.pay(invoice, "79.00")
    answer = client_of(finance).post("/billing/payments/new/", _form(invoice, share="40.01", amount="40.01"))
    assert answer.status_code == 409
    assert "40.00" in answer.content.decode()
    invoice.refresh_from_db()
    assert invoice.paid == Decimal("79.00")
    assert Payment.objects.count() == 1


def test_p10_without_shares_the_rest_becomes_visible_credit(client_of, finance):
    invoice = billing.issued()
    billing.pay(invoice, "60.00")
    payment = billing.pay(invoice, "59.01")
    assert (payment.allocated, payment.unallocated) == (Decimal("59.00"), Decimal("0.01"))
    invoice.refresh_from_db()
    assert invoice.paid == invoice.due
    assert payment in Payment.objects.with_credit()
    assert payment.number in client_of(finance).get("/billing/").content.decode()


def test_shares_above_the_amount_are_refused(client_of, finance):
    invoice = billing.issued()
    answer = client_of(finance).post("/billing/payments/new/", _form(invoice, amount="10.00", share="11.00"))
    assert answer.status_code == 422
    assert not Payment.objects.exists()


def test_wrong_amounts_and_dates_are_refused(finance):
    invoice = billing.issued()
    given = {"customer": invoice.customer, "key": "k", "actor": finance, "currency": "EUR"}
    for amount, day in [("0.001", 0), ("-1", 0), ("0", 0), ("1", 1)]:
        with pytest.raises(ValidationError):
            services.record_payment(
                amount=Decimal(amount), received_on=business_today() + dt.timedelta(days=day), **given
            )


def test_documents_named_in_the_text_come_first():
    first, second = billing.issued(), billing.issued()
    billing.pay(second, "50", remittance=f"for {second.number}, thanks")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.paid, second.paid) == (Decimal(0), Decimal(50))


def test_credit_is_laid_later(client_of, finance):
    first = billing.issued()
    payment = billing.pay(first, "219.00")
    second = billing.issued()
    client_of(finance).post(f"{payment.get_absolute_url()}do/allocate/", {"version": payment.version})
    second.refresh_from_db()
    payment.refresh_from_db()
    assert (second.paid, payment.unallocated) == (Decimal(100), Decimal(0))
    with pytest.raises(TransitionRefused):
        services.allocate_credit(payment, actor=finance, allocations={second.instalments.get().pk: Decimal(1)})


def test_cancel_opens_the_instalments_again(client_of, finance2):
    invoice = billing.issued()
    payment = billing.pay(invoice)
    url = f"{payment.get_absolute_url()}do/cancel/"
    assert client_of(finance2).post(url, {"reason": "bounced", "version": payment.version}).status_code == 302
    invoice, payment = Invoice.objects.get(), Payment.objects.get()
    assert (invoice.open, invoice.order.paid_total) == (invoice.due, Decimal(0))
    assert (payment.state, payment.allocated) == ("cancelled", Decimal(0))
    assert [one.amount for one in Allocation.objects.all()] == [Decimal("119.00"), Decimal("-119.00")]
    with pytest.raises(TransitionRefused):
        services.cancel_payment(payment, reason="again", actor=finance2)


def test_the_recorder_does_not_cancel(client_of, finance):
    payment = billing.pay(billing.issued())
    answer = client_of(finance).post(f"{payment.get_absolute_url()}do/cancel/", {"reason": "mine"})
    assert answer.status_code == 409
    assert "somebody else" in answer.content.decode()


def test_allocations_and_payments_are_never_changed():
    billing.pay(billing.issued())
    for statement in (
        "UPDATE billing_allocation SET amount = 1", "DELETE FROM billing_allocation",
        "UPDATE billing_payment SET amount = 1", "DELETE FROM billing_payment",
        "UPDATE billing_instalment SET amount = amount + 1", "DELETE FROM billing_instalment",
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_m4_the_database_holds_the_bounds():
    billing.issued()
    for change in (
        lambda: Instalment.objects.update(paid=Decimal("119.01")),
        lambda: Instalment.objects.update(paid=Decimal(-1)),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_p11_two_people_record_the_last_amount_at_once(finance, finance2):
    invoice = billing.issued()
    one = invoice.instalments.get()
    barrier, answers = threading.Barrier(2), []

    def work(actor):
        try:
            barrier.wait()
            services.record_payment(
                customer=invoice.customer, amount=one.open, received_on=business_today(), key=uuid.uuid4().hex,
                currency=invoice.currency, actor=actor, allocations={one.pk: one.open},
            )  # fmt: skip
            answers.append("paid")
        except TransitionRefused as refused:
            answers.append(str(refused))
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(actor,)) for actor in (finance, finance2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers)[1] == "paid"
    assert "already settled" in sorted(answers)[0]
    assert Payment.objects.count() == 1


def test_a_payment_for_an_unknown_customer_shows_the_first_step(client_of, finance):
    for query in ("", "?customer=999999999999999999999999", "?customer=%00", "?customer=nobody&amount=abc"):
        assert client_of(finance).get(f"/billing/payments/new/{query}").status_code == 200


def test_order_number_in_the_text_is_found():
    order = orders.accepted()
    billing.issued()
    invoice = billing.issued(order)
    billing.pay(invoice, "5", remittance=order.number)
    invoice.refresh_from_db()
    assert invoice.paid == 5


def test_many_small_payments_can_all_be_taken_back():
    """SQLite counts in binary fractions: 17.63 + 10.60 + 47.99, taken off again, must leave nothing, not less."""
    invoice = billing.issued()
    payments = [billing.pay(invoice, amount) for amount in ("17.63", "10.6", "47.99", "0.1", "0.2")]
    for payment in payments:
        services.cancel_payment(payment, reason="bounced", actor=billing.person("finance2"))
    invoice.refresh_from_db()
    assert (invoice.paid, invoice.open) == (Decimal(0), Decimal("119.00"))


def test_p11_a_form_opened_before_somebody_else_booked_is_refused(client_of, finance):
    invoice = billing.issued()
    form = _form(invoice)
    billing.pay(invoice)
    answer = client_of(finance).post("/billing/payments/new/", form)
    assert answer.status_code == 409
    assert "is already settled" in answer.content.decode()
    assert Payment.objects.count() == 1
    again = form | {f"share_{invoice.instalments.get().pk}": ""}
    assert client_of(finance).post("/billing/payments/new/", again).status_code == 302


def test_p11_nor_is_a_credit_laid_from_such_a_form(client_of, finance):
    credit = billing.pay(billing.issued(), 300)
    second = billing.issued()
    data = {"version": credit.version, f"share_{second.instalments.get().pk}": "50"}
    billing.pay(second)
    other = billing.issued()
    answer = client_of(finance).post(
        f"{credit.get_absolute_url()}allocate/", data | {f"share_{other.instalments.get().pk}": "50"}
    )
    assert answer.status_code == 409
    assert "is already settled" in answer.content.decode()


@pytest.mark.parametrize("name", ["share_x", "share_", "share_99999999999999999999", "share_-1"])
def test_a_share_of_nothing_is_no_fault_of_the_page(client_of, finance, name):
    form = _form(billing.issued()) | {name: "1"}
    assert client_of(finance).post("/billing/payments/new/", form).status_code == 302


def test_a_share_that_can_not_be_read_books_nothing(client_of, finance):
    invoice = billing.issued()
    form = _form(invoice, share="x")
    billing.pay(invoice)
    assert client_of(finance).post("/billing/payments/new/", form).status_code == 422
    assert Payment.objects.count() == 1


def test_the_suggestion_reads_an_amount_as_its_field_does(client_of, finance):
    invoice, later = billing.issued(orders.accepted(billing.free_line(quantity=20))), billing.issued()
    page = "/billing/payments/new/"
    one, client = invoice.instalments.get(), client_of(finance)
    for typed in ("1,000", "1000.00", "１０００", "1 000"):
        text = client.get(page, {"customer": invoice.customer_id, "amount": typed}).content.decode()
        assert re.search(rf'name="share_{one.pk}"[^>]* value="1000"', text), typed
        assert not re.search(rf'name="share_{later.instalments.get().pk}"[^>]* value="\d', text), typed
    for odd in ("\x00", "EU\x00"):
        assert client.get(page, {"customer": invoice.customer_id, "currency": odd}).status_code == 200
        assert client.post(page, _form(invoice, currency=odd)).status_code == 422
