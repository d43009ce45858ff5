"""The earliest day of a line that the stock does not cover: what suppliers promised, less what others wait for."""

import datetime as dt
from decimal import Decimal

import pytest

from inventory.models import PurchaseOrder
from inventory.services import Came, confirm_purchase
from ordermgmt.company.services import business_today
from orders.models import OrderLine
from orders.services import promises
from tests.factories.inventory import make_product, person, put_stock
from tests.factories.orders import line, started
from tests.factories.purchases import offers, received, supplier

pytestmark = pytest.mark.django_db


def on_its_way(product, *deliveries):
    """So much in so many days, an order each."""
    from inventory.services import draft_purchase, order_purchase

    who = supplier()
    offers(who, product, 5)
    for quantity, days in deliveries:
        order = draft_purchase(who, lines=[{"product": product, "quantity": Decimal(quantity)}], actor=person("pm"))
        order = order_purchase(order, actor=person("pm"))
        day = business_today() + dt.timedelta(days=days)
        confirm_purchase(order, dates={order.lines.get().pk: day}, actor=person("pm"))
    return PurchaseOrder.objects.order_by("pk")


def wanted(product, *quantities):
    """What is told of lines that are being typed: days from today, or None, and the reason."""
    today = business_today()
    lines = [
        OrderLine(product=product, quantity=Decimal(one), supply="stock", description=product.name)
        for one in quantities
    ]
    found = promises(lines, today)
    return [((one.day - today).days if one.day else None, one.reason) for one in found]


def test_covered_by_what_comes():
    product = make_product(lead_days=30)
    put_stock(product, 5)
    on_its_way(product, (10, 4), (10, 9))
    assert [days for days, _reason in wanted(product, 5)] == [0]
    assert wanted(product, 6)[0] == (4, "on its way from a supplier")
    assert [days for days, _reason in wanted(product, 15, 1, 9)] == [4, 9, 9]
    assert wanted(product, 26)[0][0] == 30  # more than comes: bought anew


def test_others_who_wait_come_first():
    product = make_product(lead_days=30)
    started(line(product.sku, 8, supply="buy"))
    on_its_way(product, (10, 4), (10, 9))
    assert [days for days, _reason in wanted(product, 2)] == [4]
    assert [days for days, _reason in wanted(product, 3)] == [9]


def test_what_is_late_or_came_is_not_counted():
    product = make_product(lead_days=30)
    first = on_its_way(product, (10, 4)).get()
    PurchaseOrder.objects.update(ordered_on=business_today() - dt.timedelta(days=9))
    yesterday = business_today() - dt.timedelta(days=1)
    confirm_purchase(first, dates={first.lines.get().pk: yesterday}, actor=person("pm"))
    assert wanted(product, 1)[0][0] == 30
    received(PurchaseOrder.objects.get(), Came(Decimal(10)))
    assert wanted(product, 1)[0][0] == 0
