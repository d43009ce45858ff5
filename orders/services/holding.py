"""Hold and resume: a fact beside the state, which blocks work and shipping."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from orders import events
from orders.models import Order

from .base import locked, refuse, save_noted

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_HOLDABLE = (Order.State.PLACED, Order.State.IN_PRODUCTION, Order.State.SHIPPED, Order.State.RECTIFICATION)


@transaction.atomic
def hold_order(order: Order, *, reason: str, actor: "User") -> Order:
    """Stops work and shipping, with a reason. Raises TransitionRefused where there is nothing to stop."""
    if not actor.has_perm("orders.hold_order"):
        raise PermissionDenied
    order = locked(order)
    if order.on_hold:
        raise refuse(_("The order is on hold already: %(reason)s") % {"reason": order.hold_reason})
    if order.state not in _HOLDABLE:
        raise refuse(_("Only an order that is placed and not yet accepted can be put on hold."))
    return _set(order, True, reason, actor=actor)


@transaction.atomic
def resume_order(order: Order, *, actor: "User") -> Order:
    """Ends the hold; the order goes on in the state it had."""
    if not actor.has_perm("orders.hold_order"):
        raise PermissionDenied
    order = locked(order)
    if not order.on_hold:
        raise refuse(_("The order is not on hold."))
    return _set(order, False, "", actor=actor)


def _set(order: Order, on_hold: bool, reason: str, *, actor: "User") -> Order:
    order.on_hold, order.hold_reason = on_hold, reason
    event = events.ORDER_HELD if on_hold else events.ORDER_RESUMED
    return save_noted(order, event, actor=actor, reason=reason)
