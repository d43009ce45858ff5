"""Cancelling before work, and terminating work in progress."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from customers.services import move_balance
from inventory.services import release
from ordermgmt.lib.fsm import TransitionRefused, blockers, check_transition
from ordermgmt.lib.rows import write_columns
from orders import events
from orders.models import Order

from .base import locked, refuse, save_noted, step
from .placing import HOLDER

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def cancel_order(order: Order, *, reason: str, actor: "User", version: int | None = None) -> Order:
    """Cancels a draft or a placed order and releases what it reserved, once (P03)."""
    return _end(locked(order, version=version), "cancel", reason=reason, actor=actor)


@transaction.atomic
def agree_termination(order: Order, *, actor: "User") -> Order:
    """Finance agrees that work in progress may be stopped; a manager then terminates."""
    if not actor.has_perm("billing.settle_order"):
        raise PermissionDenied
    order = locked(order)
    if order.state != Order.State.IN_PRODUCTION:
        raise refuse(_("Only work in progress is terminated."))
    order.termination_agreed_by = actor
    return save_noted(order, events.TERMINATION_AGREED, actor=actor)


@transaction.atomic
def terminate_order(order: Order, *, reason: str, actor: "User", version: int | None = None) -> Order:
    """Stops work in progress for good; needs finance's consent from somebody else, and that nothing was shipped."""
    order = locked(order, version=version)
    if order.termination_agreed_by_id == actor.pk:
        raise refuse(_("Whoever agreed for finance can't also terminate the order."))
    return _end(order, "terminate", reason=reason, actor=actor)


def _end(order: Order, name: str, *, reason: str, actor: "User") -> Order:
    check_transition(getattr(order, name), actor)
    was_draft = order.state == Order.State.DRAFT
    lines = [line for line in order.order_lines if line.qty_reserved > 0]
    release(HOLDER, [line.pk for line in lines], actor=actor)
    for line in lines:
        line.qty_reserved = line.qty_reserved * 0
    write_columns(lines, ["qty_reserved"])
    order.on_hold, order.hold_reason = False, ""
    order = step(order, name, events.ORDER_CANCELLED, actor=actor, check=False, reason=reason)
    if not was_draft:
        move_balance(order.customer, order.currency, ordered=-order.gross_total)
    return order


@transaction.atomic
def end_amended(order: Order, *, reason: str, agreed_by: "User | None", actor: "User") -> Order:
    """Ends an order whose lines an approved change has just taken out; where something was shipped, the rest goes on.

    `agreed_by` is who agreed for finance. Raises TransitionRefused unless the present version is such a change's.
    """
    order = locked(order)
    amendment = order.amendments.order_by("-version").first()
    if amendment is None or amendment.source_id is None or any(line.qty_reserved > 0 for line in order.order_lines):
        raise refuse(_("An order is ended by an approved change request."))
    if any(line.due > 0 for line in order.order_lines):
        return order
    order.on_hold, order.hold_reason = False, ""
    name = "terminate" if order.state == Order.State.IN_PRODUCTION else "cancel"
    order.termination_agreed_by = agreed_by or order.termination_agreed_by
    if found := blockers(getattr(order, name)):
        raise TransitionRefused(found)
    return step(order, name, events.ORDER_CANCELLED, actor=actor, check=False, reason=reason)
