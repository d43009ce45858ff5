"""`issue_invoice`: numbers, snapshots, what never changes."""

import contextlib
import datetime as dt
import threading
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection, transaction

from billing import services
from billing.models import Instalment, Invoice, InvoiceLine, InvoiceTax
from ordermgmt.activity.models import Event, Job
from ordermgmt.company.services import business_today
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.database import declared_triggers
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.money import total
from orders.models import Order
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db


def _url(invoice, verb="issue"):
    return f"/billing/invoices/{invoice.reference}/do/{verb}/"


def test_works(client_of, finance2):
    draft = billing.drafted()
    answer = client_of(finance2).post(_url(draft), {"version": draft.version})
    assert answer.status_code == 302
    invoice = Invoice.objects.get()
    assert invoice.number == f"INV-{business_today().year}-00001"
    assert answer["Location"] == invoice.get_absolute_url()
    assert invoice.due == Decimal("119.00")
    assert (invoice.issued_by, invoice.issue_date) == (finance2, business_today())
    order = invoice.order
    assert (order.invoiced_total, order.draft_invoices) == (Decimal("119.00"), 0)
    assert order.lines.get().qty_invoiced == 1
    assert order.customer.balances.get(currency=invoice.currency).invoiced == Decimal("119.00")
    assert total(one.amount for one in Instalment.objects.filter(invoice=invoice)) == invoice.due
    assert Event.objects.filter(type="billing.invoice_issued", root_id=order.pk).count() == 1


def test_get_shows_consequences_and_issues_nothing(client_of, finance2):
    draft = billing.drafted()
    page = client_of(finance2).get(_url(draft)).content.decode()
    assert "without a gap" in page
    assert Invoice.objects.get().is_draft


def test_colleague_without_the_order_gets_404(client_of, sales2):
    draft = billing.drafted()
    assert client_of(sales2).post(_url(draft)).status_code == 404


def test_without_the_right_403(client_of, sales):
    draft = billing.drafted()
    assert client_of(sales).post(_url(draft)).status_code == 403
    with pytest.raises(PermissionDenied):
        services.issue_invoice(draft, actor=sales)
    assert Invoice.objects.get().is_draft


def test_p04_the_second_press_leads_to_the_first_invoice(client_of, finance2):
    draft = billing.drafted()
    client = client_of(finance2)
    first = client.post(_url(draft), {"version": draft.version})
    second = client.post(_url(draft), {"version": draft.version})
    assert second.status_code == 302
    assert client.get(second["Location"]).status_code == 200
    assert first["Location"] == second["Location"]
    assert services.issue_invoice(draft, actor=finance2).pk == draft.pk
    assert Invoice.objects.issued().count() == 1
    assert Job.objects.filter(kind=services.PDF_JOB).count() == 1
    assert Event.objects.filter(type="billing.invoice_issued").count() == 1


def test_p06_a_deleted_draft_leaves_no_gap(finance2):
    first = billing.issued()
    gone = billing.drafted()
    assert gone.number is None
    services.delete_draft(gone, actor=finance2)
    second = billing.issued()
    assert (first.sequence, second.sequence) == (1, 2)


def test_p05_a_rollback_gives_the_number_back(finance2):
    draft = billing.drafted()
    with contextlib.suppress(RuntimeError), transaction.atomic():
        services.issue_invoice(draft, actor=finance2)
        raise RuntimeError
    assert billing.issued().sequence == 1


def test_p35_a_rollback_leaves_no_job(finance2, media):
    draft = billing.drafted()
    before = Event.objects.count()
    with contextlib.suppress(RuntimeError), transaction.atomic():
        services.issue_invoice(draft, actor=finance2)
        raise RuntimeError
    assert not Job.objects.exists()
    assert Event.objects.count() == before
    assert not media.exists() or not list(media.rglob("*.*"))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE billing_invoice SET due = due + 1",
        "UPDATE billing_invoice SET customer_name = 'x'",
        "UPDATE billing_invoice SET issue_date = '2020-01-01'",
        "UPDATE billing_invoice SET number = 'INV-2020-1'",
        "UPDATE billing_invoice SET state = 'draft'",
        "UPDATE billing_invoiceline SET net = net + 1",
        "UPDATE billing_invoicetax SET tax = 0",
        "DELETE FROM billing_invoicetax",
        "DELETE FROM billing_invoiceline",
    ],
)
def test_p07_sql_changes_nothing_issued(statement):
    billing.issued()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_p07_the_orm_changes_nothing_issued():
    invoice = billing.issued()
    changes = [
        lambda: Invoice.objects.update(due=1),
        lambda: Invoice.objects.filter(pk=invoice.pk).delete(),
        lambda: invoice.lines.update(net=1),
        lambda: invoice.taxes.all().delete(),
        lambda: InvoiceLine.objects.create(
            invoice=invoice, position=9, description="x", quantity=1, unit_price=1, tax_category="S", tax_rate=0
        ),
        lambda: InvoiceTax.objects.create(invoice=invoice, category="Z", rate=0, basis=1, tax=0),
    ]
    for change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_p07_the_page_changes_nothing_issued(client_of, finance2):
    invoice = billing.issued()
    answer = client_of(finance2).post(f"{invoice.get_absolute_url()}edit/", {"version": 1, "payment_days": 99})
    assert answer.status_code == 302
    with pytest.raises(TransitionRefused):
        services.edit_draft(invoice, version=invoice.version, actor=finance2, note="x")
    with pytest.raises(TransitionRefused):
        services.delete_draft(invoice, actor=finance2)
    invoice.refresh_from_db()
    assert (invoice.payment_days, invoice.note) == (30, "")


