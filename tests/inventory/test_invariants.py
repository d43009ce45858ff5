"""What must hold of stock is noticed when it doesn't."""

from decimal import Decimal

import pytest

from inventory.models import Reservation, StockItem
from inventory.services import ReservationRequest, adjust_stock, approve_adjustment, issue_reserved, reserve
from ordermgmt.lib.invariants import violations
from tests.factories.inventory import main_warehouse, make_product, put_stock, unit

pytestmark = pytest.mark.django_db


def codes():
    return {one.invariant.code for one in violations(["S"])}


def test_hold_after_everything_that_moves_stock(warehouse, manager):
    product = make_product(unit=unit("kg"))
    put_stock(product, Decimal("10.3"))
    for _time in range(3):
        reserve([ReservationRequest(product, Decimal("0.1"), "test.holder", 1)], actor=warehouse)
    issue_reserved("test.holder", 1, Decimal("0.2"), key="x", actor=warehouse)
    waiting = adjust_stock(product, main_warehouse(), Decimal("-3.3"), reason="lost", key="y", actor=warehouse)
    approve_adjustment(waiting, actor=manager)
    assert codes() == set()


def test_are_broken_by_writing_past_the_services(warehouse):
    product = make_product()
    put_stock(product, 10)
    StockItem.objects.filter(product=product).update(on_hand=9)
    assert codes() == {"S1"}
    StockItem.objects.filter(product=product).update(on_hand=10, reserved=1)
    assert codes() == {"S2"}
    item = StockItem.objects.get(product=product)
    StockItem.objects.filter(product=product).update(reserved=0)
    Reservation.objects.create(stock_item=item, holder_kind="orders.orderline", holder_id=999999, quantity=1)
    assert codes() == {"S2", "S4", "S6"}  # S4: no order line knows of it
