"""`quote_order`: a draft becomes a quotation of a revision that is kept."""

from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils.translation import gettext as _

from ordermgmt.activity.services import record
from orders import events
from orders.models import Order

from .base import keep_version, locked, refuse

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def quote_order(order: Order, *, actor: "User") -> Order:
    """Keeps what the quotation says under its revision; the revision rises when the content changed since the last.

    Asked again for the same content it changes nothing. Raises TransitionRefused for an order that is no draft or has
    no line, PermissionDenied without the right.
    """
    if not actor.has_perm("orders.edit_order"):
        raise PermissionDenied
    order = locked(order)
    if order.state != Order.State.DRAFT:
        raise refuse(_("Only a draft is a quotation."), order.get_absolute_url())
    if not order.order_lines:
        raise refuse(_("The order has no line."), f"/orders/{order.number}/edit/", _("Add a line"))
    last, before = order.versions.last(), {"revision": order.revision}
    if last is not None and last.content_hash == order.content_hash():
        return order
    if last is not None:
        order.revision += 1
        order.save(update_fields=["revision"])
    keep_version(order, actor=actor)
    after = {"revision": order.revision}
    record(events.QUOTATION_SENT, order, actor=actor, before=before, after=after, revision=order.revision)
    return order
