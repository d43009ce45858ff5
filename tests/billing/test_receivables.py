"""Ageing, statement and ledger: one definition of what was open, on any day."""

import csv
import datetime as dt
import io
from collections import defaultdict
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Count, Sum
from django.test.utils import CaptureQueriesContext

from billing import services
from billing.models import Invoice
from customers.models import Customer, CustomerBalance
from customers.services import create_customer
from ordermgmt.company.services import business_today
from tests.conftest import data_folder, expected, whole_data
from tests.factories import billing
from tests.factories.orders import person

pytestmark = pytest.mark.django_db

JANUARY, FEBRUARY, MARCH = dt.date(2024, 1, 10), dt.date(2024, 2, 10), dt.date(2024, 3, 10)


def _opened(amount="100.00", day=JANUARY, due=FEBRUARY, key="one"):
    customer = billing.issued().customer
    return services.open_balance(
        customer=customer, amount=Decimal(amount), issue_date=day, due_date=due, actor=person("finance"),
        source_key=key, reference=f"OLD-{key}",
    )  # fmt: skip


def _paid(invoice, amount, day):
    return services.record_payment(
        customer=invoice.customer, amount=Decimal(amount), received_on=day, key=f"k{amount}{day}",
        currency=invoice.currency, remittance=invoice.customer_reference, actor=person("finance"),
    )  # fmt: skip


def _aged(day):
    return services.aged_totals(day, Customer.objects.all())


def agrees(day):
    """Ageing, ledger and, today, the customer's balance say the same."""
    everybody = Customer.objects.all()
    rows = list(services.aged_receivables(day, everybody))
    aged = {(row.customer.pk, row.currency): row.balance for row in rows if row.balance}
    entries = services.journal(everybody, end=day)
    assert aged == services.balances(entries) == services.balances_at(day, everybody)
    sums = {
        (one.currency, one.kind): (one.count, one.amount, one.net, one.tax)
        for one in services.control_totals(everybody, end=day)
    }
    groups = defaultdict(list)
    for one in entries:
        groups[one.currency, one.kind].append(one)
    assert sums == {
        key: (len(rows), *(sum(getattr(one, name) for one in rows) for name in ("amount", "net", "tax")))
        for key, rows in groups.items()
    }
    if day >= business_today():
        kept = {(one.customer_id, one.currency): one.open for one in CustomerBalance.objects.all() if one.open}
        assert {(row.customer.pk, row.currency): row.open for row in rows if row.open} == kept


def test_a_payment_counts_from_the_day_it_came_in():
    invoice = _opened()
    _paid(invoice, "30.00", dt.date(2024, 2, 20))
    for day, bucket, amount in (
        (FEBRUARY, "not_due", "100.00"), (dt.date(2024, 2, 19), "d1_30", "100.00"),
        (dt.date(2024, 2, 20), "d1_30", "70.00"), (dt.date(2024, 3, 12), "d31_60", "70.00"),
        (dt.date(2024, 5, 11), "d91_plus", "70.00"),
    ):  # fmt: skip
        (row,) = _aged(day)
        assert row.buckets[bucket] == row.open == Decimal(amount), day
        agrees(day)
    assert _aged(JANUARY - dt.timedelta(days=1)) == []
    agrees(business_today())


def test_what_came_before_its_document_was_credit_until_then():
    invoice = _opened(day=FEBRUARY, due=MARCH)
    _paid(invoice, "120.00", JANUARY)
    (before,) = _aged(JANUARY)
    assert (before.open, before.credit, before.balance) == (0, Decimal("120.00"), Decimal("-120.00"))
    (after,) = _aged(FEBRUARY)
    assert (after.open, after.credit) == (0, Decimal("20.00"))
    agrees(JANUARY)
    agrees(FEBRUARY)


def test_a_bounced_payment_was_paid_until_it_bounced():
    invoice = _opened()
    payment = _paid(invoice, "100.00", FEBRUARY)
    services.cancel_payment(payment, reason="bounced", actor=person("finance2"))
    again = _paid(invoice, "100.00", MARCH)
    assert again.unallocated == 0
    (row,) = _aged(MARCH)
    # Two payments had come in by then, and only one instalment was there to take them: the other one was credit.
    assert (row.open, row.credit) == (0, Decimal("100.00"))
    for day in (FEBRUARY, MARCH, business_today()):
        agrees(day)


