"""Before an order is started its page says what is not prepared; it warns and does not forbid."""

import pytest

from fulfilment.services import add_milestone, before_start, plan_needs, propose, purchase_needs_of
from fulfilment.services.materials import Wanted
from orders.models import Order
from orders.services import assign_order, start_order
from tests.factories.boms import conveyor
from tests.factories.inventory import person
from tests.factories.orders import line, placed
from tests.factories.purchases import offers, supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def order():
    conveyor()
    order = placed(line("B-CONV", 1, supply="make"))
    plan_needs(order)
    return assign_order(order, project_manager=person("pm"), actor=person("manager"))


def test_what_is_not_prepared_is_said_with_the_way_there(order, client_of):
    page = client_of(person("pm")).get(order.get_absolute_url()).content.decode()
    for text in (
        "Nothing is planned yet.",
        f'href="/fulfilment/orders/{order.number}/plan/">Open the plan',
        "4 materials are neither in stock nor on order.",
        f'href="/fulfilment/materials/order/?order={order.number}">Order what is missing',
    ):
        assert text in page, text
    assert "Nothing stands in the way." not in page
    assert start_order(order, actor=person("pm")).state == "in_production", "a warning, no guard"
    assert before_start(Order.objects.get(pk=order.pk)) == []


def test_what_is_prepared_is_not_warned_of(order, client_of):
    pm, who = person("pm"), supplier()
    add_milestone(order, code="M1", name="Weld", forecast=order.promised_date, actor=pm)
    missing = propose(pm, order)
    for one in missing:
        offers(who, one.product, 1)
    purchase_needs_of([Wanted(one.product, who, one.missing, one.missing) for one in missing], order=order, actor=pm)
    assert "Nothing stands in the way." in client_of(pm).get(order.get_absolute_url()).content.decode()


def test_stock_alone_needs_no_plan(order):
    Order.objects.filter(pk=order.pk).update(is_stock_only=True)
    assert before_start(Order.objects.get(pk=order.pk)) == []
