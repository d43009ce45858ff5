"""Limits of amount are in the company's currency: an order in another one is converted at the rate of the day."""

import datetime as dt
from decimal import Decimal

import pytest

from changes.services import apply_change, impact_of, operations_of, save_rule, summed
from inventory.services import draft_purchase, order_purchase
from ordermgmt.company.models import ExchangeRate
from ordermgmt.company.services import business_today, default_seller
from orders.models import Order
from orders.services import edit_order, place_order, quote_order
from tests.factories.changes import agreed, assessed, more
from tests.factories.orders import draft, line, person, started
from tests.factories.purchases import supplier

pytestmark = pytest.mark.django_db


@pytest.fixture
def rule():
    steps = [{"role": "sales_manager", "mode": "any", "due_days": 1}]
    return save_rule(name="Amounts", amount_over=Decimal(1000), steps=steps, actor=person("admin"))


def asked_roles(currency, quantity=30):
    """Whom a change of 20 pieces of 90 more asks."""
    order = started(line(quantity=10, unit_price=Decimal(90), supply="make"), currency=currency)
    change = assessed(order, more(order, quantity))
    assert change.moved == (quantity - 10) * 90
    return set(change.steps.filter(content_hash=change.content_hash).values_list("role", flat=True)), change


def rate(currency, value, days=0):
    ExchangeRate.objects.create(
        currency=currency, rate=Decimal(value), day=business_today() - dt.timedelta(days=days), by=person("finance")
    )


class TestAmount:
    def test_in_the_companys_own_currency(self, rule):
        assert "sales_manager" in asked_roles(default_seller().currency)[0]
        assert "sales_manager" not in asked_roles(default_seller().currency, 21)[0]

    @pytest.mark.parametrize(("value", "counts"), [("0.5", False), ("0.9", True)])
    def test_at_the_rate_of_the_day(self, rule, value, counts):
        rate("USD", "5", days=10)  # of an earlier day
        rate("USD", value)
        assert ("sales_manager" in asked_roles("USD")[0]) == counts

    def test_without_a_rate_it_asks_and_says_so(self, rule, client_of, manager):
        roles, change = asked_roles("KWD", 11)
        assert "sales_manager" in roles
        assert change.impact["without_rate"] == "KWD"
        page = client_of(person("sales")).get(change.get_absolute_url()).content.decode()
        assert "No exchange rate of KWD was ever set" in page
        rate("KWD", "3")
        roles, change = asked_roles("KWD", 11)
        assert "sales_manager" not in roles
        assert "without_rate" not in change.impact

    def test_the_rule_says_it(self, rule, client_of, admin):
        sentence = rule.sentence(default_seller().currency)
        assert f"over 1,000 {default_seller().currency} (at the day's rate; also where none is known)" in sentence
        assert "1,000 EUR" in client_of(admin).get("/changes/rules/").content.decode()


def test_how_many_more_purchases_are_touched(client_of, pm):
    order = started(line("SKU-1", 4, supply="make"))
    product = order.order_lines[0].product
    who, row = supplier(), {"product": product, "quantity": Decimal(5), "unit_price": Decimal(8)}
    for _place in range(23):
        order_purchase(draft_purchase(who, lines=[row], actor=person("pm")), actor=person("pm"))
    change = assessed(order, more(order, 9))
    impact = impact_of(order, operations_of(change))
    assert (len(impact.purchases), impact.purchases_more) == (20, 3)
    assert change.impact["purchases_more"] == 3
    assert "and 3 more" in client_of(pm).get(change.get_absolute_url()).content.decode()


def test_the_share_is_of_what_was_placed(sales):
    """A quotation of ten times as much, sent before, makes no change of the order smaller."""
    order = draft(line(quantity=100, unit_price=Decimal(100), supply="make"), line("SKU-1", 1, supply="make"))
    order = quote_order(order, actor=sales)
    rows = [line(quantity=10, unit_price=Decimal(100), supply="make")]
    order = edit_order(order, version=order.version, header={}, lines=rows, actor=sales)
    order = place_order(order, actor=sales)
    change = assessed(order, more(order, 12))
    assert summed(change, change.order).share == 20
    apply_change(agreed(change), actor=person("pm"))
    order = Order.objects.get(pk=order.pk)
    change = assessed(order, more(order, 13))
    assert summed(change, change.order).share == 30
