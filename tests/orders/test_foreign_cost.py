"""What products cost in an order of another currency."""

import datetime as dt
from decimal import Decimal

import pytest

from billing.services import set_exchange_rate
from inventory.models import Product
from ordermgmt.company.services import business_today
from orders.services import create_order, edit_order
from tests.factories.orders import customer_b, line, person, placed

pytestmark = pytest.mark.django_db


def _order(currency="USD", **header):
    return create_order(
        customer=customer_b(), actor=person("sales"), currency=currency,
        lines=[{**line(quantity=2), "unit_price": Decimal(200)}], **header,
    )  # fmt: skip


def _rate(days, rate):
    day = business_today() - dt.timedelta(days=days)
    set_exchange_rate(currency="USD", day=day, rate=Decimal(rate), actor=person("finance"))


@pytest.fixture(autouse=True)
def cost():
    Product.objects.filter(sku="SKU-1").update(cost=Decimal(100), currency="EUR")


def test_it_is_converted_at_the_rate_of_the_orders_day(django_assert_max_num_queries):
    _rate(30, "0.8")
    _rate(3, "0.5")
    old = _order(order_date=business_today() - dt.timedelta(days=10))
    assert (old.order_lines[0].unit_cost, old.cost_total) == (Decimal(125), Decimal(250))
    assert _order().cost_total == Decimal(400)
    # before any rate was set the first one counts
    assert _order(order_date=business_today() - dt.timedelta(days=90)).cost_total == Decimal(250)


def test_it_follows_when_a_draft_changes_its_currency():
    _rate(1, "0.8")
    order = _order("EUR")
    assert order.cost_total == Decimal(200)
    order = edit_order(
        order, version=order.version, actor=person("sales"), header={"currency": "USD"},
        lines=[{**line(quantity=2), "unit_price": Decimal(200)}],
    )  # fmt: skip
    assert order.cost_total == Decimal(250)


def test_without_a_rate_nothing_is_made_up_and_the_margin_says_so(client_of):
    order = placed(line(quantity=2), currency="USD")
    assert order.order_lines[0].unit_cost is None
    assert "no exchange rate was set" in client_of(person("manager")).get(order.get_absolute_url()).content.decode()
    _rate(1, "0.8")
    order = placed(line(quantity=2), currency="USD")
    assert "no exchange rate" not in client_of(person("manager")).get(order.get_absolute_url()).content.decode()
