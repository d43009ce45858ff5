"""Ageing, statement and ledger: one definition of what was open, on any day."""

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing import services
from customers.models import Customer, CustomerBalance
from ordermgmt.company.services import business_today
from tests.conftest import data_folder
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
    return services.aged_totals(services.aged_receivables(day, Customer.objects.all()))


def agrees(day):
    """Ageing, ledger and, today, the customer's balance say the same."""
    everybody = Customer.objects.all()
    rows = services.aged_receivables(day, everybody)
    aged = {(row.customer.pk, row.currency): row.balance for row in rows if row.balance}
    assert aged == services.balances(services.journal(everybody, end=day))
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


def test_queries_do_not_grow(client_of, finance):
    _opened()
    client = client_of(finance)
    client.get("/billing/ageing/")
    with CaptureQueriesContext(connection) as few:
        client.get("/billing/ageing/")
    for count in range(3):
        _opened(key=f"more{count}")
    with CaptureQueriesContext(connection) as more:
        client.get("/billing/ageing/")
    assert len(more) == len(few)


@pytest.mark.data
def test_real_receivables_age_as_their_file_says(tmp_path):
    """The invoices of eight of the hundred customers, through the profile; the file itself tells what was open."""
    folder = data_folder()
    assert folder is not None
    source = folder / "07_receivables" / "WA_Fn-UseC_-Accounts-Receivable.csv"
    with source.open() as lines:
        rows = list(csv.DictReader(lines))
    chosen = sorted({row["customerID"] for row in rows})[:8]
    rows = [row for row in rows if row["customerID"] in chosen]
    with (tmp_path / source.name).open("w", newline="") as out:
        writer = csv.DictWriter(out, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    from tests.documents.test_import_data import amounts, run

    steps = run("receivables", tmp_path)
    assert amounts(steps, "created") == {"customers": 8, "opening": len(rows), "payments": len(rows)}

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
