"""What is to be fetched for an order: from which warehouse, how much; without any price."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db.models import OuterRef, QuerySet, Subquery

from fulfilment.models import Shipment
from inventory.models import Reservation, Warehouse
from ordermgmt.lib.money import ZERO
from orders.models import Order, OrderLine
from orders.services import HOLDER

from .shipping import is_made, shippable_lines

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class Pick:
    """So much of a line from one warehouse; None for what comes from our production or straight from a supplier.

    `waiting` is what of a line that is made here was not reported made yet: nobody finds it by walking there.
    """

    warehouse: Warehouse | None
    line: OrderLine
    quantity: Decimal
    waiting: Decimal = ZERO


def picks(order: Order) -> list[Pick]:
    """What is to be fetched for an order, by warehouse and product; what stands on no shelf comes last."""
    lines = {line.pk: line for line in shippable_lines(order, Shipment.Kind.GOODS)}
    held = Reservation.objects.filter(holder_kind=HOLDER, holder_id__in=lines).select_related("stock_item__warehouse")
    rows = [Pick(one.stock_item.warehouse, lines[one.holder_id], one.quantity) for one in held]
    other = [_other(line) for line in lines.values() if not line.is_stocked or not line.product_id]
    return sorted([*rows, *other], key=_place)


def _other(line: OrderLine) -> Pick:
    """What stands on no shelf: of a line that is made here what was made and has not left."""
    if not is_made(line):
        return Pick(None, line, line.qty_to_ship)
    there = max(ZERO, min(line.qty_produced - line.qty_shipped, line.qty_to_ship))
    return Pick(None, line, there, line.qty_to_ship - there)


def _place(one: Pick) -> tuple[bool, str, str, int]:
    sku = one.line.product.sku if one.line.product else ""
    return (one.warehouse is None, one.warehouse.code if one.warehouse else "", sku, one.line.position)


def to_pick(user: "User") -> QuerySet[Reservation]:
    """What is reserved for the orders that the person sees and that may be shipped now, each with its order beside it
    (`order_number`, `customer_name`, `promised`)."""
    ready = Order.objects.visible_to(user).filter(state=Order.State.IN_PRODUCTION, on_hold=False, unread_changes=0)
    lines = OrderLine.objects.filter(order__in=ready)
    own = OrderLine.objects.filter(pk=OuterRef("holder_id"))
    found = Reservation.objects.filter(holder_kind=HOLDER, holder_id__in=lines.values("pk"))
    return found.select_related("stock_item__warehouse", "stock_item__product__unit").annotate(
        order_number=Subquery(own.values("order__number")),
        customer_name=Subquery(own.values("order__customer_name")),
        promised=Subquery(own.values("order__promised_date")),
    )
