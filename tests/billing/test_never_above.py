"""M3: an order is never invoiced above its total, whoever drafts, issues or changes it, and in whatever order."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from billing import services
from billing.models import Instalment, Invoice
from changes.services import Op, apply_change
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order
from orders.services import note_invoiced
from tests.factories import billing, changes, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
D = Decimal
MONEY = ["M1", "M3", "M5", "M6", "M7"]


@pytest.fixture
def order() -> Order:
    """1,190.00: ten pieces at 100.00, made to order."""
    return orders.started(orders.line(quantity=10, supply="make"))


def now(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def _planned(order: Order, *values: str) -> list[Instalment]:
    day = business_today()
    rows = [services.PlanRow(D(value) if value else None, day + dt.timedelta(days=n)) for n, value in enumerate(values)]
    services.plan_instalments(order, rows=rows, actor=person("finance"))
    return list(Instalment.objects.filter(plan__order=order, plan__is_active=True).order_by("seq"))


def _wrong() -> list[str]:
    return [str(one) for one in violations(MONEY)]


def _price(order: Order, price: str) -> Op:
    return Op("price", order.order_lines[0].pk, price)


def test_a_draft_of_an_instalment_stands_before_the_draft_of_everything(order: Order) -> None:
    first, _second = _planned(order, "595", "595")
    held = billing.drafted(order, instalment=first)
    with pytest.raises(TransitionRefused, match=r"595\.00 EUR more") as refused:
        billing.drafted(now(order))
    assert str(held) in str(refused.value)
    services.issue_invoice(held, actor=person("finance2"))
    assert billing.issued(now(order)).due == 595
    assert now(order).invoiced_total == now(order).gross_total == 1190
    assert _wrong() == []


def test_nor_is_an_instalment_drafted_beside_everything(order: Order) -> None:
    first, _second = _planned(order, "595", "595")
    billing.drafted(order)
    with pytest.raises(TransitionRefused, match="issue or delete"):
        billing.drafted(now(order), instalment=first)


def test_a_part_beside_an_instalment_is_drafted_as_long_as_both_fit(order: Order) -> None:
    first, _second = _planned(order, "595", "595")
    billing.drafted(order, instalment=first)
    line = order.order_lines[0].pk
    billing.drafted(now(order), quantities={line: D(5)})
    with pytest.raises(TransitionRefused, match="more would be invoiced"):
        billing.drafted(now(order), quantities={line: D(1)})


@pytest.fixture
def both(order: Order) -> tuple[Invoice, Invoice]:
    """A draft over an instalment and one over everything, as they stood before drafts looked at each other."""
    first, _second = _planned(order, "595", "595")
    line = order.order_lines[0].pk
    deposit = billing.drafted(order, instalment=first)
    part = billing.drafted(now(order), quantities={line: D(5)})
    whole = services.edit_draft(part, version=part.version, quantities={line: D(10)}, actor=person("finance2"))
    return deposit, whole


def test_of_two_drafts_that_are_too_much_together_the_second_is_not_issued(both: Any) -> None:
    deposit, whole = both
    services.issue_invoice(whole, actor=person("finance2"))
    with pytest.raises(TransitionRefused, match=r"595\.00 EUR too much"):
        services.issue_invoice(deposit, actor=person("finance2"))
    assert now(whole.order).invoiced_total == 1190
    assert _wrong() == []


def test_nor_in_bulk(client_of: Any, finance2: Any, both: Any) -> None:
    deposit, whole = both
    sent = {"action": "issue", "selected": [whole.pk, deposit.pk], "confirmed": "1"}
    page = client_of(finance2).post("/billing/work/drafts/", sent).content.decode()
    assert page.count("Done") == 1
    assert "595.00 EUR too much" in page
    assert _wrong() == []


def test_a_change_does_not_go_below_an_issued_instalment(order: Order) -> None:
    first, _second = _planned(order, "595", "595")
    services.bill_instalment(first, actor=person("finance2"))
    with pytest.raises(ValidationError, match=r"595\.00 EUR is invoiced.*357\.00.*credit"):
        changes.asked(now(order), _price(order, "30"))
    changes.applied(now(order), _price(order, "50"))
    assert now(order).gross_total == now(order).invoiced_total == 595
    assert _wrong() == []


def test_an_accepted_charge_counts_for_the_order(order: Order, finance: Any, finance2: Any) -> None:
    first, _second = _planned(order, "595", "595")
    services.bill_instalment(first, actor=finance2)
    charge = services.add_charge(
        now(order), kind="charge", net=D(100), tax_category="S", description="Crane", reason="asked for", key="a",
        actor=finance,
    )  # fmt: skip
    with pytest.raises(ValidationError, match="credit"):
        changes.asked(now(order), _price(order, "40"))
    services.accept_charge(charge, decision="agreed", actor=finance2)
    changes.asked(now(order), _price(order, "40"))
    with pytest.raises(ValidationError, match="credit"):
        changes.asked(now(order), _price(order, "39"))


def test_a_deduction_on_a_document_does_not_make_room(order: Order, finance: Any, finance2: Any) -> None:
    first, _second = _planned(order, "595", "595")
    services.bill_instalment(first, actor=finance2)
    charge = services.add_charge(
        now(order), kind="discount", net=D(100), tax_category="S", description="Goodwill", reason="asked", key="a",
        actor=finance2,
    )  # fmt: skip
    services.accept_charge(charge, decision="agreed", actor=person("finance_manager"))
    services.credit_charges(now(order), actor=finance)
    with pytest.raises(ValidationError, match=r"476\.00 EUR is invoiced"):
        changes.asked(now(order), _price(order, "49.99"))
    changes.asked(now(order), _price(order, "50"))


def test_drafts_of_instalments_follow_a_change_downwards(order: Order) -> None:
    first, _second = _planned(order, "595", "595")
    billing.drafted(order, instalment=first)
    changes.applied(now(order), _price(order, "30"))
    assert not Invoice.objects.exists()
    assert [one.amount for one in Instalment.objects.filter(plan__is_active=True)] == [D(357)]
    assert (now(order).draft_invoices, now(order).planned_amount) == (0, D(357))
    assert _wrong() == []


def test_a_draft_of_an_instalment_that_still_fits_stays(order: Order) -> None:
    first, _second = _planned(order, "595", "595")
    held = billing.drafted(order, instalment=first)
    changes.applied(now(order), _price(order, "80"))
    assert Invoice.objects.get() == held
    assert [one.amount for one in Instalment.objects.order_by("seq")] == [595, 357]
    assert now(order).planned_amount == 952
    assert _wrong() == []


def test_operations_are_looked_at_together(order: Order) -> None:
    line = order.order_lines[0].pk
    billing.issued(order, quantities={line: D(5)})
    fewer, cheaper = Op("quantity", line, "5"), _price(order, "60")
    changes.asked(now(order), fewer)
    changes.asked(now(order), cheaper)
    with pytest.raises(ValidationError, match="credit the invoice first"):
        changes.asked(now(order), fewer, cheaper)


def test_nor_does_one_line_hide_behind_another() -> None:
    order = orders.started(orders.line(quantity=10, supply="make"), orders.line(quantity=10, supply="make"))
    line = order.order_lines[0].pk
    billing.issued(order, quantities={line: D(5)})
    changes.applied(now(order), _price(order, "60"))
    with pytest.raises(ValidationError, match=r"Line 1: .*500\.00"):
        changes.asked(now(order), Op("quantity", line, "5"))


def test_an_opening_balance_is_at_most_the_order(order: Order) -> None:
    given = {"customer": order.customer, "issue_date": business_today(), "order": order, "actor": person("finance2")}
    with pytest.raises(ValidationError, match=r"0\.01"):
        services.open_balance(amount=D("1190.01"), source_key="old/1", **given)
    services.open_balance(amount=D("1190"), source_key="old/2", **given)


def test_the_database_holds_the_counter(order: Order, finance: Any, finance2: Any) -> None:
    def refused(**values: Any) -> None:
        with pytest.raises(DatabaseError, match="above its total"), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(**values)

    refused(invoiced_total=D("1190.01"))
    with pytest.raises(DatabaseError, match="above its total"), transaction.atomic():
        note_invoiced(order, amount=D(2000), actor=finance)
    billing.issued(order)
    refused(invoiced_total=D("1190.01"))
    charge = services.add_charge(
        now(order), kind="charge", net=D(100), tax_category="S", description="Crane", reason="asked for", key="a",
        actor=finance,
    )  # fmt: skip
    refused(invoiced_total=D("1190.01"))
    services.accept_charge(charge, decision="agreed", actor=finance2)
    Order.objects.filter(pk=order.pk).update(invoiced_total=D("1309"))
    refused(invoiced_total=D("1309.01"))


def test_the_database_holds_the_total(monkeypatch: Any, order: Order) -> None:
    first, _second = _planned(order, "595", "595")
    services.bill_instalment(first, actor=person("finance2"))
    monkeypatch.setattr("changes.services.operations.under_invoiced", lambda *_given: [])
    change = changes.approved(now(order), _price(order, "49.99"))
    with pytest.raises(DatabaseError, match="above its total"), transaction.atomic():
        apply_change(change, actor=person("pm"))
    changes.applied(now(order), _price(order, "50"))
