"""Charges and deductions: proposed by one, decided by another, billed once; penalties by the clause of the order."""

import datetime as dt
import re
import uuid
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import DatabaseError, transaction

from billing import services
from billing.models import Instalment, Invoice, OrderCharge, OrderClause
from billing.tasks import propose_late_delivery
from fulfilment.models import Rectification, Shipment
from fulfilment.services import complete_rectification, start_rectification
from ordermgmt.accounts.services import system_user
from ordermgmt.activity.models import Event
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.events import ORDER_ACCEPTED
from orders.models import Order
from tests.factories import billing, fulfilment, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
D = Decimal
CLAUSE = {"rate_percent": D("0.5"), "per": "day", "grace_days": 0, "cap_percent": D(5), "retention_apart": False}


def fresh(order):
    return Order.objects.get(pk=order.pk)


def holds():
    assert [str(one) for one in violations() if one.invariant.code[0] in "AMN"] == []


def add(order, kind="charge", net="50", who="finance", **given):
    given = {"tax_category": "S", "description": "Crane", "reason": "as agreed", "key": uuid.uuid4().hex} | given
    return services.add_charge(order, kind=kind, net=D(net), actor=person(who), **given)


def agreed(order, kind="charge", net="50", **given):
    return services.accept_charge(add(order, kind, net, **given), decision="right", actor=person("finance2"))


def late(*lines, days=10, examined=True, **header):
    """Shipped and accepted today, promised so many days ago."""
    today = business_today()
    header |= {"order_date": today - dt.timedelta(days=60), "promised_date": today - dt.timedelta(days=days)}
    order = orders.started(*(lines or [orders.line(quantity=4)]), **header)
    fulfilment.ship(order)
    if examined:
        fulfilment.examine(fresh(order))
    return fresh(order)


def test_works_from_the_pages(client_of, finance, finance2):
    order = orders.accepted()
    page = f"/billing/orders/{order.number}/charges/"
    url = f"/billing/orders/{order.number}/do/add-charge/"
    client = client_of(finance)
    assert client.get(url).status_code == 200
    data = {"kind": "charge", "net": "50.00", "tax_category": "S", "description": "Crane", "reason": "r", "key": "k"}
    assert client.post(url, data).status_code == 302
    assert client.post(url, data).status_code == 302
    charge = OrderCharge.objects.get()
    assert (charge.state, charge.tax, fresh(order).charges_total) == ("proposed", D("9.50"), 0)
    do = f"/billing/charges/{charge.pk}/do/accept/"
    assert client.post(do, {"decision": "mine"}).status_code == 409
    other = client_of(finance2)
    assert other.get(do).status_code == 200
    assert other.post(do, {"decision": ""}).status_code == 422
    assert other.post(do, {"decision": "as agreed", "version": charge.version}).status_code == 302
    assert fresh(order).charges_total == D("59.50")
    assert other.post(do, {"decision": "again"}).status_code == 409
    text = other.get(page).content.decode()
    assert "Crane" in text
    assert "On no document yet" in text
    holds()


def test_get_proposes_and_decides_nothing(client_of, finance, finance2):
    order = orders.accepted()
    client_of(finance).get(f"/billing/orders/{order.number}/do/add-charge/")
    assert not OrderCharge.objects.exists()
    charge = add(order)
    client_of(finance2).get(f"/billing/charges/{charge.pk}/do/accept/")
    assert OrderCharge.objects.get().state == "proposed"


def test_a_foreign_order_is_404_and_without_the_right_403(client_of, sales, sales2, pm):
    order = orders.accepted()
    charge = add(order)
    page = f"/billing/orders/{order.number}/charges/"
    assert client_of(sales2).get(page).status_code == 404
    assert client_of(sales2).post(f"/billing/charges/{charge.pk}/do/accept/", {"decision": "x"}).status_code == 404
    assert client_of(sales).get(page).status_code == 200
    assert client_of(sales).post(page, {"rate_percent": "1", "per": "day", "grace_days": "0"}).status_code == 403
    assert client_of(sales).post(f"/billing/charges/{charge.pk}/do/accept/", {"decision": "x"}).status_code == 403
    with pytest.raises(PermissionDenied):
        add(order, who="pm")


def test_bad_input_gets_a_sentence(finance):
    order = orders.accepted()
    for given in ({"net": "0"}, {"net": "1.005"}, {"tax_category": "X"}):
        with pytest.raises(ValidationError):
            add(order, **given)
    with pytest.raises(TransitionRefused, match="placed order"):
        add(orders.made())
    assert not OrderCharge.objects.exists()


