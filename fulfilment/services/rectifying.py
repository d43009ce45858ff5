"""Putting right what was rejected, until the next round of acceptance, and answering what came back."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import Acceptance, GoodsReturnLine, Rectification
from ordermgmt.accounts.services import require
from ordermgmt.activity.services import record
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused, blockers, check_transition
from ordermgmt.lib.money import ZERO, quantise
from orders.models import Order
from orders.services import accept_order, locked, note_rectified, note_returned, redeliver_order

from .accepting import blocked as acceptance_blocked
from .criteria import open_criteria
from .defects import open_defects
from .returning import RETURNABLE, exchange, send_again, undelivered
from .shipping import halted

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


def _locked(rectification: Rectification) -> Rectification:
    """The row under lock, after its order: the order comes first for everybody who touches both."""
    order = locked(rectification.order)
    row = (
        Rectification.objects.select_for_update(no_key=True, of=("self",))
        .select_related("order_line", "return_line")
        .get(pk=rectification.pk)
    )
    row.order = order
    return row


@transaction.atomic
def start_rectification(
    rectification: Rectification, *, remedy: str, owner: "User", due: dt.date, actor: "User"
) -> Rectification:
    """Says how it is put right, by whom, until when; may be called again to plan anew.

    Raises PermissionDenied, TransitionRefused (done already; an order that was accepted on what was said before),
    ValidationError (nobody active, a date in the past, a remedy that does not fit what came back).
    """
    require(actor, "fulfilment.rectify_order")
    rectification = _locked(rectification)
    check_transition(rectification.begin, actor)
    if found := begin_blocked(rectification):
        raise TransitionRefused(found)
    if remedy not in dict(remedies(rectification)):
        raise ValidationError({"remedy": _("Choose one of the offered ways.")})
    if not owner.is_active:
        raise ValidationError({"owner": _("Choose somebody who is active.")})
    if due < business_today():
        raise ValidationError({"due": _("The date is in the past.")})
    rectification.remedy, rectification.owner, rectification.due = remedy, owner, due
    rectification.begin()
    rectification.full_clean(exclude=["state"])
    rectification.save()
    record(
        events.RECTIFICATION_STARTED, rectification, root=rectification.order, actor=actor,
        line=rectification.order_line.position, owner=owner.name, owner_id=owner.pk, due=str(due), remedy=remedy,
    )  # fmt: skip
    if rectification.came_back:
        order = note_returned(rectification.order, {}, open_returns=undelivered(rectification.order), actor=actor)
        accept_what_is_left(order, actor=actor)
    return rectification


def begin_blocked(rectification: Rectification) -> list[Blocker]:
    """Why nothing else can be said of what follows; empty when it can. What came back of an accepted order is credited:
    nothing more leaves for it."""
    if not rectification.came_back or rectification.order.state in RETURNABLE:
        return []
    told = {"state": rectification.order.state_label}
    return [Blocker(_("Goods leave before the order is accepted; this one is: %(state)s.") % told)]


def remedies(rectification: Rectification) -> list[tuple[str, Any]]:
    """The ways to put it right: the customer can't keep what came back, and what was scrapped is not repaired."""
    ways = Rectification.Remedy
    if rectification.return_line is None:
        return list(ways.choices)
    offered = [ways.REPLACE, ways.CREDIT]
    if rectification.return_line.disposition == GoodsReturnLine.Disposition.REPAIR:
        offered.insert(0, ways.REPAIR)
    names = {
        ways.REPAIR: _("Send it back repaired"),
        ways.REPLACE: _("Send new goods"),
        ways.CREDIT: _("Give a credit"),
    }
    return [(way.value, names[way]) for way in offered]


def accept_what_is_left(order: Order, *, actor: "User") -> None:
    """Once nothing of the order waits any more, it is accepted on the word of its last examination. Where nothing was
    accepted, a criterion was never examined, or who acts may not say so, it stays for somebody else."""
    if order.state != Order.State.SHIPPED or not actor.has_perm("fulfilment.accept_order"):
        return
    if not any(line.qty_accepted > 0 for line in order.order_lines):
        return
    last = Acceptance.objects.filter(order=order).order_by("-pk").first()
    blocked = acceptance_blocked(order, actor) or blockers(order.accept) or open_criteria(order)
    if last is not None and not blocked:
        accept_order(order, evidence=f"{last.signed_by}: {last.evidence}", actor=actor)


