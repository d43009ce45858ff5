"""From the last shipment to acceptance: the steps that fulfilment takes on an order."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.translation import gettext as _

from orders import events
from orders.models import Order, guards

from .base import locked, refuse, step

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def finish_order(order: Order, *, actor: "User") -> Order:
    """Everything is shipped or performed. Keeps who reported it: somebody else records the acceptance."""
    return step(locked(order), "finish", events.ORDER_FINISHED, actor=actor, completed_by=actor)


@transaction.atomic
def accept_order(order: Order, *, evidence: str, actor: "User") -> Order:
    """The customer took everything; `evidence` says how that is known. Not by who reported completion."""
    order = locked(order)
    if order.completed_by_id is not None and order.completed_by_id == actor.pk:
        raise refuse(_("Whoever reported completion can't record the acceptance: ask a colleague."))
    return step(order, "accept", events.ORDER_ACCEPTED, actor=actor, evidence=evidence)


@transaction.atomic
def reject_order(order: Order, *, actor: "User") -> Order:
    """Something did not pass: it is put right in rectification."""
    return step(locked(order), "reject", events.ORDER_REJECTED, actor=actor)


@transaction.atomic
def redeliver_order(order: Order, *, actor: "User") -> Order:
    """All that was rejected is put right and delivered again; the next round of acceptance begins.

    What was ordered in addition meanwhile is still to be done: then the order goes on from there (decision 0035).
    """
    order = step(locked(order), "redeliver", events.ORDER_REDELIVERED, actor=actor, completed_by=actor)
    return extend_order(order, actor=actor)


@transaction.atomic
def extend_order(order: Order, *, actor: "User") -> Order:
    """Takes up the work again on a shipped order of which something is not shipped: a change ordered more. For any other
    order nothing happens. Whoever may apply the change, or put right what was rejected, may do this too."""
    order = locked(order)
    if order.state != Order.State.SHIPPED or guards.something_to_ship(order):
        return order
    return step(order, "extend", events.ORDER_EXTENDED, actor=actor, check=False)
