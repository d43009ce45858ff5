"""Putting right what was rejected, until the next round of acceptance."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import GoodsReturnLine, Rectification
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.lib.fsm import blockers, check_transition
from ordermgmt.lib.money import ZERO, quantise
from orders.services import locked, note_rectified, redeliver_order

from .returning import exchange

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def _locked(rectification: Rectification) -> Rectification:
    """The row under lock, after its order: the order comes first for everybody who touches both."""
    order = locked(rectification.order)
    row = Rectification.objects.select_for_update(of=("self",)).select_related("order_line").get(pk=rectification.pk)
    row.order = order
    return row


@transaction.atomic
def start_rectification(
    rectification: Rectification, *, remedy: str, owner: "User", due: dt.date, actor: "User"
) -> Rectification:
    """Says how it is put right, by whom, until when; may be called again to plan anew.

    Raises PermissionDenied, TransitionRefused (done already), ValidationError (nobody active, a date in the past).
    """
    require(actor, "fulfilment.rectify_order")
    rectification = _locked(rectification)
    check_transition(rectification.begin, actor)
    if not owner.is_active:
        raise ValidationError({"owner": _("Choose somebody who is active.")})
    if due < timezone.localdate():
        raise ValidationError({"due": _("The date is in the past.")})
    rectification.remedy, rectification.owner, rectification.due = remedy, owner, due
    rectification.begin()
    rectification.full_clean(exclude=["state"])
    rectification.save()
    record(
        events.RECTIFICATION_STARTED, rectification, root=rectification.order, actor=actor,
        line=rectification.order_line.position, owner=owner.name, owner_id=owner.pk, due=str(due), remedy=remedy,
    )  # fmt: skip
    return rectification


@transaction.atomic
def complete_rectification(
    rectification: Rectification, *, result: str, faulty: str = "", cost: Decimal = ZERO, actor: "User"
) -> Rectification:
    """It is put right and delivered again. The last one takes the order back to shipped, for the next round.

    Goods that are replaced leave the stock in a shipment of their own; `faulty` says what becomes of the rejected ones
    (a disposition, "" when they stay with the customer); `cost` is what it cost us, in the order's currency. Raises PermissionDenied, TransitionRefused (not planned, done
    already), ValidationError (no result, too little stock).
    """
    require(actor, "fulfilment.rectify_order")
    rectification = _locked(rectification)
    check_transition(rectification.complete, actor)
    if not result.strip():
        raise ValidationError({"result": _("Say what was done.")})
    if cost < 0:
        raise ValidationError({"cost": _("A cost is not negative.")})
    if faulty and faulty not in GoodsReturnLine.Disposition.values:
        raise ValidationError({"faulty": _("Choose one of the offered ways.")})
    rectification.result, rectification.done_at, rectification.done_by = result.strip(), timezone.now(), actor
    rectification.cost = quantise(cost, rectification.order.currency)
    rectification.complete()
    rectification.save()
    line = rectification.order_line
    if rectification.replaces_goods:
        exchange(rectification, faulty=faulty, actor=actor)
    order = note_rectified(rectification.order, {line.pk: rectification.quantity}, actor=actor)
    record(
        events.RECTIFICATION_DONE, rectification, root=order, actor=actor, line=line.position, result=result.strip()
    )  # fmt: skip
    if not blockers(order.redeliver):
        redeliver_order(order, actor=actor)
    return rectification
