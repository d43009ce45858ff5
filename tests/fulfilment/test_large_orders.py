"""An order of 1,200 lines is shipped, accepted and returned in one form, at the price of a small one."""

from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fulfilment.models import Acceptance, Shipment
from orders.models import Order
from orders.views.entry import MOST_LINES
from tests.factories.fulfilment import fresh, ship
from tests.factories.orders import line, started

pytestmark = pytest.mark.django_db
FEW, LARGE = 2, 1200
_BATCHES = 40  # statements more, where the database takes many rows in parts


def of_lines(count: int) -> Order:
    return started(*[line(supply="make")] * count)


def asked(client: Client, url: str) -> tuple[int, str]:
    with CaptureQueriesContext(connection) as queries:
        page = client.get(url)
    assert page.status_code == 200
    return len(queries), page.content.decode()


def sent(client: Client, url: str, data: dict[str, Any]) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.post(url, data).status_code == 302
    return len(queries)


def shipping(order: Order) -> dict[str, Any]:
    return {f"quantity_{one.pk}": "1" for one in order.order_lines} | {"inspected": "on", "key": f"s-{order.pk}"}


def accepting(order: Order) -> dict[str, Any]:
    rows = {}
    for one in order.order_lines:
        rows |= {f"accepted_{one.pk}": "1", f"rejected_{one.pk}": "", f"reason_{one.pk}": ""}
    return rows | {"signed_by": "Mr Wang", "evidence": "note", "on": str(order.order_date), "key": f"a-{order.pk}"}


def test_every_line_ships_by_the_form_as_it_is_offered(client_of: Any, warehouse: Any) -> None:
    few, large, client = of_lines(FEW), of_lines(LARGE), client_of(warehouse)
    asked(client, f"/orders/{few.number}/do/ship/")  # what every first page of a session looks up
    pages = [asked(client, f"/orders/{one.number}/do/ship/") for one in (few, large)]
    assert pages[0][0] == pages[1][0]
    # All that is ready stands in the form already: it is sent as it is.
    assert pages[1][1].count('value="1" autocomplete') == LARGE
    costs = [sent(client, f"/orders/{one.number}/do/ship/", shipping(one)) for one in (few, large)]
    assert costs[1] <= costs[0] + _BATCHES
    assert Shipment.objects.get(order=large).lines.count() == LARGE
    assert fresh(large).state == "shipped"


def test_every_line_is_accepted(client_of: Any, pm: Any) -> None:
    few, large, client = of_lines(FEW), of_lines(LARGE), client_of(pm)
    for one in (few, large):
        ship(one)
    few, large = fresh(few), fresh(large)
    asked(client, f"/orders/{few.number}/do/record_acceptance/")
    pages = [asked(client, f"/orders/{one.number}/do/record_acceptance/") for one in (few, large)]
    assert pages[0][0] == pages[1][0]
    assert pages[1][1].count('value="1" autocomplete') == LARGE
    costs = [sent(client, f"/orders/{one.number}/do/record_acceptance/", accepting(one)) for one in (few, large)]
    assert costs[1] <= costs[0] + _BATCHES
    assert Acceptance.objects.get(order=large).lines.count() == LARGE
    assert fresh(large).state == "accepted"


def test_the_longest_order_that_can_be_entered_fits() -> None:
    limit = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    assert limit is not None
    assert limit > 3 * MOST_LINES
