"""What came of a purchase order of 1,200 lines is received in one form."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from inventory.models import PurchaseLine, PurchaseOrder, Receipt, StockMovement
from inventory.services import Came, draft_purchase, order_purchase, receive_purchase
from ordermgmt.activity.models import Event
from ordermgmt.lib.invariants import violations
from tests.factories.inventory import make_product, person
from tests.factories.purchases import supplier

pytestmark = pytest.mark.django_db
LARGE, CAME = 1200, 20


def of_lines(count: int) -> PurchaseOrder:
    """Ordered, with a delivery of the same product every line."""
    row = {"product": make_product(), "quantity": Decimal(3), "unit_price": Decimal(8)}
    order = draft_purchase(supplier(), lines=[row], actor=person("pm"))
    first = order.lines.get()
    copies = [PurchaseLine(**_columns(first) | {"position": place}) for place in range(2, count + 1)]
    PurchaseLine.objects.bulk_create(copies)
    return order_purchase(order, actor=person("pm"))


def _columns(line: PurchaseLine) -> dict[str, Any]:
    names = [one.attname for one in line._meta.concrete_fields if not one.primary_key and not one.generated]
    return {name: getattr(line, name) for name in names}


def offered(client: Client, order: PurchaseOrder) -> tuple[int, str]:
    with CaptureQueriesContext(connection) as queries:
        page = client.get(f"/inventory/purchases/{order.number}/do/receive/")
    assert page.status_code == 200
    return len(queries), page.content.decode()


def test_a_part_of_many_lines_is_received_by_one_form(client_of: Any, warehouse: Any) -> None:
    few, large, client = of_lines(2), of_lines(LARGE), client_of(warehouse)
    offered(client, few)  # what every first page of a session looks up
    pages = [offered(client, one) for one in (few, large)]
    assert pages[0][0] == pages[1][0]
    assert pages[1][1].count('value="3"') == LARGE
    rows: dict[str, Any] = {}
    for place, pk in enumerate(large.lines.values_list("pk", flat=True)):
        rows |= {f"accepted_{pk}": "3" if place < CAME else "", f"rejected_{pk}": "", f"reason_{pk}": ""}
    response = client.post(f"/inventory/purchases/{large.number}/do/receive/", rows | {"key": "large"})
    assert response.status_code == 302
    assert large.lines.filter(open=0).count() == CAME


def received(order: PurchaseOrder, key: str, actor: Any) -> int:
    """All of an order comes at once; gives what that asked of the database."""
    came = {pk: Came(Decimal(2), Decimal(1), "bent") for pk in order.lines.values_list("pk", flat=True)}
    with CaptureQueriesContext(connection) as queries:
        receive_purchase(order, came=came, key=key, actor=actor)
    return len(queries)


def of_products(count: int) -> PurchaseOrder:
    """Ordered, every line another product that lies nowhere yet."""
    rows = [{"product": make_product(), "quantity": Decimal(3), "unit_price": Decimal(8)} for _place in range(count)]
    return order_purchase(draft_purchase(supplier(), lines=rows, actor=person("pm")), actor=person("pm"))


@pytest.mark.parametrize("make", [of_lines, of_products])
def test_receiving_asks_the_same_for_5_and_for_50_lines(make: Any, warehouse: Any) -> None:
    received(make(2), "first", warehouse)
    few, many = make(5), make(50)
    assert received(few, "few", warehouse) == received(many, "many", warehouse)
    assert many.lines.filter(received=2, rejected=1, open=1).count() == 50
    assert StockMovement.objects.filter(key__startswith="receipt:", quantity=2).count() == 57
    assert Event.objects.filter(type="inventory.stock_received", data__quantity="2").count() == 57
    assert not list(violations("SA"))


def test_what_is_wrong_stands_at_every_line(warehouse: Any) -> None:
    order = of_products(3)
    first, second, third = order.lines.values_list("pk", flat=True)
    came = {first: Came(Decimal(9)), second: Came(Decimal(1)), third: Came(Decimal(0), Decimal(1), "")}
    with pytest.raises(ValidationError) as refused:
        receive_purchase(order, came=came, key="wrong", actor=warehouse)
    assert set(refused.value.error_dict) == {f"accepted_{first}", f"reason_{third}"}
    assert not Receipt.objects.exists()
