"""The journal as double entry: every booking balances, receivables are the ledger's, accounts are the company's."""

import csv
import datetime as dt
import io
from collections import defaultdict
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from billing import services
from billing.models import Invoice, LedgerAccount
from customers.models import Customer
from customers.services import edit_terms
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.money import ZERO
from orders.models import Order
from tests.factories import billing, orders
from tests.factories.orders import person

from .test_collection import debtor, owed

pytestmark = pytest.mark.django_db
D = Decimal
TODAY = business_today


def books(end=None):
    """All bookings, after the rules that hold for each."""
    end = end or TODAY()
    found = services.bookings(Customer.objects.all(), end=end)
    receivable = defaultdict(lambda: ZERO)
    for one in found:
        assert one.balanced, (one.entry.key, one.postings)
        for side in one.postings:
            if side.slot[0] == "receivable":
                receivable[one.entry.customer_id, one.entry.currency] += side.amount
    kept = {account: amount for account, amount in receivable.items() if amount}
    assert kept == services.balances(services.journal(Customer.objects.all(), end=end))
    assert len({one.entry.key for one in found}) == len(found)
    return found


def sides(found, kind=""):
    """Σ by use and category, debit less credit, in the company's currency."""
    sums = defaultdict(lambda: ZERO)
    for one in found:
        for side in one.postings if not kind or one.entry.kind == kind else ():
            sums[":".join(filter(None, side.slot))] += side.base or ZERO
    return {use: amount for use, amount in sums.items() if amount}


def set_accounts(**changed):
    """All that are proposed."""
    numbers = services.proposed_accounts() | changed
    return services.set_ledger_accounts(numbers, seen=services.ledger_accounts(), actor=person("finance_manager"))


def test_an_invoice_and_its_payment():
    order = orders.accepted(billing.free_line(1, "100"), billing.free_line(1, "50", tax_category="R"))
    invoice = billing.issued(order)
    billing.pay(invoice, method="cash")
    found = books()
    assert sides(found, "final") | sides(found, "standard") == {
        "receivable": D("172.50"), "revenue:S": D(-100), "revenue:R": D(-50), "tax:S": D(-19), "tax:R": D("-3.50"),
    }  # fmt: skip
    assert sides(found, "payment") == {"receivable": D("-172.50"), "money:cash": D("172.50")}


def test_a_deposit_is_owed_until_the_final_invoice():
    order = orders.accepted(orders.line(quantity=4))
    rows = [
        services.PlanRow(value=D(30), due_date=TODAY(), deposit=True, label="Deposit"),
        services.PlanRow(value=D(70), due_date=TODAY() + dt.timedelta(days=30), label="Rest"),
    ]
    services.plan_instalments(order, rows=rows, method="percent", actor=person("finance"))
    first = Order.objects.get(pk=order.pk).plans.get().instalments.order_by("seq").first()
    services.bill_instalment(first, actor=person("finance2"))
    assert sides(books())["deposit"] == D(-120)
    billing.issued(Order.objects.get(pk=order.pk))
    found = sides(books())
    assert "deposit" not in found
    assert (found["revenue:S"], found["tax:S"], found["receivable"]) == (D(-400), D(-76), D(476))


def test_deductions_discounts_and_fees_have_their_own_accounts():
    order = orders.accepted(billing.free_line(1, "100"))
    for kind, net in (("penalty", "10"), ("discount", "5"), ("charge", "7")):
        made = services.add_charge(
            order, kind=kind, net=D(net), tax_category="S", description=kind, reason="agreed", key=kind,
            actor=person("finance"),
        )  # fmt: skip
        services.accept_charge(made, decision="yes", actor=person("finance_manager"))
    billing.issued(Order.objects.get(pk=order.pk))
    found = sides(books())
    assert (found["penalty"], found["discount"], found["revenue:S"]) == (D(10), D(5), D(-107))


@pytest.mark.parametrize(("mode", "net", "tax"), [("included", "2.00", "0.38"), ("excluded", "2.00", "0")])
def test_an_early_discount(mode, net, tax):
    order = orders.accepted(billing.free_line(1, "100"))
    edit_terms(order.customer, early_percent=D(2), early_days=9, early_mode=mode, actor=person("finance"))
    invoice = billing.issued(Order.objects.get(pk=order.pk))
    billing.pay(invoice, invoice.early.pays)
    services.grant_early_discount(invoice, actor=person("finance"))
    found = sides(books(), "credit_note")
    assert (found["discount"], found.get("tax:S", ZERO)) == (D(net), D(tax))


