"""A change moves a price that is billed already: finance credits the document and bills the same at the new price."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from billing.models import Invoice
from billing.services import (
    PlanRow,
    correct_invoice,
    credit_invoice,
    draft_invoice,
    invoices_to_correct,
    issue_invoice,
    plan_instalments,
)
from changes.services import Op
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from tests.factories import billing
from tests.factories.changes import applied
from tests.factories.orders import line, person, started

pytestmark = pytest.mark.django_db
D = Decimal


@pytest.fixture
def order() -> Order:
    return started(line(quantity=10, supply="make"), line("SKU-1", 90, supply="make"))


def now(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def repriced(order: Order, price: str = "110") -> Any:
    return applied(now(order), Op("price", order.order_lines[0].pk, price))


def listed(order: Order) -> list[Invoice]:
    return list(invoices_to_correct(Invoice.objects.filter(order=order)))


@pytest.mark.parametrize(("price", "difference"), [("100.01", "0.10"), ("112.50", "125")])
def test_credited_and_billed_again(order: Order, price: str, difference: str) -> None:
    invoice = billing.issued(order)
    assert listed(order) == []
    change = repriced(order, price)
    assert [one.pk for one in listed(order)] == [invoice.pk]
    assert listed(order)[0].difference == D(difference)
    assert now(order).invoiced_total != now(order).gross_total
    draft = correct_invoice(invoice, reason=change.number, actor=person("finance"))
    first = order.order_lines[0]
    assert [(one.order_line_id, one.quantity, one.unit_price) for one in draft.lines.all()] == [
        (first.pk, 10, D(price))
    ]
    credit = Invoice.objects.get(kind="credit_note")
    assert (credit.reason, [(one.quantity, one.unit_price) for one in credit.lines.all()]) == (
        change.number,
        [(10, 100)],
    )
    assert listed(order) == []
    issue_invoice(draft, actor=person("finance2"))
    assert now(order).invoiced_total == now(order).gross_total
    assert [str(one) for one in violations(["M1", "M2", "M3", "M6", "T1", "A3"])] == []


def test_who_issued_it_does_not_correct_it_and_nothing_is_written(order: Order) -> None:
    invoice = billing.issued(order)
    repriced(order)
    with pytest.raises(TransitionRefused, match="somebody else"):
        correct_invoice(invoice, reason="x", actor=person("finance2"))
    with pytest.raises(PermissionDenied):
        correct_invoice(invoice, reason="x", actor=person("pm"))
    assert Invoice.objects.count() == 1


def test_nothing_to_correct(order: Order) -> None:
    invoice = billing.issued(order)
    with pytest.raises(TransitionRefused, match="nothing to correct"):
        correct_invoice(invoice, reason="x", actor=person("finance"))
    repriced(order)
    correct_invoice(invoice, reason="x", actor=person("finance"))
    with pytest.raises(TransitionRefused, match="nothing to correct"):
        correct_invoice(invoice, reason="x", actor=person("finance"))


def test_only_what_is_left_of_a_part_invoice(order: Order) -> None:
    first = order.order_lines[0]
    draft = draft_invoice(order, quantities={first.pk: D(4)}, actor=person("finance2"))
    invoice = issue_invoice(draft, actor=person("finance2"))
    credit_invoice(invoice, quantities={invoice.lines.get().pk: D(1)}, reason="one came back", actor=person("finance"))
    repriced(order, "90")
    assert listed(order)[0].difference == D(-30)
    again = correct_invoice(invoice, reason="x", actor=person("finance"))
    assert [(one.quantity, one.unit_price) for one in again.lines.all()] == [(3, 90)]


def test_a_price_below_what_is_billed_needs_the_credit_note_first(order: Order) -> None:
    billing.issued(order)
    with pytest.raises(ValidationError, match="credit the invoice first"):
        repriced(order, "90")


def test_after_instalments_the_whole_final_invoice(order: Order) -> None:
    today = business_today()
    plan_instalments(order, rows=[PlanRow(D(1000), today), PlanRow(None, today)], actor=person("finance"))
    rows = list(order.plans.get(is_active=True).instalments.order_by("seq"))
    for row in rows:
        draft = draft_invoice(now(order), instalment=row, actor=person("finance2"))
        final = issue_invoice(draft, actor=person("finance2"))
    assert final.kind == "final"
    repriced(order)
    assert listed(order) == [final]
    draft = correct_invoice(final, reason="x", actor=person("finance"))
    assert Invoice.objects.get(pk=final.pk).state == "cancelled"
    issue_invoice(draft, actor=person("finance2"))
    assert now(order).invoiced_total == now(order).gross_total
    assert [str(one) for one in violations(["M1", "M2", "M3", "M6", "A3"])] == []


def test_the_pages_lead_there(client_of: Any, finance: Any, order: Order) -> None:
    invoice = billing.issued(order)
    change = repriced(order)
    client = client_of(finance)
    assert str(invoice.number) in client.get("/billing/work/corrections/").content.decode()
    assert "To correct" in client.get("/billing/").content.decode()
    assert str(invoice.number) in client.get(change.get_absolute_url()).content.decode()
    assert "billed already" in client.get(order.get_absolute_url()).content.decode()
    url = f"{invoice.get_absolute_url()}do/correct/"
    assert url in client.get(invoice.get_absolute_url()).content.decode()
    assert client.get(url).status_code == 200
    assert client.post(url, {"reason": ""}).status_code == 422
    answer = client.post(url, {"reason": "Price as agreed"})
    assert answer.status_code == 302
    draft = Invoice.objects.drafts().get()
    assert answer.url == draft.get_absolute_url()
    assert client.post(url, {"reason": "again"}).status_code in (403, 404, 409)
    assert str(invoice.number) not in client.get("/billing/work/corrections/").content.decode()
