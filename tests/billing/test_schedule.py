"""Instalments agreed anew with every version kept; retention billed, kept back, released."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from billing import services
from billing.models import Instalment, Invoice, LateFee, Reminder, Reschedule
from customers.models import Customer
from ordermgmt.accounts.services import system_user
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from ordermgmt.lib.money import total
from orders.models import Order
from tests.factories import billing, orders

from .test_collection import debtor, owed

pytestmark = pytest.mark.django_db
D = Decimal


def _rows(*values, step=30):
    days = [business_today() + dt.timedelta(days=step * (place + 1)) for place in range(len(values))]
    return [services.PlanRow(D(value) if value else None, day) for value, day in zip(values, days, strict=True)]


def _move(invoice, *values, version=0, who="finance"):
    return services.reschedule_invoice(
        invoice, rows=_rows(*values), reason="agreed by phone", version=version, actor=orders.person(who)
    )


def _holds():
    assert [one for one in violations() if one.invariant.code[0] in "AMN"] == []


def test_works(client_of, finance):
    invoice = billing.issued()
    client, url = client_of(finance), f"{invoice.get_absolute_url()}reschedule/"
    assert client.get(url).status_code == 200
    data = {"version": 0, "reason": "agreed by phone", "rows-TOTAL_FORMS": 2, "rows-INITIAL_FORMS": 1,
            "rows-0-value": "50", "rows-0-due_date": str(business_today()), "rows-1-label": "rest",
            "rows-1-due_date": str(business_today() + dt.timedelta(days=90))}  # fmt: skip
    assert client.post(url, data).status_code == 302
    assert [one.amount for one in invoice.instalments.order_by("seq")] == [D("50.00"), D("69.00")]
    kept = Reschedule.objects.get()
    assert ([row["amount"] for row in kept.before], kept.by) == (["119.0000"], finance)
    assert client.post(url, data).status_code == 409  # seen before the first was saved
    assert "agreed by phone" in client.get(url).content.decode()
    _holds()


def test_a_plan_that_does_not_sum_is_refused_and_nothing_written(client_of, finance):
    invoice = billing.issued()
    for values in (("50", "69.01"), ("50",), ("119", ""), ("0.001", "")):
        with pytest.raises(ValidationError, match="exactly"):
            _move(invoice, *values)
    with pytest.raises(ValidationError, match="follow each other"):
        services.reschedule_invoice(
            invoice, rows=_rows("50", "", step=-1), reason="x", version=0, actor=orders.person("finance")
        )
    assert invoice.instalments.get().amount == invoice.due
    assert not Reschedule.objects.exists()


def test_what_is_paid_stays_as_it_is(finance):
    invoice = billing.issued()
    _move(invoice, "50", "")
    billing.pay(invoice, "20")
    _move(invoice, "40", "29", version=1)
    rows = list(invoice.instalments.order_by("due_date", "pk"))
    assert sorted((one.amount, one.paid) for one in rows) == [(D(29), 0), (D(40), 0), (D(50), D(20))]
    billing.pay(invoice)
    with pytest.raises(TransitionRefused, match="Nothing of this document"):
        _move(invoice, "", version=2)
    with pytest.raises(DatabaseError), transaction.atomic():
        Reschedule.objects.update(reason="other")
    _holds()


def test_rights_and_scope(client_of, sales, sales2, finance):
    invoice = billing.issued()
    url = f"{invoice.get_absolute_url()}reschedule/"
    assert client_of(sales).post(url).status_code == 403
    assert client_of(finance).get("/billing/invoices/INV-1/reschedule/").status_code == 404
    with pytest.raises(PermissionDenied):
        _move(invoice, "", who="sales")
    with pytest.raises(TransitionRefused):
        _move(billing.drafted(), "")


def _retained(percent="5", days=365):
    draft = billing.drafted()
    draft = services.edit_draft(
        draft, version=draft.version, actor=orders.person("finance2"),
        retention=(D(percent), business_today() + dt.timedelta(days=days)),
    )  # fmt: skip
    return services.issue_invoice(draft, actor=orders.person("finance2"))


def _aged(day):
    return services.aged_totals(day, Customer.objects.all())[0]


def test_retention_is_billed_in_full_and_never_overdue_before_its_day(finance):
    invoice = _retained()
    rows = {one.kind: one.amount for one in invoice.instalments.all()}
    assert rows == {"normal": D("113.05"), "retention": D("5.95")}
    assert total(rows.values()) == invoice.due == D("119.00")
    billing.pay(invoice, "113.05")
    later = business_today() + dt.timedelta(days=200)
    assert not Instalment.objects.overdue(later).exists()
    aged = _aged(later)
    assert (aged.buckets["retention"], aged.buckets["not_due"], aged.overdue, aged.open) == (
        D("5.95"), 0, 0, D("5.95"),
    )  # fmt: skip
    after = _aged(business_today() + dt.timedelta(days=400))
    assert (after.buckets["retention"], after.overdue) == (0, D("5.95"))
    _holds()


def test_the_board_calls_overdue_what_an_instalment_is(finance, monkeypatch):
    invoice = _retained()
    billing.pay(invoice, "113.05")
    moved = billing.issued()
    _move(moved, "", version=0)
    later = business_today() + dt.timedelta(days=35)
    services.reschedule_invoice(
        moved, rows=[services.PlanRow(None, later)], reason="agreed", version=1, actor=finance
    )  # fmt: skip
    monkeypatch.setattr("billing.services.billing.business_today", lambda: later)
    for one in (invoice, moved):
        assert one.due_date < later
        columns = {column.key: len(column.cards) for column in services.invoice_board(one.order)}
        assert (columns["open"], columns["overdue"]) == (1, 0)
    monkeypatch.setattr("billing.services.billing.business_today", lambda: later + dt.timedelta(days=1))
    columns = {column.key: len(column.cards) for column in services.invoice_board(moved.order)}
    assert (columns["open"], columns["overdue"]) == (0, 1)


def test_it_is_released_once(client_of, finance, sales):
    invoice = _retained()
    kept = invoice.instalments.get(kind="retention")
    url = f"/billing/instalments/{kept.pk}/release/"
    client = client_of(finance)
    assert client.get(url).status_code == 405
    assert client_of(sales).post(url).status_code == 403
    assert client.post("/billing/instalments/999999/release/").status_code == 404
    assert "Release" in client.get(invoice.get_absolute_url()).content.decode()
    assert client.post(url).status_code == 302
    kept.refresh_from_db()
    assert (kept.kind, kept.due_date) == ("normal", business_today())
    with pytest.raises(TransitionRefused, match="no retention"):
        services.release_retention(kept, actor=finance)
    other = _retained().instalments.get(kind="retention")
    with pytest.raises(ValidationError, match="before its invoice"):
        services.release_retention(other, on=dt.date(2020, 1, 1), actor=finance)
    _holds()


def test_nonsense_retentions_are_refused(client_of, finance2):
    draft = billing.drafted()
    data = {"version": draft.version, "payment_days": 30, "language": "en", "note": "",
            f"line_{draft.lines.get().order_line_id}": "1"}  # fmt: skip
    url = f"{draft.get_absolute_url()}edit/"
    client = client_of(finance2)
    day = str(business_today() + dt.timedelta(days=10))
    for wrong in (
        {"retention_percent": "5"},
        {"retention_until": day},
        {"retention_percent": "100", "retention_until": day},
    ):
        assert client.post(url, data | wrong).status_code == 422
    with pytest.raises(TransitionRefused, match="later day"):
        _retained(days=0)
    assert client.post(url, data | {"retention_percent": "10", "retention_until": day}).status_code == 302
    assert "11.90" in client.get(draft.get_absolute_url()).content.decode()  # the preview has it
    issued = services.issue_invoice(Invoice.objects.get(pk=draft.pk), actor=finance2)
    with pytest.raises(DatabaseError), transaction.atomic():
        Invoice.objects.filter(pk=issued.pk).update(retention_percent=20)


def test_an_order_with_a_plan_keeps_it_there(finance2):
    order = orders.accepted()
    days = business_today()
    services.plan_instalments(order, rows=[services.PlanRow(D(50), days), services.PlanRow(None, days)], actor=finance2)
    draft = billing.drafted(order, basis="open")
    day = days + dt.timedelta(days=30)
    draft = services.edit_draft(draft, version=draft.version, retention=(D(5), day), actor=finance2)
    with pytest.raises(TransitionRefused, match="last instalment"):
        services.issue_invoice(draft, actor=finance2)


def _reminded(*days_late):
    """An open document whose instalments were all due, reminded of and charged interest for."""
    invoice = owed(debtor(), max(days_late), "119.00")
    values = ["40", "40", "39"] if len(days_late) == 3 else ["119"]
    today = business_today()
    rows = [
        services.PlanRow(D(value), today - dt.timedelta(days=late))
        for value, late in zip(values, days_late, strict=True)
    ]
    services.reschedule_invoice(invoice, rows=rows, reason="as owed", version=0, actor=orders.person("finance"))
    services.propose_reminders(actor=system_user())
    services.release_reminder(Reminder.objects.proposed().get(), actor=orders.person("finance"))
    return invoice


def test_what_was_reminded_of_is_agreed_anew(client_of, finance):
    invoice = _reminded(20)
    services.set_late_fee_policy(actor=orders.person("finance_manager"), start=dt.date(2020, 1, 1), annual=D("36.5"))
    services.propose_late_fees(invoice, actor=finance)
    old = invoice.instalments.get()
    day = business_today() + dt.timedelta(days=30)
    data = {"version": 1, "reason": "agreed by phone", "rows-TOTAL_FORMS": 2, "rows-INITIAL_FORMS": 1,
            "rows-0-value": "50", "rows-0-due_date": str(day), "rows-1-due_date": str(day)}  # fmt: skip
    assert client_of(finance).post(f"{invoice.get_absolute_url()}reschedule/", data).status_code == 302
    first, second = invoice.instalments.order_by("seq")
    assert (first, first.amount, second.amount, first.due_date) == (old, D(50), D(69), day)
    (told,) = services.reminders_of([invoice.pk])
    assert (told.instalment, told.due_date, told.open) == (old, business_today() - dt.timedelta(days=20), D(119))
    assert [fee.instalment for fee in LateFee.objects.all()] == [old]
    assert [row["instalment"] for row in Reschedule.objects.first().after] == [first.pk, second.pk]
    _holds()


def test_fewer_instalments_than_were_reminded_of(finance):
    invoice = _reminded(40, 30, 20)
    old = set(invoice.instalments.values_list("pk", flat=True))
    _move(invoice, "19", "", version=1)
    rows = list(invoice.instalments.order_by("seq"))
    assert {one.pk for one in rows} == old
    days = {}
    for one in rows:
        days[one.due_date] = days.get(one.due_date, D(0)) + one.amount
    assert list(days.values()) == [D(19), D(100)]
    assert services.reminders_of([invoice.pk])
    _holds()


def test_a_payment_that_bounced_keeps_its_instalment(finance, finance2):
    invoice = billing.issued()
    payment = billing.pay(invoice, "20")
    services.cancel_payment(payment, reason="bounced", actor=orders.person("finance_manager"))
    old = invoice.instalments.get()
    _move(invoice, "50", "")
    assert old in invoice.instalments.all()
    _holds()


def _over(days=20):
    """A retention of 5.95 whose day passed so many days ago, the rest of its document paid."""
    invoice = _retained()
    billing.pay(invoice, "113.05")
    kept = invoice.instalments.get(kind="retention")
    Instalment.objects.filter(pk=kept.pk).update(due_date=business_today() - dt.timedelta(days=days))
    return invoice, Instalment.objects.get(pk=kept.pk)


def test_a_retention_is_reminded_of_and_bears_interest_from_its_day_on(finance, finance_manager):
    invoice, kept = _over()
    services.set_late_fee_policy(actor=finance_manager, start=dt.date(2020, 1, 1), annual=D("365"))
    late = services.late_instalments(business_today())
    assert [one.instalment for one in late[invoice.customer_id, "EUR"]] == [kept]
    assert services.interest_on(kept, business_today()) == D("1.19")
    assert services.interest_on(kept, kept.due_date) == 0
    before = kept.due_date - dt.timedelta(days=1)
    assert services.late_instalments(before) == {}
    services.propose_late_fees(invoice, actor=finance)
    assert LateFee.objects.get().amount == D("1.19")
    _holds()


def _settled_apart(finance, finance2, finance_manager):
    """A settled order whose retention of 5.95 stands apart."""
    invoice = _retained()
    order = invoice.order
    services.set_clause(order, actor=finance, retention_apart=True)
    billing.pay(invoice, "113.05")
    services.settle_order(billing.frozen(Order.objects.get(pk=order.pk)), actor=finance)
    return Invoice.objects.get(pk=invoice.pk)


def test_what_stands_apart_is_released_and_collected_on_a_settled_order(client_of, finance, finance2, finance_manager):
    invoice = _settled_apart(finance, finance2, finance_manager)
    kept = invoice.instalments.get(kind="retention")
    assert client_of(finance).post(f"/billing/instalments/{kept.pk}/release/").status_code == 302
    kept.refresh_from_db()
    assert (kept.kind, kept.due_date) == ("retention", business_today())
    with pytest.raises(TransitionRefused, match="no retention"):
        services.release_retention(kept, actor=finance)
    later = business_today() + dt.timedelta(days=20)
    assert [one.instalment for one in services.late_instalments(later)[invoice.customer_id, "EUR"]] == [kept]
    assert _aged(later).overdue == D("5.95")
    _holds()
    billing.pay(invoice, "5.95")
    order = Order.objects.get(pk=invoice.order_id)
    assert (order.state, order.retained_total, order.paid_total) == ("settled", 0, order.invoiced_total)
    _holds()


def test_nothing_else_of_a_settled_order_moves(finance, finance2, finance_manager):
    invoice = _settled_apart(finance, finance2, finance_manager)
    kept, paid = invoice.instalments.get(kind="retention"), invoice.instalments.get(kind="normal")
    for row, values in (
        (kept, {"kind": "normal"}), (kept, {"amount": D(1)}), (paid, {"due_date": dt.date(2030, 1, 1)}),
        (kept, {"due_date": dt.date(2030, 1, 1), "kind": "normal"}),
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic():
            Instalment.objects.filter(pk=row.pk).update(**values)


def test_no_day_lies_before_the_document(client_of, finance):
    invoice = billing.issued()
    data = {"version": 0, "reason": "agreed", "rows-TOTAL_FORMS": 1, "rows-INITIAL_FORMS": 1, "rows-0-value": "119",
            "rows-0-due_date": str(business_today() - dt.timedelta(days=1))}  # fmt: skip
    answer = client_of(finance).post(f"{invoice.get_absolute_url()}reschedule/", data)
    assert answer.status_code == 422
    assert "before its invoice" in answer.content.decode()
    assert not Reschedule.objects.exists()
