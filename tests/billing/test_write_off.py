"""Write-offs: two people above the tolerance, every sum holds, taken back like a payment."""

import datetime as dt
import re
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from billing import services
from billing.models import Instalment, Invoice, Payment, WriteOff
from customers.models import Customer
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from tests.factories import billing
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
D = Decimal


def _ask(invoice, amount, who="finance", **given):
    given = {"reason": "insolvent", "key": uuid.uuid4().hex} | given
    return services.ask_write_off(invoice, amount=D(amount), actor=person(who), **given)


def _holds():
    assert [one for one in violations() if one.invariant.code[0] in "AMN"] == []
    customers, day = Customer.objects.all(), business_today()
    aged = {(row.customer.pk, row.currency): row.balance for row in services.aged_receivables(day, customers)}
    ledger = services.balances(services.journal(customers, end=day))
    assert {key: value for key, value in aged.items() if value} == ledger


def test_works(client_of, finance, finance_manager):
    invoice = billing.issued()
    billing.pay(invoice, "100")
    client = client_of(finance)
    url = f"{invoice.get_absolute_url()}do/write-off/"
    assert client.get(url).status_code == 200
    assert "somebody else must write it off" in client_of(person("finance2")).get(url).content.decode()
    data = {"amount": "19.00", "reason": "insolvent", "key": "k"}
    answer = client.post(url, data, follow=True).content.decode()
    assert "The write-off is asked for: somebody else decides." in answer
    assert client.post(url, data).status_code == 302
    one = WriteOff.objects.get()
    assert (one.state, Invoice.objects.get().open) == ("asked", D("19.00"))
    boss = client_of(finance_manager)
    assert "insolvent" in boss.get(invoice.get_absolute_url()).content.decode()
    assert boss.get("/billing/write-offs/").status_code == 200
    do = f"/billing/write-offs/{one.pk}/do/approve/"
    assert boss.get(do).status_code == 200
    assert boss.post(do, {"version": one.version}).status_code == 302
    assert boss.post(do, {"version": one.version + 1}).status_code == 409
    one = WriteOff.objects.get()
    assert (one.state, one.payment.number, one.payment.unallocated) == (
        "booked",
        f"WO-{business_today().year}-00001",
        0,
    )
    assert Invoice.objects.get().open == 0
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", boss.get(invoice.get_absolute_url()).content.decode()))
    assert "Paid 100.00" in page
    assert "Written off 19.00" in page
    kinds = {(entry.kind, entry.amount) for entry in services.journal(Customer.objects.all(), end=business_today())}
    assert ("write_off", D("-19.0000")) in kinds
    _holds()


def test_small_amounts_need_nobody_else_but_only_once(finance):
    invoice = billing.issued()
    assert _ask(invoice, "0.60").state == "booked"
    assert _ask(invoice, "0.41").state == "asked"  # 1.01 in sum
    _holds()


def test_duties_are_separated(finance, finance2, finance_manager, sales, client_of):
    invoice = billing.issued()  # by Felix
    with pytest.raises(TransitionRefused, match="somebody else"):
        _ask(invoice, "50", who="finance2")
    with pytest.raises(PermissionDenied):
        _ask(invoice, "50", who="sales")
    own = _ask(invoice, "50", who="finance_manager")
    with pytest.raises(TransitionRefused, match="somebody else must decide"):
        services.approve_write_off(own, actor=finance_manager)
    with pytest.raises(PermissionDenied):
        services.approve_write_off(own, actor=finance)
    do = f"/billing/write-offs/{own.pk}/do/approve/"
    assert client_of(finance).post(do).status_code == 403
    assert client_of(sales).post(do).status_code == 404
    with pytest.raises(DatabaseError), transaction.atomic():
        WriteOff.objects.filter(pk=own.pk).update(decided_by=finance_manager)
    assert Invoice.objects.get().open == invoice.due


def test_refused_stays_owed(client_of, finance, manager):
    one = _ask(billing.issued(), "50")
    do = f"/billing/write-offs/{one.pk}/do/refuse/"
    assert client_of(manager).post(do, {"remark": "", "version": 1}).status_code == 422
    assert client_of(manager).post(do, {"remark": "They will pay", "version": 1}).status_code == 302
    one.refresh_from_db()
    assert (one.state, one.remark) == ("refused", "They will pay")
    with pytest.raises(TransitionRefused):
        services.approve_write_off(one, actor=manager)
    _holds()


@pytest.mark.parametrize("amount", ["119.01", "0", "-1", "0.001"])
def test_wrong_amounts_are_refused_and_nothing_written(amount):
    with pytest.raises((TransitionRefused, ValidationError)):
        _ask(billing.issued(), amount)
    assert not WriteOff.objects.exists()


