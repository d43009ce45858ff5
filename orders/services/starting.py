"""Between placing and work: assign, schedule, start, waive the deposit."""

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.accounts.roles import Role
from orders import events
from orders.models import Order

from .base import locked, refuse, save_noted, step

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def start_order(order: Order, *, actor: "User", version: int | None = None) -> Order:
    """Work begins. Raises TransitionRefused while a guard blocks."""
    return step(locked(order, version=version), "start", events.ORDER_STARTED, actor=actor)


@transaction.atomic
def assign_order(order: Order, *, project_manager: "User", actor: "User") -> Order:
    """Makes somebody with the role responsible for the order's work."""
    if not actor.has_perm("orders.assign_order"):
        raise PermissionDenied
    if not project_manager.is_active or not project_manager.has_role(Role.PM):
        raise refuse(_("%(name)s is not an active project manager.") % {"name": project_manager.name})
    order = locked(order)
    if order.state in (Order.State.SETTLED, Order.State.CANCELLED):
        raise refuse(_("A finished order needs no project manager."))
    order.project_manager = project_manager
    return save_noted(order, events.ORDER_ASSIGNED, actor=actor, name=project_manager.name)


@transaction.atomic
def schedule_order(order: Order, *, promised_date: dt.date, actor: "User") -> Order:
    """Sets the promised delivery date of an order that is placed and not yet in production."""
    if not actor.has_perm("orders.assign_order"):
        raise PermissionDenied
    order = locked(order)
    if order.state != Order.State.PLACED:
        raise refuse(_("The date is set between placing and the start; later a change request moves it."))
    if promised_date < order.order_date:
        raise refuse(_("The promised date lies before the order date."))
    order.promised_date = promised_date
    return save_noted(order, events.ORDER_SCHEDULED, actor=actor, date=str(promised_date))


@transaction.atomic
def waive_deposit(order: Order, *, reason: str, actor: "User") -> Order:
    """Finance lets work begin without the agreed deposit."""
    if not actor.has_perm("orders.waive_deposit"):
        raise PermissionDenied
    order = locked(order)
    if order.deposit_waived:
        return order
    if order.state not in (Order.State.DRAFT, Order.State.PLACED) or order.deposit_settled:
        raise refuse(_("There is no deposit that work waits for."), order.get_absolute_url())
    order.deposit_waived = True
    return save_noted(order, events.DEPOSIT_WAIVED, actor=actor, reason=reason)