def test_credit_notes_and_freed_payments_agree():
    invoice = billing.issued()
    billing.pay(invoice)
    services.credit_invoice(invoice, reason="returned", actor=person("finance"))
    (row,) = _aged(business_today())
    assert (row.open, row.credit) == (0, Decimal("119.00"))
    agrees(business_today())
    agrees(business_today() - dt.timedelta(days=1))


def test_pages_show_the_same(client_of, finance):
    invoice = _opened()
    _paid(invoice, "30.00", dt.date(2024, 2, 20))
    client = client_of(finance)
    page = client.get("/billing/ageing/?day=2024-03-12").content.decode()
    assert "70.00" in page
    rows = list(
        csv.DictReader(
            io.StringIO(b"".join(client.get("/billing/ageing/?day=2024-03-12&export=csv")).decode("utf-8-sig"))
        )
    )
    assert [(row["d31_60"], row["balance"]) for row in rows] == [("70.00", "70.00")]
    url = f"/billing/customers/{invoice.customer.number}/statement/"
    page = client.get(f"{url}?start=2024-02-01&end=2024-03-01").content.decode()
    assert "100.00" in page
    assert "70.00" in page
    pdf = client.get(f"{url}?start=2024-02-01&end=2024-03-01&format=pdf")
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf.content.startswith(b"%PDF")


def test_the_journal_sums_to_its_controls(client_of, finance):
    invoice = billing.issued()
    billing.pay(invoice, "19.00")
    services.credit_invoice(invoice, reason="wrong", actor=person("finance"))
    client = client_of(finance)
    page = client.get("/billing/ledger/").content.decode()
    assert "Numbers without gaps" in page
    assert "text-danger" not in page.split('id="gaps"')[1].split("</section>")[0]
    answer = client.get("/billing/ledger/?export=csv")
    rows = list(csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))
    assert [row["kind"] for row in sorted(rows, key=lambda row: row["kind"])] == ["credit_note", "payment", "standard"]
    net = sum(Decimal(row["debit"] or 0) - Decimal(row["credit"] or 0) for row in rows)
    assert net == Decimal("-19.00")


@pytest.mark.parametrize("number", ["ageing/", "ledger/"])
def test_rights_and_wrong_dates(client_of, finance, sales, number):
    assert client_of(sales).get(f"/billing/{number}").status_code == 403
    assert client_of(finance).post(f"/billing/{number}").status_code == 405
    for query in ("day=31.02.2024&start=x", "day=%00&start=2024-02-01&end=2024-01-01"):
        assert client_of(finance).get(f"/billing/{number}?{query}").status_code == 422


def test_unknown_customers_have_no_statement(client_of, finance, manager):
    assert client_of(finance).get("/billing/customers/C-none/statement/").status_code == 404


@pytest.mark.parametrize("page", ["ageing/", "ageing/?day=2024-03-01", "ledger/?start=2024-01-01&end=2024-12-31"])
def test_queries_do_not_grow(client_of, finance, page):
    _paid(_opened(), "7.00", MARCH)
    client = client_of(finance)
    client.get(f"/billing/{page}")
    with CaptureQueriesContext(connection) as few:
        client.get(f"/billing/{page}")
    for count in range(3):
        _paid(_opened(key=f"more{count}"), f"{count + 1}.00", dt.date(2024, 2, 5 + count))
    with CaptureQueriesContext(connection) as more:
        client.get(f"/billing/{page}")
    assert len(more) == len(few)


def _debtors(count):
    for number in range(count):
        customer = create_customer(actor=person("sales"), name=f"Debtor {number:03d}")
        services.open_balance(
            customer=customer, amount=Decimal(number + 1), issue_date=JANUARY, due_date=FEBRUARY,
            actor=person("finance"), source_key=f"d{number}", currency="EUR",
        )  # fmt: skip


