"""Material taken out of stock for a job, and put back where it was a mistake."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from inventory.models import Product, StockItem, StockMovement
from ordermgmt.lib.money import ZERO

from .checking import check_quantity
from .ledger import Move, book, booked
from .reserving import ReservationRequest, allocate

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Kind = StockMovement.Kind


@transaction.atomic
def use_stock(
    products: Mapping[Product, Decimal], *, holder_kind: str, holder_id: int, reason: str = "", actor: "User"
) -> None:
    """Takes so much of each product off the shelves, from what nobody has reserved: everything, or nothing.

    The holder, e.g. ("fulfilment.production", 12), is a job that takes once: the ledger refuses it a second time. Raises
    InsufficientStock naming every product that falls short, ValidationError for a quantity the unit does not allow.
    """
    wanted = {product: quantity for product, quantity in products.items() if quantity}
    for product, quantity in wanted.items():
        check_quantity(product, quantity)
    items = StockItem.objects.locked({product.pk for product in wanted})
    requests = [ReservationRequest(product, quantity, holder_kind, holder_id) for product, quantity in wanted.items()]
    book(
        [
            Move(
                item, Kind.ISSUE, f"use:{holder_kind}:{holder_id}:{item.pk}", quantity=-quantity,
                holder_kind=holder_kind, holder_id=holder_id, reason=reason,
            )
            for _request, item, quantity in allocate(requests, items)
        ],
        actor=actor,
    )  # fmt: skip


@transaction.atomic
def put_back(*, holder_kind: str, holder_id: int, reason: str = "", actor: "User") -> Decimal:
    """Puts what a holder took where it was taken from; a second time puts back nothing. Gives how much in all."""
    taken = StockMovement.objects.filter(holder_kind=holder_kind, holder_id=holder_id, kind=Kind.ISSUE)
    rows = list(taken.select_related("stock_item").order_by("pk"))
    items = {row.pk: row for row in StockItem.objects.locked({one.stock_item.product_id for one in rows})}
    back = {f"back:{one.key}": one for one in rows}
    done = booked(back)
    moves = [
        Move(
            items[one.stock_item_id], Kind.RETURN, key, quantity=-one.quantity, holder_kind=holder_kind,
            holder_id=holder_id, reason=reason,
        )
        for key, one in back.items() if key not in done
    ]  # fmt: skip
    book(moves, actor=actor)
    return sum((move.quantity for move in moves), ZERO)
