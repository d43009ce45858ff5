"""Everybody concerned is told of an applied change once, and says that they know."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from changes import events
from changes.models import Acknowledgement, ChangeRequest, Operation
from ordermgmt.accounts.roles import Role
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from orders.models import Order, OrderLine
from orders.services import locked as locked_order
from orders.services import note_changes

from .base import locked, refuse
from .values import Op

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

Kind = Operation.Kind
_GOODS = {Kind.ADD, Kind.REMOVE, Kind.QUANTITY, Kind.SPECIFICATION, Kind.TEXT, Kind.LINE_DATE, Kind.PROMISED, Kind.DELIVERY,
          Kind.TERMINATE}  # fmt: skip
_MONEY = {Kind.ADD, Kind.REMOVE, Kind.QUANTITY, Kind.PRICE, Kind.DISCOUNT, Kind.PLAN, Kind.BILLING, Kind.TERMINATE}


def ask_to_acknowledge(change: ChangeRequest, operations: Sequence[Op], *, actor: "User") -> list[Acknowledgement]:
    """Lays out who must say that they know: the people of the order, and by what is touched warehouse and finance."""
    order = change.order
    kinds = {op.kind for op in operations}
    people = {one.pk: one for one in (order.owner, order.project_manager, change.requested_by) if one is not None}
    people.pop(actor.pk, None)
    # The application itself asks for what customers and files bring: it has nothing to acknowledge.
    asked = [one for one in people.values() if one.is_active and not one.is_system]
    rows = [Acknowledgement(change=change, user=one) for one in asked]
    goods = order.kind == Order.Kind.GOODS or OrderLine.objects.filter(order=order).exclude(supply="service").exists()
    if kinds & _GOODS and goods:
        rows.append(Acknowledgement(change=change, role=Role.WAREHOUSE.value))
    if kinds & _MONEY:
        rows.append(Acknowledgement(change=change, role=Role.FINANCE.value))
    made = Acknowledgement.objects.bulk_create(rows)
    count_unread(order, actor=actor)
    return made


def count_unread(order: Order, *, actor: "User") -> None:
    """Hands down how many changes the warehouse does not know yet: shipping asks for it first."""
    rows = Acknowledgement.objects.filter(change__order=order, role=Role.WAREHOUSE.value, acknowledged_at=None)
    unread = rows.count()
    if unread != order.unread_changes:
        note_changes(order, unread_changes=unread, actor=actor)
        order.unread_changes = unread


def mine(user: "User") -> QuerySet[Acknowledgement]:
    """What this person is asked to acknowledge: by name, or because of a role."""
    rows = Acknowledgement.objects.filter(acknowledged_at=None)
    return rows.filter(Q(user=user) | Q(user=None, role__in=list(user.role_codes)))


@transaction.atomic
def acknowledge_change(change: ChangeRequest, *, actor: "User") -> ChangeRequest:
    """Says that the actor knows the applied change; a second time changes nothing.

    Raises PermissionDenied for somebody who is not asked, TransitionRefused before it is applied.
    """
    require(actor, "changes.view_change")
    change, order = locked(change)
    if change.state != ChangeRequest.State.APPLIED:
        raise refuse(_("Only an applied change is acknowledged."), change.get_absolute_url())
    asked = change.acknowledgements.filter(Q(user=actor) | Q(user=None, role__in=list(actor.role_codes)))
    if not asked.exists():
        raise PermissionDenied
    done = asked.filter(acknowledged_at=None).update(acknowledged_by=actor, acknowledged_at=timezone.now())
    if done:
        count_unread(locked_order(order), actor=actor)
        record(events.CHANGE_ACKNOWLEDGED, change, root=order, actor=actor, number=change.number)
    return change