def complete_blocked(rectification: Rectification) -> list[Blocker]:
    """Why it can't be reported as put right now: what is still wrong, and for new goods what stops every shipment."""
    if rectification.came_back:
        return [Blocker(_("It came back: it ends when goods are sent again, or with a credit by finance."))]
    found = open_defects(rectification)
    return found + halted(rectification.order) if rectification.replaces_goods else found


@transaction.atomic
def complete_rectification(
    rectification: Rectification, *, result: str, faulty: str = "", cost: Decimal = ZERO, actor: "User"
) -> Rectification:
    """It is put right and delivered again. The last one takes the order back to shipped, for the next round.

    Goods that are replaced leave the stock in a shipment of their own; `faulty` says what becomes of the rejected ones
    (a disposition, "" when they stay with the customer); `cost` is what it cost us, in the order's currency.
    Raises PermissionDenied, TransitionRefused (not planned, done already, defects that are not corrected, goods of an
    order on hold or with a change that nobody read), ValidationError (no result, too little stock).
    """
    require(actor, "fulfilment.rectify_order")
    rectification = _locked(rectification)
    check_transition(rectification.complete, actor)
    if found := complete_blocked(rectification):
        raise TransitionRefused(found)
    if cost < 0:
        raise ValidationError({"cost": _("A cost is not negative.")})
    if faulty and faulty not in GoodsReturnLine.Disposition.values:
        raise ValidationError({"faulty": _("Choose one of the offered ways.")})
    _finish(rectification, result, actor)
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


def send_blocked(rectification: Rectification) -> list[Blocker]:
    """Why nothing can be sent for what came back now; empty when it can."""
    if not rectification.sends_again:
        return [Blocker(_("Only what is to be sent again, repaired or new, leaves here."))]
    if rectification.order.state not in RETURNABLE:
        told = {"state": rectification.order.state_label}
        return [Blocker(_("Goods leave before the order is accepted; this one is: %(state)s.") % told)]
    return halted(rectification.order)


@transaction.atomic
def send_returned(
    rectification: Rectification,
    *,
    result: str,
    carrier: str = "",
    tracking_number: str = "",
    cost: Decimal = ZERO,
    actor: "User",
) -> Rectification:
    """Sends to the customer what came back and was repaired, or new goods for it, with a delivery note of its own; it
    waits for acceptance again.

    Raises PermissionDenied, TransitionRefused (not planned so, sent already, an order on hold or with a change that
    nobody read), ValidationError (no result, too little stock, not inspected).
    """
    require(actor, "fulfilment.ship_order")
    rectification = _locked(rectification)
    check_transition(rectification.send, actor)
    if found := send_blocked(rectification):
        raise TransitionRefused(found)
    if cost < 0:
        raise ValidationError({"cost": _("A cost is not negative.")})
    _finish(rectification, result, actor)
    rectification.cost = quantise(cost, rectification.order.currency)
    rectification.send()
    rectification.save()
    send_again(rectification, event=events.SENT_AGAIN, carrier=carrier, tracking_number=tracking_number, actor=actor)
    order, line = rectification.order, rectification.order_line
    note_returned(order, {line.pk: -rectification.quantity}, open_returns=undelivered(order), actor=actor)
    return rectification


@transaction.atomic
def credit_returned(rectification: Rectification, *, result: str, actor: "User") -> Rectification:
    """Finance proposed the credit for what came back: nothing more is to be done here.

    Raises PermissionDenied, TransitionRefused (it did not come back, or is not to be credited).
    """
    rectification = _locked(rectification)
    check_transition(rectification.credit, actor)
    if not rectification.came_back or rectification.remedy != Rectification.Remedy.CREDIT:
        raise TransitionRefused([Blocker(_("Nothing is to be credited for it."))])
    _finish(rectification, result, actor)
    rectification.credit()
    rectification.save()
    record(
        events.RECTIFICATION_DONE, rectification, root=rectification.order, actor=actor,
        line=rectification.order_line.position, result=rectification.result,
    )  # fmt: skip
    return rectification


def _finish(rectification: Rectification, result: str, actor: "User") -> None:
    if not result.strip():
        raise ValidationError({"result": _("Say what was done.")})
    rectification.result, rectification.done_at, rectification.done_by = result.strip(), timezone.now(), actor