def test_the_ageing_page_shows_fifty_accounts_and_the_totals_of_all(client_of, finance):
    _debtors(53)
    client = client_of(finance)
    found, url, pages = [], "/billing/ageing/?day=2024-03-12", 0
    while url:
        context = client.get(url).context
        assert len(context["rows"]) <= 50
        (total,) = context["totals"]
        assert total.open == sum(range(1, 54))
        found += [row.customer.name for row in context["rows"]]
        url, pages = context["page"].next and f"/billing/ageing/?day=2024-03-12&after={context['page'].next}", pages + 1
    assert (found, pages) == ([f"Debtor {number:03d}" for number in range(53)], 2)
    content = b"".join(client.get("/billing/ageing/?day=2024-03-12&export=csv")).decode("utf-8-sig")
    assert len(list(csv.DictReader(io.StringIO(content)))) == 53


def test_a_long_ledger_shows_its_control_totals_and_writes_the_same_file(client_of, finance, monkeypatch):
    invoice = _opened()
    for number in range(3):
        _paid(invoice, f"{number + 1}.00", dt.date(2024, 2, 5 + number))
    client, url = client_of(finance), "/billing/ledger/?start=2024-01-01&end=2024-12-31"
    short = client.get(url)
    assert short.context["accounts"]
    monkeypatch.setattr("billing.views.ledger.MOST_BOOKED", 3)
    page = client.get(url)
    assert page.context["controls"] == short.context["controls"]
    assert "choose a shorter period" in page.content.decode()
    assert client.get(f"{url}&export=bookings").status_code == 409  # an account is missing
    services.set_ledger_accounts(services.proposed_accounts(), seen={}, actor=person("finance_manager"))
    rows = list(csv.reader(io.StringIO(b"".join(client.get(f"{url}&export=bookings")).decode("utf-8-sig"))))[1:]
    accounts = services.ledger_accounts()
    found = services.bookings(Customer.objects.all(), start=dt.date(2024, 1, 1), end=dt.date(2024, 12, 31))
    assert rows == [
        ["" if one is None else str(one) for one in row] for row in services.booking_rows(found, accounts, "EUR")
    ]


@pytest.mark.data
def test_real_receivables_age_as_their_file_says(tmp_path):
    """The invoices of eight of the hundred customers (or all), through the profile; the file tells what was open."""
    folder = data_folder()
    assert folder is not None
    source = folder / "07_receivables" / "WA_Fn-UseC_-Accounts-Receivable.csv"
    with source.open() as lines:
        rows = list(csv.DictReader(lines))
    chosen = sorted({row["customerID"] for row in rows})[: 100 if whole_data() else 8]
    rows = [row for row in rows if row["customerID"] in chosen]
    with (tmp_path / source.name).open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    from tests.documents.test_import_data import amounts, run

    steps = run("receivables", tmp_path)
    assert amounts(steps, "created") == {"customers": len(chosen), "opening": len(rows), "payments": len(rows)}

    def day_of(text):
        month, day, year = text.split("/")
        return dt.date(int(year), int(month), int(day))

    for day in (dt.date(2012, 12, 31), dt.date(2013, 6, 30), dt.date(2013, 12, 31)):
        still = [row for row in rows if day_of(row["InvoiceDate"]) <= day and (day_of(row["SettledDate"]) > day)]
        items = services.open_at(day, Customer.objects.all())
        assert len(items) == len(still)
        assert sum(one.amount for one in items) == sum(Decimal(row["InvoiceAmount"]) for row in still)
        late = [one for one in items if one.due_date < day]
        assert len(late) == len([row for row in still if day_of(row["DueDate"]) < day])
        agrees(day)
        if whole_data() and str(day) in ("2012-12-31", "2013-06-30", "2013-12-31"):
            _equals(day, expected("07_receivables")[f"as_of_{day}"])
    if whole_data():
        figures = expected("07_receivables")
        sums = Invoice.objects.filter(kind="opening").aggregate(count=Count("pk"), sum=Sum("due"))
        assert (sums["count"], sums["sum"]) == (figures["rows"], Decimal(figures["invoice_total"]))


def _equals(day, wanted):
    (sums,) = _aged(day)
    late = wanted["ageing_days_past_due"]["1-30"]
    assert (sums.open, sums.overdue, sums.buckets["d1_30"]) == (
        Decimal(wanted["open_amount"]), Decimal(wanted["overdue_amount"]), Decimal(late[1]),
    )  # fmt: skip
    items = services.open_at(day, Customer.objects.all())
    assert (len(items), len([one for one in items if one.due_date < day])) == (
        wanted["open_invoices"], wanted["overdue_invoices"],
    )  # fmt: skip
