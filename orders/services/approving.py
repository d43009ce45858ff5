"""Exceptions to the credit limit and the discount limit, bound to exactly one content."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from ordermgmt.activity.services import record
from orders import events
from orders.models import Order, OrderApproval

from .base import locked, refuse

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def ask_approval(order: Order, *, reason: str, actor: "User") -> list[OrderApproval]:
    """Asks for what this content needs and does not have. The same content asks once."""
    if not actor.has_perm("orders.edit_order"):
        raise PermissionDenied
    order = locked(order)
    kinds = order.missing_approvals()
    if not kinds:
        raise refuse(_("This order needs no approval."), order.get_absolute_url())
    asked = [
        OrderApproval.objects.get_or_create(
            order=order, kind=kind, content_hash=order.content_hash(), defaults={"asked_by": actor, "reason": reason}
        )[0]
        for kind in kinds
    ]
    record(events.APPROVAL_ASKED, order, actor=actor, kinds=", ".join(kinds), reason=reason)
    return asked


@transaction.atomic
def decide_approval(order: Order, *, grant: bool, actor: "User", note: str = "") -> list[OrderApproval]:
    """Grants or refuses what is waiting for the order's present content; never by who asked."""
    if not actor.has_perm("orders.approve_order"):
        raise PermissionDenied
    order = locked(order)
    waiting = list(order.approvals.filter(state=OrderApproval.State.ASKED, content_hash=order.content_hash()))
    if not waiting:
        raise refuse(_("Nothing waits for an approval of this content."), order.get_absolute_url())
    if any(approval.asked_by_id == actor.pk for approval in waiting):
        raise refuse(_("Whoever asked can't decide."), order.get_absolute_url())
    for approval in waiting:
        approval.state = OrderApproval.State.GRANTED if grant else OrderApproval.State.REFUSED
        approval.decided_by, approval.decided_at = actor, timezone.now()
        approval.save()
    event = events.APPROVAL_GRANTED if grant else events.APPROVAL_REFUSED
    record(event, order, actor=actor, kinds=", ".join(one.kind for one in waiting), note=note)
    return waiting
