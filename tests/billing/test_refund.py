"""`refund_credit`: only credit, only by somebody else, only once."""

import threading
import time
import uuid
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction

from billing import services
from billing.models import Payment, Refund
from billing.models.payment import PaymentQuerySet
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from tests.factories import billing
from tests.factories.orders import person

pytestmark = pytest.mark.django_db


def _overpaid(by="50.00"):
    invoice = billing.issued()
    return invoice, billing.pay(invoice, Decimal("119.00") + Decimal(by))


def _refund(payment, amount="50.00", who="finance2", **given):
    given = {"key": uuid.uuid4().hex, "reason": "overpaid"} | given
    return services.refund_credit(payment, amount=Decimal(amount), actor=person(who), **given)


def test_works(client_of, finance2):
    _invoice, payment = _overpaid()
    client = client_of(finance2)
    url = f"{payment.get_absolute_url()}do/refund/"
    assert client.get(url).status_code == 200
    assert not Refund.objects.exists()
    form = {"amount": "20.00", "reason": "overpaid", "key": "one", "version": payment.version}
    assert client.post(url, form).status_code == 302
    payment.refresh_from_db()
    assert payment.unallocated == Decimal("30.00")
    assert client.post(url, form).status_code in (302, 409)  # the same form again
    assert Refund.objects.count() == 1
    assert "overpaid" in client.get(payment.get_absolute_url()).content.decode()
    today = business_today()
    entries = services.journal(type(payment.customer).objects.all(), end=today)
    assert [one.amount for one in entries if one.kind == "refund"] == [Decimal("20.00")]


def test_the_same_key_books_once():
    _invoice, payment = _overpaid()
    _refund(payment, "20.00", key="k")
    _refund(payment, "20.00", key="k")
    assert Refund.objects.count() == 1


def test_who_may_not(client_of, sales, warehouse):
    _invoice, payment = _overpaid()
    with pytest.raises(TransitionRefused, match="somebody else"):
        _refund(payment, who="finance")
    with pytest.raises(PermissionDenied):
        _refund(payment, who="sales")
    assert client_of(warehouse).get(f"{payment.get_absolute_url()}do/refund/").status_code in (403, 404)
    assert not Refund.objects.exists()


@pytest.mark.parametrize("amount", ["50.01", "0", "-1", "0.001"])
def test_wrong_amounts_write_nothing(amount):
    _invoice, payment = _overpaid()
    with pytest.raises((TransitionRefused, ValidationError)):
        _refund(payment, amount)
    assert not Refund.objects.exists()


def test_what_was_given_back_is_not_cancelled():
    _invoice, payment = _overpaid()
    _refund(payment)
    with pytest.raises(TransitionRefused, match="given back"):
        services.cancel_payment(payment, reason="bounced", actor=person("finance2"))


def test_the_database_keeps_it():
    _invoice, payment = _overpaid()
    _refund(payment)
    for change in (lambda: Refund.objects.update(amount=1), lambda: Refund.objects.all().delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    with pytest.raises(DatabaseError), transaction.atomic():
        Refund.objects.create(
            payment=payment, amount=1, on=business_today(), reason="x", key="x", recorded_by=person("finance"),
            by=person("finance"),
        )  # fmt: skip


def _race(payment: Payment, owed: int) -> None:
    """A refund of the credit and its allocation to another invoice, at once."""
    gate = threading.Barrier(2)

    def at_once(verb: Any) -> None:
        gate.wait()
        try:
            verb()
        except (TransitionRefused, DatabaseError):
            pass
        finally:
            connection.close()

    verbs = [
        lambda: _refund(payment),
        lambda: services.allocate_credit(payment, allocations={owed: Decimal("50.00")}, actor=person("finance")),
    ]
    threads = [threading.Thread(target=at_once, args=(verb,)) for verb in verbs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _spent_twice(payment: Payment) -> bool:
    laid = sum(payment.allocations.values_list("amount", flat=True))
    back = sum(payment.refunds.values_list("amount", flat=True))
    return laid + back > payment.amount


def _unlocked(payments, pk):
    """Reads without the lock, and dwells on what it read as a slow machine would."""
    payment = payments.select_related("customer").get(pk=pk)
    time.sleep(0.2)
    return payment


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("locked", [True, False])
def test_refund_and_allocation_of_the_same_money(monkeypatch, locked):
    """The positive control takes the lock out: then the money is spent twice in at least one of the rounds."""
    if not locked:
        monkeypatch.setattr(PaymentQuerySet, "locked", _unlocked)
    bad = 0
    for _round in range(30):
        invoice, payment = _overpaid()
        other = services.open_balance(
            customer=invoice.customer, amount=Decimal("80.00"), issue_date=business_today(), actor=person("finance"),
            source_key=uuid.uuid4().hex, currency=invoice.currency,
        )  # fmt: skip
        _race(payment, other.instalments.get().pk)
        bad += _spent_twice(payment)
        if bad:
            break
    assert (bad == 0) if locked else (bad > 0)
