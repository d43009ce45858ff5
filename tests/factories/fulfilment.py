"""Shipments and acceptances of the tests, through the real services."""

from decimal import Decimal
from uuid import uuid4

from fulfilment.models import Acceptance, Shipment
from fulfilment.services import LineResult, record_acceptance, ship_order
from orders.models import Order
from tests.factories.orders import person


def fresh(order: Order) -> Order:
    """The order as it is in the database now."""
    return Order.objects.get(pk=order.pk)


def ship(order: Order, *quantities: Decimal | int, key: str = "") -> Shipment:
    """Ships so much of each line in turn; all that is open unless quantities are given."""
    lines = fresh(order).order_lines
    wanted = {
        line.pk: Decimal(quantities[place]) if quantities else line.qty_to_ship for place, line in enumerate(lines)
    }
    return ship_order(order, quantities=wanted, key=key or uuid4().hex, actor=person("warehouse"))


def examine(order: Order, *rejected: Decimal | int, actor: str = "pm") -> Acceptance:
    """Records an acceptance of all that waits; of each line in turn so much is rejected."""
    results = []
    for place, line in enumerate(fresh(order).order_lines):
        bad = Decimal(rejected[place]) if rejected else Decimal(0)
        results.append(LineResult(line.pk, line.qty_to_accept - bad, bad, "scratched" if bad else ""))
    return record_acceptance(
        order, results=results, signed_by="Mr Wang", evidence="signed note", key=uuid4().hex, actor=person(actor)
    )
