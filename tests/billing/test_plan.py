"""`plan_instalments`, and invoices by instalment."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from billing import services
from billing.models import Instalment, InstalmentPlan
from billing.services import composing
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from ordermgmt.lib.money import total
from orders.models import Order
from orders.services import place_order
from tests.factories import billing, orders

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 1, 31)


def _rows(*values, deposit=False):
    return [
        services.PlanRow(
            Decimal(value) if value else None, DAY + dt.timedelta(days=place), deposit=deposit and place == 0
        )
        for place, value in enumerate(values)
    ]


def _post(*values):
    data = {"method": "fixed", "rows-TOTAL_FORMS": len(values), "rows-INITIAL_FORMS": 0}
    for place, value in enumerate(values):
        data |= {f"rows-{place}-value": value, f"rows-{place}-due_date": str(DAY + dt.timedelta(days=place))}
    return data


def test_works(client_of, sales):
    order = orders.made()
    answer = client_of(sales).post(f"/billing/orders/{order.number}/plan/", _post("40", "79"))
    assert answer.status_code == 302
    order = Order.objects.get(pk=order.pk)
    assert order.planned_amount == order.gross_total == total(one.amount for one in Instalment.objects.all())


def test_get_plans_nothing(client_of, sales):
    order = orders.made()
    assert client_of(sales).get(f"/billing/orders/{order.number}/plan/").status_code == 200
    assert not InstalmentPlan.objects.exists()


def test_a_foreign_order_is_404(client_of, sales2):
    order = orders.made()
    assert client_of(sales2).post(f"/billing/orders/{order.number}/plan/", _post("119")).status_code == 404


def test_without_the_right_403(client_of, manager):
    order = orders.placed()
    assert client_of(manager).post(f"/billing/orders/{order.number}/plan/", _post("119")).status_code == 403
    with pytest.raises(PermissionDenied):
        services.plan_instalments(order, rows=_rows("119"), actor=manager)


def test_a_second_plan_replaces_and_keeps_the_first(sales):
    order = orders.made()
    services.plan_instalments(order, rows=_rows("40", ""), actor=sales)
    services.plan_instalments(order, rows=_rows("60", ""), actor=sales)
    old, new = InstalmentPlan.objects.order_by("pk")
    assert (old.is_active, new.is_active) == (False, True)
    assert old.content[0]["amount"] == "40.00"
    assert [one.amount for one in Instalment.objects.order_by("seq")] == [Decimal(60), Decimal(59)]


@pytest.mark.parametrize("values", [("40", "78.99"), ("40", "79.01"), ("119", ""), ("-1", "120")])
def test_m5_a_plan_that_does_not_add_up_is_refused(client_of, sales, values):
    order = orders.made()
    with pytest.raises(ValidationError):
        services.plan_instalments(order, rows=_rows(*values), actor=sales)
    answer = client_of(sales).post(f"/billing/orders/{order.number}/plan/", _post(*values))
    assert answer.status_code == 422
    assert not InstalmentPlan.objects.exists()


def test_dates_follow_each_other(sales):
    order = orders.made()
    with pytest.raises(ValidationError, match="follow"):
        services.plan_instalments(order, rows=_rows("40", "79")[::-1], actor=sales)


def test_percentages_are_exact(sales):
    order = orders.made()
    services.plan_instalments(order, rows=_rows("33.3", "33.3", "33.4"), method="percent", actor=sales)
    assert [one.amount for one in Instalment.objects.order_by("seq")] == [
        Decimal("39.63"), Decimal("39.63"), Decimal("39.74"),
    ]  # fmt: skip


def test_equal_monthly_rows_are_filled_in(client_of, sales):
    order = orders.made()
    data = {"preview": "1", "parts": "3", "first": "2026-01-31"}
    page = client_of(sales).post(f"/billing/orders/{order.number}/plan/", data).content.decode()
    for text in ("39.67", "39.66", "2026-02-28", "2026-03-31"):
        assert text in page


def test_a_plan_is_taken_away(client_of, sales):
    order = orders.made()
    services.plan_instalments(order, rows=_rows("40", ""), actor=sales)
    client_of(sales).post(f"/billing/orders/{order.number}/plan/", {"remove": "1"})
    order = Order.objects.get(pk=order.pk)
    assert order.planned_amount is None
    assert not Instalment.objects.exists()


def test_a_closed_order_is_not_planned(sales):
    with pytest.raises(TransitionRefused):
        services.plan_instalments(orders.cancelled(), rows=_rows("119"), actor=sales)


def test_a_deposit_is_due_before_the_start(sales):
    order = orders.made()
    services.plan_instalments(order, rows=_rows("40", "", deposit=True), actor=sales)
    assert Order.objects.get(pk=order.pk).deposit_due == 40


def test_its_label_is_printed_on_the_invoice(sales, finance):
    order = orders.made(orders.line(supply="make"))
    rows = [services.PlanRow(Decimal(30), DAY, deposit=True, label="Down 50% payment"), services.PlanRow(None, DAY)]
    services.plan_instalments(order, rows=rows, method="percent", actor=sales)
    place_order(Order.objects.get(pk=order.pk), actor=sales)
    first, second = Instalment.objects.order_by("seq")
    for one, words in ((first, "Down 50% payment: instalment 1 of 2"), (second, "Instalment 2 of 2")):
        composition = composing.compose_deposit(order, one, 2)
        assert [line.description for line in composition.lines] == [f"{words} for order {order.number}"]


def test_instalments_are_invoiced_one_by_one_and_the_last_takes_them_off(sales, finance2):
    order = orders.made(orders.line(supply="make"), billing.free_line(1, "0.07", tax_category="R"))
    services.plan_instalments(order, rows=_rows("30", "60", "10"), method="percent", actor=sales)
    place_order(Order.objects.get(pk=order.pk), actor=sales)
    for one in list(Instalment.objects.order_by("seq")):
        draft = billing.drafted(Order.objects.get(pk=order.pk), instalment=one)
        invoice = services.issue_invoice(draft, actor=finance2)
        one.refresh_from_db()
        assert one.invoice == invoice
        assert invoice.due == one.amount
    order = Order.objects.get(pk=order.pk)
    assert order.invoiced_total == order.gross_total
    assert invoice.kind == "final"
    assert invoice.references.count() == 2
    assert total(one.net for one in invoice.lines.filter(kind="deduction")) < 0


def test_an_invoice_takes_the_plan_in_order_and_cuts_it(sales):
    order = orders.accepted(orders.line(quantity=2, supply="make"))
    services.plan_instalments(order, rows=_rows("100", ""), actor=sales)
    billing.issued(order, quantities={order.order_lines[0].pk: Decimal(1)})
    rows = Instalment.objects.order_by("seq", "pk")
    assert [(one.amount, one.invoice_id is not None) for one in rows] == [
        (Decimal(100), True), (Decimal(19), True), (Decimal(119), False),
    ]  # fmt: skip


def test_an_instalment_whose_day_went_by_is_due_after_the_usual_days(sales):
    """Nothing is overdue on the day it is issued."""
    order = orders.placed(orders.line(quantity=4))
    today = business_today()
    days = [today - dt.timedelta(days=27), today + dt.timedelta(days=5)]
    rows = [services.PlanRow(Decimal("100"), days[0]), services.PlanRow(order.gross_total - 100, days[1])]
    services.plan_instalments(order, rows=rows, method="fixed", actor=sales)
    invoice = billing.issued(order)
    due = [one.due_date for one in invoice.instalments.order_by("seq")]
    assert due == [today + dt.timedelta(days=invoice.payment_days), days[1]]
    assert invoice.due_date == days[1] > today


def test_what_is_invoiced_stays_when_the_rest_is_planned_anew(sales):
    order = orders.accepted(orders.line(quantity=2, supply="make"))
    billing.issued(order, quantities={order.order_lines[0].pk: Decimal(1)})
    plan = services.plan_instalments(order, rows=_rows("19", ""), actor=sales)
    assert [one.amount for one in plan.instalments.order_by("seq")] == [Decimal(19), Decimal(100)]
    assert Order.objects.get(pk=order.pk).planned_amount == order.gross_total


def _violated():
    return [one for one in violations() if one.invariant.code[0] in "AMN"]


@pytest.mark.parametrize("removed", [False, True])
def test_the_instalment_of_a_deleted_draft_is_in_the_plan_in_force(finance, finance2, removed):
    order = orders.accepted()
    services.plan_instalments(order, rows=_rows("60", ""), actor=finance)
    held = billing.drafted(order, instalment=Instalment.objects.get(seq=1))
    if removed:
        services.plan_instalments(order, rows=[], actor=finance)
    services.plan_instalments(order, rows=_rows("29", ""), actor=finance)
    services.delete_draft(held, actor=finance2)
    waiting = Instalment.objects.planned().order_by("seq")
    assert [one.amount for one in waiting] == [60, 29, 30]
    assert Order.objects.get(pk=order.pk).planned_amount == order.gross_total
    assert _violated() == []
    for one in waiting:
        services.bill_instalment(one, actor=finance2)
    assert Order.objects.get(pk=order.pk).invoiced_total == order.gross_total
    assert _violated() == []


def test_a_deleted_draft_without_a_plan_leaves_none(finance, finance2):
    order = orders.accepted()
    services.plan_instalments(order, rows=_rows("60", ""), actor=finance)
    held = billing.drafted(order, instalment=Instalment.objects.get(seq=1))
    services.plan_instalments(order, rows=[], actor=finance)
    services.delete_draft(held, actor=finance2)
    assert not Instalment.objects.planned().exists()
    assert Order.objects.get(pk=order.pk).planned_amount is None
    assert billing.issued(Order.objects.get(pk=order.pk)).due == order.gross_total
    assert _violated() == []


def _seen(page):
    found = re.search(r'name="seen"[^>]*value="(\d+)"', page.content.decode())
    assert found
    return {"seen": found[1]}


@pytest.mark.parametrize("before", [False, True])
def test_a_plan_that_somebody_replaced_meanwhile_is_not_overwritten(client_of, sales, before):
    order = orders.made()
    if before:
        services.plan_instalments(order, rows=_rows("40", ""), actor=sales)
    url, client = f"/billing/orders/{order.number}/plan/", client_of(sales)
    seen = _seen(client.get(url))
    services.plan_instalments(order, rows=_rows("60", ""), actor=sales)
    page = client.post(url, _post("50", "69") | seen)
    assert page.status_code == 409
    assert "another plan" in page.content.decode()
    assert client.post(url, {"remove": "1"} | seen).status_code == 409
    assert [one.amount for one in Instalment.objects.planned().order_by("seq")] == [60, 59]
    filled = client.post(url, {"preview": "1", "parts": "3", "first": "2026-01-31"})
    assert client.post(url, _post("50", "69") | _seen(filled)).status_code == 302
    assert client.post(url, {"remove": "1"} | _seen(client.get(url))).status_code == 302


def test_months_beyond_the_calendar_get_a_sentence(client_of, sales):
    order = orders.made()
    data = {"preview": "1", "parts": "36", "first": "9999-12-01"}
    answer = client_of(sales).post(f"/billing/orders/{order.number}/plan/", data)
    assert answer.status_code == 200
    assert "after the year 9999" in answer.content.decode()