def test_n5_dates_do_not_decrease(finance2):
    billing.issued()
    draft = billing.drafted()
    with pytest.raises(TransitionRefused, match="later date"):
        services.issue_invoice(draft, actor=finance2, on=business_today() - dt.timedelta(days=1))
    with pytest.raises(TransitionRefused, match="future"):
        services.issue_invoice(draft, actor=finance2, on=business_today() + dt.timedelta(days=1))
    draft.refresh_from_db()
    assert draft.is_draft


def test_n5_nor_over_the_turn_of_the_year(client_of, finance2):
    billing.issued()
    draft = billing.drafted()
    for day in (dt.date(business_today().year - 1, 12, 31), dt.date(1, 1, 1)):
        answer = client_of(finance2).post(f"{draft.get_absolute_url()}do/issue/", {"on": str(day)})
        assert answer.status_code == 409, day
        assert "later date" in answer.content.decode()
    assert Invoice.objects.get(pk=draft.pk).is_draft


def test_a_stale_draft_is_not_issued(finance2):
    draft = billing.drafted()
    services.edit_draft(draft, version=draft.version, actor=finance2, note="changed")
    with pytest.raises(StaleVersion):
        services.issue_invoice(draft, actor=finance2, version=draft.version)


def test_two_drafts_over_the_same_piece_are_not_both_issued(finance2):
    order = orders.accepted()
    first = billing.drafted(order)
    second = billing.drafted(order, quantities={order.order_lines[0].pk: Decimal(1)})
    services.issue_invoice(first, actor=finance2)
    with pytest.raises(TransitionRefused, match="can be invoiced"):
        services.issue_invoice(second, actor=finance2)


def test_snapshot_stays_when_the_customer_moves(finance2):
    invoice = billing.issued()
    customer = invoice.customer
    customer.name = "Renamed"
    customer.save()
    invoice.refresh_from_db()
    assert "Renamed" not in str(invoice.buyer)


@pytest.mark.parametrize("cuts", [(1, 1, 1), (2, 1), (1, 2)])
def test_parts_add_up_to_the_order_to_the_cent(finance2, cuts):
    lines = [
        billing.free_line(3, "33.335"),
        billing.free_line(3, "0.015", tax_category="R"),
    ]
    order = orders.accepted(*lines)
    keys = [one.pk for one in order.order_lines]
    for cut in cuts:
        order = Order.objects.get(pk=order.pk)
        billing.issued(order, quantities=dict.fromkeys(keys, Decimal(cut)))
    order = Order.objects.get(pk=order.pk)
    assert order.invoiced_total == order.gross_total
    assert total(one.tax_basis for one in Invoice.objects.all()) == order.net_total
    for invoice in Invoice.objects.all():
        for tax in invoice.taxes.all():
            assert tax.tax == (tax.basis * tax.rate / 100).quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_triggers_are_there():
    vendor = {
        "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'billing_%'",
        "postgresql": "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'billing_%'",
    }
    with connection.cursor() as cursor:
        cursor.execute(vendor[connection.vendor])
        assert cursor.fetchone()[0] == sum(name.startswith("billing_") for name in declared_triggers()) >= 29


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_n2_eight_threads_leave_no_gap():
    drafts = [billing.drafted() for _ in range(16)]
    actor = drafts[0].created_by
    barrier = threading.Barrier(8)

    def work(place):
        try:
            barrier.wait()
            for number, draft in enumerate(drafts[place::8]):
                try:
                    with transaction.atomic():
                        services.issue_invoice(draft, actor=actor)
                        if (place + number) % 5 == 0:
                            raise RuntimeError("after the number was taken")
                except RuntimeError:
                    pass
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted(Invoice.objects.issued().values_list("sequence", flat=True))
    assert found == list(range(1, len(found) + 1))
    assert 0 < len(found) < 16


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_p04_two_people_press_at_once(finance2):
    draft = billing.drafted()
    barrier = threading.Barrier(2)
    numbers = []

    def work():
        try:
            barrier.wait()
            numbers.append(services.issue_invoice(draft, actor=finance2).number)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(numbers)) == 1
    assert len(numbers) == 2
    assert Job.objects.filter(kind=services.PDF_JOB).count() == 1