def test_paid_meanwhile_it_is_not_booked(manager):
    invoice = billing.issued()
    one = _ask(invoice, "50")
    billing.pay(invoice, "100")
    with pytest.raises(TransitionRefused, match=r"only 19\.00"):
        services.approve_write_off(one, actor=manager)
    assert WriteOff.objects.get().state == "asked"


def test_it_is_taken_back_by_somebody_else_and_never_given_back_as_money(finance, finance2, manager):
    invoice = billing.issued()
    one = services.approve_write_off(_ask(invoice, "119"), actor=manager)
    payment = Payment.objects.get()
    with pytest.raises(TransitionRefused, match="never came in"):
        services.refund_credit(payment, amount=D(1), reason="x", key="r", actor=finance)
    with pytest.raises(TransitionRefused, match="cancel the write-off"):
        services.credit_invoice(invoice, reason="wrong", actor=finance)
    services.cancel_payment(payment, reason="they paid after all", actor=finance2)
    assert Instalment.objects.get().open == D("119.00")
    assert WriteOff.objects.get(pk=one.pk).payment.state == "cancelled"
    _holds()
    services.credit_invoice(invoice, reason="wrong", actor=finance)
    _holds()


def test_no_form_books_a_write_off_as_money(finance):
    invoice = billing.issued()
    with pytest.raises(ValidationError, match="no money"):
        billing.pay(invoice, "10", method="write_off")
    one = _ask(invoice, "50")
    with pytest.raises(DatabaseError), transaction.atomic():
        WriteOff.objects.filter(pk=one.pk).update(amount=1)


def _overpaid():
    first, second = billing.issued(), billing.issued()
    return second, billing.pay(first, "150", allocations={first.instalments.get().pk: D("119.00")})


def test_credit_is_laid_exactly_as_somebody_says(client_of, finance, sales):
    second, payment = _overpaid()
    client, url = client_of(finance), f"/billing/payments/{payment.number}/allocate/"
    one = second.instalments.get()
    page = client.get(url).content.decode()
    assert f'name="share_{one.pk}" value="31"' in page  # suggested: all that is left
    assert client_of(sales).post(url).status_code == 403
    assert client.get("/billing/payments/PAY-1/allocate/").status_code == 404
    data = {"version": payment.version, f"share_{one.pk}": "31.01"}
    refused = client.post(url, data)
    assert refused.status_code == 422
    assert "only 31" in refused.content.decode()
    assert client.post(url, {"version": payment.version}).status_code == 422
    assert client.post(url, data | {f"share_{one.pk}": "20.5"}).status_code == 302
    payment.refresh_from_db()
    assert (payment.unallocated, Instalment.objects.get(pk=one.pk).open) == (D("10.50"), D("98.50"))
    assert client.post(url, data | {f"share_{one.pk}": "1"}).status_code == 409  # seen before the first was laid
    _holds()


def test_dates_of_the_past_know_nothing_of_it(manager):
    invoice = billing.issued()
    services.approve_write_off(_ask(invoice, "119"), actor=manager)
    yesterday = business_today() - dt.timedelta(days=1)
    assert services.balances(services.journal(Customer.objects.all(), end=yesterday)) == {}


def test_an_order_says_what_of_its_paid_amount_is_given_up(client_of, finance, sales):
    invoice = billing.issued()
    client = client_of(finance)
    pages = (f"/billing/orders/{invoice.order.number}/", invoice.order.get_absolute_url())
    assert not any("of it written off" in client.get(page).content.decode() for page in pages)
    one = services.ask_write_off(invoice, amount=Decimal("0.90"), reason="fee", key="seen", actor=finance)
    for page in pages:
        assert "of it written off" in client.get(page).content.decode()
    assert services.written_off(invoice.order) == Decimal("0.90")
    services.cancel_payment(one.payment, reason="they paid", actor=person("finance2"))
    assert services.written_off(invoice.order) == 0


def test_what_was_taken_back_is_given_up_no_more(finance, finance2):
    invoice = billing.issued()
    one = _ask(invoice, "0.60")
    services.cancel_payment(one.payment, reason="they paid after all", actor=finance2)
    seven = services.settlement_conditions(invoice.order)[6]
    assert (seven.number, seven.figure) == (7, "0.00 EUR")
    assert _ask(invoice, "0.50").state == "booked"
    assert services.settlement_conditions(invoice.order)[6].figure == "0.50 EUR"
    _holds()


def test_who_asked_is_told_that_somebody_else_decides(client_of, finance_manager):
    own = _ask(billing.issued(), "50", who="finance_manager")
    do = f"/billing/write-offs/{own.pk}/do/refuse/"
    answer = client_of(finance_manager).post(do, {"remark": "after all", "version": 1})
    assert answer.status_code == 409
    assert "somebody else must decide" in answer.content.decode()
    assert WriteOff.objects.get().state == "asked"
