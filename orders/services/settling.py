"""The end of an order, and its reopening."""

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction

from orders import events
from orders.models import Order

from .base import locked, step

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def settle_order(order: Order, *, statement: str = "", retained: Decimal = Decimal(0), actor: "User") -> Order:
    """Nothing is open: invoiced = final = paid, but for what is `retained` until a later day by contract. `statement`
    names the evidence that billing keeps."""
    order = locked(order)
    order.retained_total = retained
    return step(order, "settle", events.ORDER_SETTLED, actor=actor, statement=statement)


@transaction.atomic
def reopen_order(order: Order, *, reason: str, actor: "User") -> Order:
    """Opens the account of a settled order again, with a reason."""
    return step(locked(order), "reopen", events.ORDER_REOPENED, actor=actor, reason=reason)
