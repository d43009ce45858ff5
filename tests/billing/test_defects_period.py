"""What waits for the end of the defects period: planned, kept back on the invoice, dated by the acceptance, released in time."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from billing import services
from billing.models import Instalment, Invoice
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.models import Event
from ordermgmt.activity.services import work_off
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.instalments import add_months
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import billing, fulfilment, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
D = Decimal


def _clause(order, months=24, **given):
    terms = {"rate_percent": D(0), "per": "day", "grace_days": 0, "cap_percent": None, "retention_apart": True}
    services.set_clause(order, actor=person("finance"), **(terms | {"defects_months": months} | given))
    return Order.objects.get(pk=order.pk)


def _planned(order):
    """30 % ahead, 65 % at the acceptance, 5 % at the end of the defects period."""
    today, triggers = business_today(), Instalment.Trigger
    rows = [
        services.PlanRow(D(30), today, "Deposit", deposit=True),
        services.PlanRow(D(65), today, "Acceptance", trigger=triggers.ACCEPTANCE),
        services.PlanRow(D(5), today, "", trigger=triggers.DEFECTS),
    ]
    services.plan_instalments(order, rows=rows, method="percent", actor=person("finance"))
    return Order.objects.get(pk=order.pk)


def _accepted(order):
    first = Instalment.objects.planned().get(seq=1)
    billing.pay(services.bill_instalment(first, actor=person("finance2")))
    fulfilment.ship(order)
    fulfilment.examine(Order.objects.get(pk=order.pk))
    work_off()
    return Order.objects.get(pk=order.pk)


def test_from_the_plan_to_the_settlement(finance, finance2, finance_manager):
    order = _planned(_clause(orders.started(orders.line(quantity=4))))
    last = Instalment.objects.get(trigger="defects")
    assert last.due_date == add_months(order.promised_date, 24)  # expected, until it is accepted
    order = _accepted(order)
    end = add_months(business_today(), 24)
    last.refresh_from_db()
    assert last.due_date == end
    assert Event.objects.filter(type="billing.defects_dated", root_id=order.pk).count() == 1
    # Only the acceptance is to be invoiced; the invoice bills all that is left, and keeps back the rest.
    (ready,) = Instalment.objects.to_invoice(business_today())
    invoice = services.bill_instalment(ready, actor=finance2)
    assert (invoice.kind, invoice.due, invoice.completes) == ("final", D("333.20"), True)  # 476.00 - 142.80
    now, kept = invoice.instalments.order_by("seq")
    assert (now.amount, kept.amount, kept.kind, kept.due_date, kept.label) == (
        D("309.40"), D("23.80"), "retention", end, "Retention",
    )  # fmt: skip
    assert now.due_date < end
    billing.pay(invoice, now.amount, allocations={now.pk: now.amount})
    aged = services.aged_receivables(end, type(order.customer).objects.all())
    assert [(row.buckets["retention"], row.overdue) for row in aged] == [(D("23.80"), 0)]
    # Until then it is never overdue, and the order is settled with it apart.
    assert not Instalment.objects.to_invoice(end).exists()
    order = services.settle_order(billing.frozen(order), actor=finance)
    assert (order.state, order.retained_total) == ("settled", D("23.80"))
    assert list(violations(["A", "M", "N"])) == []


def test_an_invoice_before_the_acceptance_is_dated_by_it(finance2):
    order = _clause(orders.started(orders.line(quantity=4)), retention_apart=False)
    day = business_today()
    rows = [
        services.PlanRow(D(95), day, trigger=Instalment.Trigger.SHIPMENT),
        services.PlanRow(D(5), day, "Security", trigger=Instalment.Trigger.DEFECTS),
    ]
    services.plan_instalments(order, rows=rows, method="percent", actor=person("finance"))
    fulfilment.ship(order)
    invoice = services.bill_order(Order.objects.get(pk=order.pk), actor=finance2)
    kept = invoice.instalments.get(kind="retention")
    assert (kept.label, kept.due_date) == ("Security", add_months(order.promised_date, 24))
    fulfilment.examine(Order.objects.get(pk=order.pk))
    work_off()
    kept.refresh_from_db()
    assert kept.due_date == add_months(day, 24)
    # The contract is changed; then it is released and moves no more.
    _clause(Order.objects.get(pk=order.pk), months=12, retention_apart=False)
    kept.refresh_from_db()
    assert kept.due_date == add_months(day, 12)
    services.release_retention(kept, actor=person("finance_manager"))
    assert services.date_defects(order, actor=system_user()) == 0
    assert Instalment.objects.get(pk=kept.pk).due_date == day


def test_the_end_has_come_and_it_is_invoiced_by_itself(finance2, monkeypatch):
    order = _planned(_clause(orders.started(orders.line(quantity=4)), months=1))
    order = _accepted(order)
    end = add_months(business_today(), 1)
    # Nobody invoiced the acceptance yet: on the last day both are due.
    assert {one.seq for one in Instalment.objects.to_invoice(end)} == {2, 3}
    assert {one.seq for one in Instalment.objects.to_invoice(end - dt.timedelta(days=1))} == {2}
    last = Instalment.objects.get(trigger="defects")
    Instalment.objects.filter(pk=last.pk).update(due_date=business_today())
    invoice = services.bill_instalment(Instalment.objects.get(seq=2, invoice=None), actor=finance2)
    assert {one.kind for one in invoice.instalments.all()} == {"normal"}
    assert invoice.due == D("333.20")


def test_without_a_period_nothing_waits_for_its_end(client_of, finance):
    order = orders.started(orders.line(quantity=4))
    data = {
        "method": "percent", "rows-TOTAL_FORMS": 2, "rows-INITIAL_FORMS": 0, "rows-0-value": "95",
        "rows-0-when": "acceptance", "rows-1-when": "defects", "rows-1-value": "5",
    }  # fmt: skip
    url = f"/billing/orders/{order.number}/plan/"
    answer = client_of(finance).post(url, data)
    assert answer.status_code == 422
    assert "how many months the defects period lasts" in answer.content.decode()
    assert not Instalment.objects.exists()
    with pytest.raises(ValidationError):
        services.defects_end(order)
    assert services.date_defects(order, actor=system_user()) == 0
    clause = {"rate_percent": "0", "per": "day", "grace_days": "0", "cap_percent": "", "defects_months": "24"}
    charges = f"/billing/orders/{order.number}/charges/"
    assert client_of(finance).post(charges, clause).status_code == 302
    assert client_of(finance).post(url, data).status_code == 302
    assert 'value="24"' in client_of(finance).get(charges).content.decode()
    assert 'value="defects" selected' in client_of(finance).get(url).content.decode()
    refused = client_of(finance).post(charges, clause | {"defects_months": ""})
    assert refused.status_code == 409
    assert "plan it anew first" in refused.content.decode()
    with pytest.raises(TransitionRefused):
        _clause(order, months=None)


def test_a_draft_bills_it_as_it_is_planned(finance2):
    order = _accepted(_planned(_clause(orders.started(orders.line(quantity=4)))))
    draft = services.draft_invoice(order, actor=finance2)
    shown = services.as_issued(draft, lambda one: [row.kind for row in one.instalments.order_by("seq")])
    assert shown == ["normal", "retention"]
    assert Invoice.objects.get(pk=draft.pk).instalments.count() == 0
