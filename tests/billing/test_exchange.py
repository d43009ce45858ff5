"""Documents in another currency: booked at their day's rate, gain or loss at each payment, the last clears exactly."""

import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, connection, transaction

from billing import services
from billing.models import Invoice, Payment
from customers.models import Customer
from ordermgmt.company.models import ExchangeRate
from ordermgmt.company.services import business_today
from ordermgmt.lib.invariants import violations
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db
D = Decimal


def _rate(rate, days=0, currency="USD", who="finance"):
    day = business_today() - dt.timedelta(days=days)
    return services.set_exchange_rate(currency=currency, day=day, rate=D(rate), actor=orders.person(who))


def _results():
    today = business_today()
    found = services.exchange_results(Customer.objects.all(), start=today - dt.timedelta(days=30), end=today)
    return [(one.amount, one.cleared, one.result) for one in found]


def _invoice(price="1000"):
    return billing.issued(orders.accepted(billing.free_line(1, price, tax_category="Z"), currency="USD"))


def test_gain_and_loss_of_each_payment():
    _rate("0.90", days=10)
    invoice = _invoice()  # 1,000.00 USD = 900.00 EUR
    assert invoice.base_rate == D("0.90")
    _rate("0.95")
    billing.pay(invoice, "333.33")
    billing.pay(invoice, "666.67")
    # 333.33 x 0.90 = 299.997 -> 300.00, worth 316.66; the last clears 600.00 of 900.00, worth 633.34
    assert _results() == [(D("333.33"), D("300.00"), D("16.66")), (D("666.67"), D("600.00"), D("33.34"))]
    assert [one for one in violations() if one.invariant.code[0] in "AMN"] == []


def test_a_reversal_takes_its_result_back(finance2):
    _rate("0.90", days=10)
    invoice = _invoice()
    _rate("0.80")
    payment = billing.pay(invoice)
    assert _results() == [(D("1000.00"), D("900.00"), D("-100.00"))]
    services.cancel_payment(payment, reason="bounced", actor=finance2)
    assert _results() == []


def test_the_companys_own_currency_has_none():
    _rate("0.90")
    invoice = billing.issued()
    billing.pay(invoice)
    assert (invoice.base_rate, Payment.objects.get().base_rate, _results()) == (None, None, [])


def test_without_a_rate_nothing_is_guessed():
    invoice = _invoice()
    _rate("0.90")
    billing.pay(invoice)
    assert (Invoice.objects.get().base_rate, _results()) == (None, [])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"currency": "EUR"}, "own currency"), ({"currency": "QQQ"}, "currency code"), ({"rate": "0"}, "above zero"),
        ({"days": -1}, "future"), ({"days": 3}, "already"),
    ],
)  # fmt: skip
def test_wrong_rates_are_refused(wrong, sentence):
    _rate("0.90", days=3)
    with pytest.raises(ValidationError, match=sentence):
        _rate(**({"rate": "0.9"} | wrong))
    assert ExchangeRate.objects.count() == 1


def test_what_is_booked_keeps_its_rate():
    _rate("0.90", days=10)
    invoice = _invoice()
    billing.pay(invoice)
    for rows in (Invoice.objects.all(), Payment.objects.all()):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(base_rate=2)
    with pytest.raises(DatabaseError), transaction.atomic():
        ExchangeRate.objects.update(rate=2)


def test_the_page(client_of, finance, sales, manager):
    client = client_of(finance)
    day = str(business_today())
    assert client.post("/billing/exchange/", {"currency": "usd", "day": day, "rate": "0.9"}).status_code == 302
    assert client.post("/billing/exchange/", {"currency": "usd", "day": day, "rate": "0.9"}).status_code == 422
    billing.pay(_invoice())
    page = client.get("/billing/exchange/").content.decode()
    assert "900.00" in page
    assert client_of(manager).post("/billing/exchange/", {}).status_code == 403
    assert client_of(sales).get("/billing/exchange/").status_code == 403
    with pytest.raises(PermissionDenied):
        _rate("0.9", currency="CNY", who="manager")


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("what", ["rate", "terms", "account"])
def test_of_many_at_once_one_is_kept_and_the_others_are_told(what, finance, finance_manager):
    day, barrier, answers = dt.date(2020, 1, 1), threading.Barrier(8), []

    def keep():
        try:
            barrier.wait()
            if what == "rate":
                services.set_exchange_rate(currency="USD", day=day, rate=D(1), actor=finance)
            elif what == "terms":
                services.set_late_fee_policy(start=day, annual=D(5), actor=finance_manager)
            else:
                services.keep_bank_account(name="Main", number="DE1234567", currency="EUR", actor=finance)
            answers.append("kept")
        except ValidationError:
            answers.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=keep) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["kept", *["told"] * 7]