def test_late_interest_write_offs_and_what_is_taken_back(finance, finance2, manager):
    services.set_late_fee_policy(start=dt.date(2020, 1, 1), annual=D("36.5"), actor=person("finance_manager"))
    invoice = owed(debtor(), 20, "1000.00")
    services.propose_late_fees(invoice, actor=finance)
    fee = services.charge_late_fee(invoice.instalments.get().late_fees.get(), actor=finance2)
    services.issue_invoice(fee.debit_note, actor=finance2)
    one = services.ask_write_off(invoice, amount=D("40"), reason="insolvent", key="w", actor=finance2)
    services.approve_write_off(one, actor=manager)
    payment = billing.pay(invoice, "960")
    services.cancel_payment(payment, reason="bounced", actor=finance2)
    found = books()
    assert sides(found) == {
        "receivable": D("980"), "opening": D(-1000), "late_fee": D(-20), "write_off": D(40),
    }  # fmt: skip
    assert {one.entry.kind for one in found} == {"opening", "debit_note", "write_off", "payment", "reversal"}
    note = services.credit_invoice(fee.debit_note, reason="goodwill", actor=finance)
    assert sides(books())["receivable"] == D(960)
    assert sides([one for one in books() if one.entry.number == note.number])["late_fee"] == D(20)


def _rate(rate, days=0):
    day = TODAY() - dt.timedelta(days=days)
    services.set_exchange_rate(currency="USD", day=day, rate=D(rate), actor=person("finance"))


def test_another_currency_leaves_nothing_over(finance, finance2):
    _rate("0.913", days=3)
    invoice = billing.issued(orders.accepted(billing.free_line(3, "33.33", tax_category="Z"), currency="USD"))
    assert invoice.base_rate == D("0.913")
    _rate("0.871")
    first = billing.pay(invoice, "33.33")
    billing.pay(invoice, "33.33")
    services.cancel_payment(first, reason="bounced", actor=finance2)
    services.credit_invoice(
        invoice, reason="returned", quantities={invoice.lines.get().pk: D(1)}, actor=finance
    )  # fmt: skip
    last = billing.pay(invoice, "50")
    services.refund_credit(last, amount=D("10"), reason="too much", key="a", actor=finance2)
    services.refund_credit(last, amount=D("6.67"), reason="too much", key="b", actor=finance2)
    assert Invoice.objects.get(pk=invoice.pk).open == 0
    found = books()
    sums = sides(found)
    assert "receivable" not in sums
    assert total_of(found) == ZERO
    results = services.exchange_results(Customer.objects.all(), start=TODAY(), end=TODAY())
    assert sum(one.result for one in results) == -sums.get("gain", ZERO) - sums["loss"]


def total_of(found):
    return sum((side.base or ZERO for one in found for side in one.postings), ZERO)


def test_a_foreign_deposit_leaves_the_books_as_it_came(finance):
    _rate("0.9", days=3)
    order = orders.accepted(billing.free_line(4, "100", tax_category="Z"), currency="USD")
    rows = [
        services.PlanRow(value=D(30), due_date=TODAY(), deposit=True),
        services.PlanRow(value=D(70), due_date=TODAY() + dt.timedelta(days=30)),
    ]
    services.plan_instalments(order, rows=rows, method="percent", actor=finance)
    first = Order.objects.get(pk=order.pk).plans.get().instalments.order_by("seq").first()
    services.bill_instalment(first, actor=person("finance2"))
    _rate("0.8")
    billing.issued(Order.objects.get(pk=order.pk))
    sums = sides(books())
    assert "deposit" not in sums


def test_without_a_rate_the_page_says_so(client_of, finance):
    billing.issued(orders.accepted(billing.free_line(1, "100", tax_category="Z"), currency="USD"))
    (one,) = books()
    assert not one.rated
    page = client_of(finance).get("/billing/ledger/").content.decode()
    assert "1 booking in USD has no exchange rate" in page


def test_the_file(client_of, finance):
    invoice = billing.issued()
    billing.pay(invoice, "19")
    client = client_of(finance)
    page = client.get("/billing/ledger/").content.decode()
    assert "No account is set for" in page
    assert "export=bookings" not in page
    assert client.get("/billing/ledger/?export=bookings").status_code == 409
    set_accounts()
    page = client.get("/billing/ledger/").content.decode()
    assert "export=bookings" in page
    assert "No account is set for" not in page
    answer = client.get("/billing/ledger/?export=bookings")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert list(rows[0]) == services.BOOKING_COLUMNS
    sums = defaultdict(lambda: ZERO)
    for row in rows:
        sums[row["entry"]] += D(row["base_debit"] or 0) - D(row["base_credit"] or 0)
        assert bool(row["debit"]) != bool(row["credit"])
        assert row["account"]
    assert len(sums) == 2
    assert not any(sums.values())
    assert {row["customer"] for row in rows} == {invoice.customer.number}
    tax = [row for row in rows if row["use"] == "tax:S"]
    assert [(row["credit"], row["tax_percent"], row["account"]) for row in tax] == [("19.00", "19", "3806")]


