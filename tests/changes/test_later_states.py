"""Changes of shipped orders and of orders in rectification: new lines, concessions, what is not delivered yet."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from changes.services import Op, apply_change
from fulfilment.models import MaterialNeed
from fulfilment.services import ship_order
from ordermgmt.lib.fsm import TransitionRefused
from ordermgmt.lib.invariants import violations
from orders.models import Order, OrderAmendment
from orders.services import accept_order, extend_order, note_accepted, note_rectified, redeliver_order
from tests.factories import orders as make
from tests.factories.changes import agreed, applied, approved, asked, assessed
from tests.factories.orders import line, person

pytestmark = pytest.mark.django_db
NEW = {"description": "Spare part", "quantity": "2", "unit_price": "15", "supply": "buy", "promised_date": "2999-01-01"}


def again(order):
    return Order.objects.get(pk=order.pk)


def ship(order, key="again"):
    quantities = {one.pk: one.qty_to_ship for one in order.order_lines if one.qty_to_ship > 0}
    return ship_order(again(order), quantities=quantities, key=key, actor=person("warehouse"))


@pytest.fixture(params=["shipped", "rectification"])
def delivered(request):
    return make.BY_STATE[request.param](line(quantity=10, supply="make"), line("SKU-1", 4, supply="make"))


class TestAllowed:
    @pytest.mark.parametrize(
        ("operation", "sentence"),
        [
            (lambda pk: Op("quantity", pk, "12"), "a new line"),
            (lambda pk: Op("quantity", pk, "3"), "All of it is delivered"),
            (lambda pk: Op("description", pk, "other"), "All of it is delivered"),
            (lambda pk: Op("specification", pk, {}), "All of it is delivered"),
            (lambda pk: Op("line_date", pk, "2999-01-01"), "All of it is delivered"),
            (lambda pk: Op("remove", pk), "All of it is delivered"),
            (lambda pk: Op("promised_date", after="2999-01-01"), "nothing to promise"),
            (lambda pk: Op("terminate", after={}), "not possible any more"),
        ],
    )  # fmt: skip
    def test_what_is_delivered_stays(self, delivered, operation, sentence):
        with pytest.raises(ValidationError, match=sentence):
            asked(delivered, operation(delivered.order_lines[1].pk))

    def test_a_concession_on_what_is_delivered(self, delivered):
        state, net = delivered.state, delivered.net_total
        applied(delivered, Op("discount", delivered.order_lines[0].pk, "10"))
        assert (again(delivered).state, again(delivered).net_total < net) == (state, True)

    def test_after_acceptance_only_money(self):
        order = make.accepted()
        with pytest.raises(ValidationError, match="not possible any more"):
            asked(order, Op("add", after=NEW))


class TestShipped:
    def test_a_new_line_takes_up_the_work_until_it_is_shipped_too(self):
        order = make.shipped(line(quantity=10, supply="make"))
        change = applied(order, Op("add", after=NEW), Op("promised_date", after="2999-01-01"))
        order = again(order)
        assert (change.state, order.state, order.order_lines[1].qty_to_ship) == ("applied", "in_production", 2)
        assert [(one.source, one.target) for one in order.steps.order_by("pk")][-1] == ("shipped", "in_production")
        assert [str(one) for one in violations("C")] + [str(one) for one in violations("T")] == []
        with pytest.raises(TransitionRefused):
            accept_order(order, evidence="signed", actor=person("pm"))
        Order.objects.filter(pk=order.pk).update(unread_changes=0)
        ship(order)
        order = again(order)
        assert (order.state, order.order_lines[1].qty_shipped) == ("shipped", 2)
        results = {one.pk: (one.qty_to_accept, Decimal(0)) for one in order.order_lines}
        note_accepted(order, results, actor=person("pm"))
        assert accept_order(again(order), evidence="signed", actor=person("pm")).state == "accepted"
        assert [str(one) for one in violations("T")] == []

    def test_what_it_needs_is_planned_in_the_same_step(self):
        order = make.shipped(line("SKU-1", 4, supply="make"))
        new = {"product": order.order_lines[0].product_id, "quantity": "3", "supply": "buy"}
        applied(order, Op("add", after=new))
        assert MaterialNeed.objects.filter(order=order.pk, order_line__position=2).exists()

    def test_stock_is_reserved(self):
        order = make.shipped(line("SKU-1", 4, supply="make"))
        new = {"product": order.order_lines[0].product_id, "quantity": "3", "supply": "stock"}
        applied(order, Op("add", after=new))
        assert (again(order).state, again(order).order_lines[1].qty_reserved) == ("in_production", 3)

    def test_accepted_before_it_is_applied(self):
        """The customer takes what was shipped; then the order takes no new line any more."""
        order = make.shipped(line(quantity=10, supply="make"))
        change = approved(order, Op("add", after=NEW))
        note_accepted(again(order), {order.order_lines[0].pk: (Decimal(10), Decimal(0))}, actor=person("pm"))
        accept_order(again(order), evidence="signed", actor=person("pm"))
        with pytest.raises(TransitionRefused):
            apply_change(change, actor=person("pm"))
        assert (again(order).state, again(order).lines.count()) == ("accepted", 1)

    def test_nobody_extends_an_order_of_which_nothing_is_left(self):
        order = make.shipped(line(quantity=10, supply="make"))
        assert extend_order(order, actor=person("pm")).state == "shipped"
        with pytest.raises(DatabaseError), transaction.atomic():
            Order.objects.filter(pk=order.pk).update(state="in_production")
        assert not OrderAmendment.objects.filter(order=order).exists()


class TestRectification:
    def test_it_goes_on_when_all_is_put_right(self):
        order = make.rectified(line(quantity=10, supply="make"))
        change = applied(order, Op("add", after=NEW))
        assert (change.state, again(order).state) == ("applied", "rectification")
        first = again(order).order_lines[0]
        # More is ordered of what is still open: that is changed freely.
        second = assessed(again(order), Op("quantity", again(order).order_lines[1].pk, "5"))
        apply_change(agreed(second), actor=person("pm"))
        note_rectified(again(order), {first.pk: first.qty_rejected}, actor=person("pm"))
        order = redeliver_order(again(order), actor=person("pm"))
        assert (order.state, order.acceptance_round, order.order_lines[1].qty_to_ship) == ("in_production", 1, 5)
        Order.objects.filter(pk=order.pk).update(unread_changes=0)
        ship(order)
        assert again(order).state == "shipped"
        assert [str(one) for one in violations("T")] == []

    def test_without_a_new_line_it_is_shipped_as_ever(self):
        order = make.rectified(line(quantity=10, supply="make"))
        note_rectified(order, {order.order_lines[0].pk: Decimal(10)}, actor=person("pm"))
        assert redeliver_order(again(order), actor=person("pm")).state == "shipped"