def test_the_database_holds_it():
    charge = agreed(orders.accepted())
    for change in ({"net": D(1)}, {"state": "waived"}, {"decision": "other"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            OrderCharge.objects.filter(pk=charge.pk).update(**change)
    with pytest.raises(DatabaseError), transaction.atomic():
        OrderCharge.objects.filter(pk=charge.pk).delete()
    other = add(charge.order)
    with pytest.raises(DatabaseError), transaction.atomic():
        OrderCharge.objects.filter(pk=other.pk).update(state="waived", decided_by=other.asked_by, decision="x")


def test_they_stand_on_the_invoice_that_completes_the_order():
    order = orders.accepted()
    agreed(order, "charge", "50")
    agreed(order, "discount", "10.01", description="Goodwill")
    invoice = billing.issued(fresh(order))
    # 100.00 + 50.00 - 10.01 = 139.99; each tax by itself: 19.00 + 9.50 - 1.90
    assert (invoice.tax_basis, invoice.due) == (D("139.99"), D("166.59"))
    assert [(line.kind, line.net) for line in invoice.lines.all()] == [
        ("item", D(100)), ("charge", D(50)), ("charge", D("-10.01")),
    ]  # fmt: skip
    assert fresh(order).invoiced_total == fresh(order).final_gross == invoice.due
    assert services.open_charges(fresh(order)) == []
    holds()
    services.credit_invoice(invoice, reason="wrong", actor=person("finance"))
    assert [left for _one, left in services.open_charges(fresh(order))] == [D(50), D("-10.01")]
    assert billing.issued(fresh(order)).due == D("166.59")
    holds()


def test_a_draft_made_before_is_out_of_date():
    order = orders.accepted()
    draft = billing.drafted(order)
    agreed(order, "discount", "10")
    with pytest.raises(TransitionRefused, match="moved since"):
        services.issue_invoice(draft, actor=person("finance2"))


def test_after_the_last_invoice_a_debit_note_and_a_credit_note(client_of, finance, finance2):
    order = orders.accepted()
    invoice = billing.issued(order)
    billing.pay(invoice)
    agreed(order, "bonus", "30")
    agreed(order, "penalty", "20", who="finance_manager", description="Late")
    note = services.bill_charges(fresh(order), actor=finance2)
    assert (note.kind, note.due, note.references.get().original) == ("debit_note", D("35.70"), invoice)
    url = f"/billing/orders/{order.number}/do/credit-charges/"
    assert client_of(finance2).post(url, {}).status_code == 409  # issued both documents
    answer = client_of(finance).post(url, {"version": fresh(order).version})
    assert answer.status_code == 302
    credit = Invoice.objects.get(kind="credit_note")
    assert (credit.tax_basis, credit.due, credit.issued_by) == (D(20), D("23.80"), finance)
    assert Invoice.objects.get(pk=note.pk).credited == D("23.80")  # the open document first
    order = fresh(order)
    assert order.invoiced_total == order.final_gross == D("130.90")
    with pytest.raises(TransitionRefused):
        services.credit_charges(order, actor=finance)
    holds()


def test_what_was_paid_beyond_a_deduction_becomes_credit(finance):
    order = orders.accepted()
    invoice = billing.issued(order)
    payment = billing.pay(invoice)
    agreed(order, "penalty", "20", who="finance_manager")
    services.credit_charges(fresh(order), actor=finance)
    payment.refresh_from_db()
    assert payment.unallocated == D("23.80")
    with pytest.raises(TransitionRefused, match="not credited as a whole"):
        services.credit_invoice(Invoice.objects.get(pk=invoice.pk), reason="x", actor=finance)
    holds()


def test_deductions_above_the_documents_are_refused(finance):
    order = orders.accepted()
    agreed(order, "penalty", "500", who="finance_manager")
    with pytest.raises(TransitionRefused, match="exceed"):
        services.credit_charges(fresh(order), actor=finance)
    invoice = billing.issued(fresh(order))
    assert invoice.due == D("119.00")  # the deduction waits: the invoice would come to less than nothing
    holds()


def test_a_plan_keeps_its_sum():
    order = orders.accepted()
    rows = [services.PlanRow(D(60), business_today()), services.PlanRow(None, business_today())]
    services.plan_instalments(order, rows=rows, actor=person("finance"))
    first = fresh(order).plans.get().instalments.first()
    agreed(order, "charge", "10")
    billing.issued(fresh(order), instalment=first)
    note = services.bill_charges(fresh(order), actor=person("finance2"))
    assert [one.amount for one in note.instalments.all()] == [D("11.90")]
    assert services.left_to_plan(fresh(order)) == D("59.00")
    holds()
    billing.issued(fresh(order), instalment=fresh(order).plans.get().instalments.get(invoice=None))
    assert fresh(order).invoiced_total == D("130.90")
    assert services.left_to_plan(fresh(order)) == 0
    holds()


def test_a_deduction_leaves_nothing_of_the_plan_over(finance, finance2):
    order = orders.accepted()
    rows = [services.PlanRow(D(60), business_today()), services.PlanRow(None, business_today())]
    services.plan_instalments(order, rows=rows, actor=finance)
    agreed(order, "discount", "10")
    for one in fresh(order).plans.get().instalments.order_by("seq"):
        billing.issued(fresh(order), instalment=one)
    assert fresh(order).invoiced_total == D("107.10")
    assert not Instalment.objects.planned().exists()
    assert not list(services.planned_at(business_today(), Order.objects.all()))
    assert services.left_to_plan(fresh(order)) == 0
    holds()


class TestPenalty:
    def test_proposed_by_the_clause_and_shown_line_by_line(self, client_of, finance, finance2):
        order = late(orders.line(quantity=4))
        services.set_clause(order, actor=finance, **CLAUSE)
        charge = OrderCharge.objects.get()
        assert (charge.kind, charge.net, charge.asked_by) == ("penalty", D("20.00"), system_user())
        row = charge.computation[0]
        assert (row["days"], row["basis"], row["uncapped"], row["amount"]) == (10, "400.00", "20.00", "20.00")
        page = client_of(finance).get(f"/billing/orders/{order.number}/charges/").content.decode()
        assert "10 × 0.5 %" in page
        services.accept_charge(charge, decision="late by our fault", actor=finance)
        invoice = billing.issued(fresh(order))
        assert invoice.due == D("452.20")  # (400 - 20) x 1.19
        assert "10 × 0.5 % × 400.00 = 20.00" in invoice.lines.get(kind="charge").details
        holds()

    def test_goods_that_replace_rejected_ones_are_not_late_a_second_time(self, finance):
        order = late(orders.line(quantity=4), examined=False)
        fulfilment.examine(fresh(order), 4)
        task = start_rectification(
            Rectification.objects.get(), remedy="replace", owner=person("warehouse"), due=business_today(), actor=person("pm")
        )  # fmt: skip
        complete_rectification(task, result="new ones sent", faulty="scrap", actor=person("pm"))
        assert Shipment.objects.count() == 2
        services.set_clause(fresh(order), actor=finance, **CLAUSE)
        charge = OrderCharge.objects.get()
        assert (len(charge.computation), charge.net) == (1, D("20.00"))  # 4 pieces, 10 days; the cap is 5 % of 400.00

    def test_the_cap_the_grace_and_weeks(self, finance):
        order = late(orders.line(quantity=4), days=20)
        services.set_clause(order, actor=finance, **CLAUSE)
        assert OrderCharge.objects.get().net == D("20.00")  # 5 % instead of 10 %
        services.set_clause(order, actor=finance, **(CLAUSE | {"per": "week", "rate_percent": D(1)}))
        assert OrderCharge.objects.get().net == D("12.00")  # three weeks begun
        services.set_clause(order, actor=finance, **(CLAUSE | {"grace_days": 20}))
        assert not OrderCharge.objects.exists()
        assert Event.objects.filter(type="billing.charge_withdrawn").count() == 1

    def test_it_follows_the_arrival_until_it_is_decided(self, finance):
        order = late(orders.line(quantity=4))
        services.set_clause(order, actor=finance, **CLAUSE)
        Shipment.objects.update(delivered_on=business_today() - dt.timedelta(days=4), received_by="gate")
        services.propose_penalties(fresh(order))
        charge = OrderCharge.objects.get()
        assert charge.net == D("12.00")
        services.waive_charge(charge, decision="agreed by mail", actor=finance)
        Shipment.objects.update(delivered_on=business_today())
        assert services.propose_penalties(fresh(order)) == []
        assert (OrderCharge.objects.get().state, fresh(order).charges_total) == ("waived", 0)

    def test_the_worker_proposes_once_all_is_delivered(self, sales):
        order = late(orders.line(quantity=4))
        services.set_clause(orders.made(), actor=sales, **CLAUSE)
        assert not OrderCharge.objects.exists()
        services.set_clause(order, actor=person("finance"), **(CLAUSE | {"rate_percent": D(0)}))
        order.clause.rate_percent = D("0.1")
        order.clause.save()
        event = Event.objects.filter(type=ORDER_ACCEPTED.name).latest("pk")
        propose_late_delivery(event)
        propose_late_delivery(event)
        assert OrderCharge.objects.get().net == D("4.00")

    def test_in_time_costs_nothing(self, finance):
        order = late(orders.line(quantity=4), days=0)
        services.set_clause(order, actor=finance, **CLAUSE)
        assert not OrderCharge.objects.exists()

    def test_the_page_keeps_the_clause(self, client_of, finance):
        order = orders.accepted()
        page = f"/billing/orders/{order.number}/charges/"
        data = {"rate_percent": "0.5", "per": "day", "grace_days": "3", "cap_percent": "5", "retention_apart": "on"}
        assert client_of(finance).post(page, data | {"rate_percent": "101"}).status_code == 422
        assert client_of(finance).post(page, data).status_code == 302
        assert services.clause_of(order).retention_apart


def test_a_clause_that_somebody_set_meanwhile_is_not_overwritten(client_of, finance):
    order = orders.placed()
    url, client = f"/billing/orders/{order.number}/charges/", client_of(finance)
    sent = {"rate_percent": "1", "per": "day", "grace_days": "0", "cap_percent": ""}
    for place, rate in enumerate(("1", "2")):
        found = re.search(r'name="version"[^>]*value="(\d+)"', client.get(url).content.decode())
        assert found
        assert found[1] == str(place)
        seen = {"version": found[1]}
        assert client.post(url, sent | {"rate_percent": rate} | seen).status_code == 302
        page = client.post(url, sent | {"rate_percent": "9"} | seen)
        assert page.status_code == 409
        assert "meanwhile" in page.content.decode()
    assert OrderClause.objects.get(order=order).rate_percent == 2
