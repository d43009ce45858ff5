"""`place_order`: from quotation to promise."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from customers.services import move_balance
from inventory.services import InsufficientStock, ReservationRequest, reserve
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.rows import write_columns
from orders import events
from orders.models import Order

from .base import keep_version, locked, step

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: Under this name reservations point to order lines.
HOLDER = "orders.orderline"


def _reserve_stock(order: Order, *, actor: "User") -> None:
    lines = [line for line in order.order_lines if line.is_stocked and line.product_id]
    wanted = [
        ReservationRequest(product=line.product, quantity=line.due, holder_kind=HOLDER, holder_id=line.pk)
        for line in lines
        if line.product is not None
    ]
    try:
        reserve(wanted, actor=actor)
    except InsufficientStock as error:
        raise TransitionRefused(
            [
                Blocker(
                    _("%(product)s: %(wanted)s wanted, %(free)s free. Mark the line to make or buy, or lower it.")
                    % {
                        "product": shortage.product.sku,
                        "wanted": f"{shortage.wanted.normalize():f}",
                        "free": f"{shortage.free.normalize():f}",
                    },
                    f"/orders/{order.number}/edit/",
                    _("Edit the lines"),
                )
                for shortage in error.shortages
            ]
        ) from error
    for line in lines:
        line.qty_reserved = line.due
    write_columns(lines, ["qty_reserved"])


@transaction.atomic
def place_order(order: Order, *, actor: "User", version: int | None = None) -> Order:
    """Places a draft: reserves its stock lines all or nothing and keeps the agreed content as the baseline.

    An order that takes everything from stock passes into production by itself. Raises TransitionRefused with what
    blocks, PermissionDenied without the right, StaleVersion when `version` is not the present one.
    """
    order = locked(order, version=version)
    check_transition(order.place, actor)
    _reserve_stock(order, actor=actor)
    order = step(order, "place", events.ORDER_PLACED, actor=actor, check=False)
    keep_version(order, actor=actor)
    move_balance(order.customer, order.currency, ordered=order.gross_total)
    if order.is_stock_only and not order.on_hold and order.deposit_settled:
        order = step(order, "start", events.ORDER_STARTED, actor=actor, check=False)
    return order