def test_what_is_booked_later_than_it_counts_is_named(client_of, finance):
    invoice = owed(debtor(), 100, "80.00")
    assert invoice.issue_date.month != TODAY().month or invoice.issue_date.year != TODAY().year
    first = TODAY().replace(day=1) - dt.timedelta(days=300)
    page = client_of(finance).get(f"/billing/ledger/?start={first}").content.decode()
    assert "recorded in a later month" in page


def _ours(captured):
    """Queries of billing: a session is written now and then, whatever the page."""
    return [one["sql"] for one in captured if "billing_" in one["sql"] or "customers_" in one["sql"]]


def test_queries_do_not_grow(client_of, finance):
    client = client_of(finance)
    billing.pay(billing.issued())
    set_accounts()
    for address in ("/billing/ledger/", "/billing/ledger/?export=bookings"):
        b"".join(client.get(address))
        with CaptureQueriesContext(connection) as few:
            b"".join(client.get(address))
        for _place in range(3):
            billing.pay(billing.issued(), "20")
        with CaptureQueriesContext(connection) as more:
            b"".join(client.get(address))
        assert len(_ours(more)) == len(_ours(few)) > 5


# --- the accounts ------------------------------------------------------------------------------------------------


def _form(client):
    page = client.get("/billing/ledger/accounts/")
    return {one.html_name: one.value() or "" for one in page.context["form"]}


def test_accounts_are_set_on_a_page(client_of, finance, finance_manager, sales):
    client = client_of(finance_manager)
    data = _form(client)
    assert data["receivable:"] == "1200"
    assert not LedgerAccount.objects.exists()  # a proposal is nothing that is set
    assert client.post("/billing/ledger/accounts/", data).status_code == 302
    assert services.ledger_accounts() == services.proposed_accounts()
    again = _form(client)
    assert client.post("/billing/ledger/accounts/", again).status_code == 302  # twice changes nothing
    wrong = again | {"receivable:": "=1+1", "gain:": "9" * 21}
    answer = client.post("/billing/ledger/accounts/", wrong)
    assert answer.status_code == 422
    assert services.ledger_accounts() == services.proposed_accounts()
    assert client.post("/billing/ledger/accounts/", again | {"receivable:": "1\x00"}).status_code in (400, 422)
    # Somebody else was faster than this page.
    assert client.post("/billing/ledger/accounts/", again | {"receivable:": "1201"}).status_code == 302
    stale = client.post("/billing/ledger/accounts/", again | {"receivable:": "1202"})
    assert stale.status_code == 409
    assert "meanwhile" in stale.content.decode()
    assert services.ledger_accounts()["receivable", ""] == "1201"
    assert client_of(finance).get("/billing/ledger/accounts/").status_code == 200
    assert client_of(finance).post("/billing/ledger/accounts/", again).status_code == 403
    assert client_of(sales).get("/billing/ledger/accounts/").status_code == 403


def test_the_service_holds_the_rules(finance, finance_manager):
    with pytest.raises(PermissionDenied):
        services.set_ledger_accounts({("gain", ""): "1"}, seen={}, actor=finance)
    with pytest.raises(ValidationError):
        services.set_ledger_accounts({("gain", ""): "1 2"}, seen={}, actor=finance_manager)
    with pytest.raises(ValueError, match="nothing is booked"):
        services.set_ledger_accounts({("gain", "S"): "1"}, seen={}, actor=finance_manager)
    assert set_accounts() == len(services.proposed_accounts())
    now = services.ledger_accounts()
    assert services.set_ledger_accounts({("gain", ""): ""}, seen=now, actor=finance_manager) == 1
    assert ("gain", "") not in services.ledger_accounts()
    with pytest.raises(TransitionRefused):
        services.set_ledger_accounts({("gain", ""): "9"}, seen=now, actor=finance_manager)
    for wrong in ({"use": "gain", "number": ""}, {"use": "loss", "number": "twice"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LedgerAccount.objects.create(**wrong)
