"""`import_purchase`: purchase orders of the past arrive as they were, without moving today's stock."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from inventory import events
from inventory.models import Product, PurchaseLine, PurchaseOrder, Supplier, Warehouse
from ordermgmt.activity.services import record, snapshot
from ordermgmt.lib.days import check_days
from ordermgmt.lib.money import total

from .checking import require
from .purchasing import found_by

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class PastLine:
    """One line as the source tells it; `net` is its value there, which need not be price times quantity."""

    key: str | None
    description: str
    quantity: Decimal
    unit_price: Decimal
    net: Decimal
    promised_on: dt.date | None
    received_on: dt.date | None
    freight: Decimal | None = None
    product: Product | None = None


@transaction.atomic
def import_purchase(
    supplier: Supplier, *, key: str, number: str, currency: str, lines: Sequence[PastLine], actor: "User",
    ordered_on: dt.date | None = None,
) -> tuple[PurchaseOrder, bool]:  # fmt: skip
    """A purchase order of the past under the source's own key; gives it and whether it is new.

    Received where every line has a day of receipt, else ordered: what is still awaited is received here. Nothing
    goes on stock: what came then is counted in the opening stock. Known already it stays as it is.
    """
    require(actor, "inventory.order_purchase")
    if known := PurchaseOrder.objects.filter(source_key=key).first():
        return known, False
    for one in lines:
        check_days(promised_on=one.promised_on, received_on=one.received_on)
    order = PurchaseOrder(
        supplier=supplier, number=number, currency=currency, ordered_on=ordered_on, source_key=key, created_by=actor,
        warehouse=Warehouse.objects.get(is_default=True), total=total(one.net for one in lines),
    )  # fmt: skip
    order.search_text = found_by(order)
    order.save()
    PurchaseLine.objects.bulk_create(_line(order, place, one) for place, one in enumerate(lines, start=1))
    order.order()
    order.save()
    if all(one.received_on for one in lines):
        order.complete()
        order.save()
    record(
        events.PURCHASE_IMPORTED, order, actor=actor, after=snapshot(order), number=order.number, supplier=supplier.name
    )
    return order, True


def _line(order: PurchaseOrder, position: int, one: PastLine) -> PurchaseLine:
    late = (one.received_on - one.promised_on).days if one.received_on and one.promised_on else None
    return PurchaseLine(
        order=order, position=position, product=one.product, description=one.description[:500],
        unit=one.product.unit.code if one.product else "", quantity=one.quantity, most=one.quantity,
        unit_price=one.unit_price, net=one.net, freight=one.freight, promised_on=one.promised_on, first_promised_on=one.promised_on, received_on=one.received_on,
        received=one.quantity if one.received_on else Decimal(0), days_late=late, source_key=one.key,
    )  # fmt: skip
