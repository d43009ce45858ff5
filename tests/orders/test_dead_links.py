"""What blocks the next step never sends anybody to a page that refuses them."""

import re

import pytest

from orders import services
from orders.models import Order
from tests.factories import billing, orders
from tests.factories.orders import person

pytestmark = pytest.mark.django_db
ROLES = ("sales", "pm", "warehouse", "finance", "manager")


def _links(page):
    """The addresses in the lists of what stands in the way."""
    lists = re.findall(r'class="list-unstyled mb-0 blockers">(.*?)</ul>', page, re.DOTALL)
    return re.findall(r'href="([^"]+)"', " ".join(lists))


def _orders():
    held = orders.placed()
    services.hold_order(held, reason="credit", actor=person("finance"))
    draft = orders.draft(orders.line(quantity=10_000, discount_percent=90))
    made = orders.started(billing.free_line(2, "100"))
    accepted = orders.accepted(billing.free_line(1, "100"))
    billing.drafted(accepted)
    return [draft, held, orders.placed(billing.free_line(1, "10")), made, orders.shipped(), accepted]


@pytest.mark.parametrize("role", ROLES)
def test_nobody_is_sent_where_they_may_not_go(client_of, role):
    client, followed = client_of(person(role)), 0
    for order in _orders():
        answer = client.get(Order.objects.get(pk=order.pk).get_absolute_url())
        if answer.status_code == 404:
            continue
        for link in _links(answer.content.decode()):
            followed += 1
            assert client.get(link, follow=True).status_code == 200, (role, order.state, link)
    assert followed or role in ("warehouse", "manager"), role


def test_who_may_is_sent_there_and_others_read_why(client_of):
    order = orders.accepted(billing.free_line(1, "100"))
    seen = client_of(person("finance")).get(order.get_absolute_url()).content.decode()
    assert any("/billing/" in link for link in _links(seen))
    order = orders.placed()
    services.hold_order(order, reason="credit", actor=person("finance"))
    page = client_of(person("sales")).get(order.get_absolute_url()).content.decode()
    assert "The order is on hold: credit" in page
    assert not [link for link in _links(page) if "resume" in link]
