"""Acceptance by silence: agreed days after the last delivery, with a warning before."""

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from fulfilment import events
from fulfilment.models import AcceptanceCertificate, AcceptanceTerm, Rectification, Shipment
from ordermgmt.accounts.services import require, system_user
from ordermgmt.activity.services import enqueue, record, snapshot
from ordermgmt.company.services import business_day, business_today, company_zone
from ordermgmt.documents.models import StoredFile
from ordermgmt.lib.fsm import TransitionRefused
from orders.models import Order
from orders.services import locked

from .accepting import accept_rest
from .criteria import agree_blocked

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

CERTIFICATE_JOB = "fulfilment.certificate"
#: So many days before, the people of the order are told.
WARN_DAYS = 3


@transaction.atomic
def agree_term(order: Order, *, days: int, actor: "User") -> Order:
    """Agrees after how many days of silence the order counts as accepted; again with other days replaces them.

    Raises PermissionDenied, TransitionRefused (the order is over), ValidationError at "days".
    """
    require(actor, "fulfilment.agree_criteria")
    order = locked(order)
    if found := agree_blocked(order):
        raise TransitionRefused(found)
    term = AcceptanceTerm.objects.filter(order=order).first() or AcceptanceTerm(order=order)
    if term.pk and term.days == days:
        return order
    was = snapshot(term) if term.pk else None
    term.days = days
    try:
        term.full_clean(exclude=["order"])
    except ValidationError as error:
        raise ValidationError({"days": error.messages}) from error
    term.save()
    record(events.TERM_AGREED, term, root=order, actor=actor, before=was, after=snapshot(term), days=days)
    return order


def deemed_on(order: Order) -> dt.date | None:
    """The first day on which silence counts as acceptance; None where no days are agreed or nothing is delivered."""
    term = AcceptanceTerm.objects.filter(order=order).first()
    shipments = Shipment.objects.filter(order=order).values_list("delivered_on", "shipped_at")
    if term is None or not shipments:
        return None
    zone = company_zone()
    # All of them: what left first may arrive last.
    days = [arrived or business_day(left, zone) for arrived, left in shipments]
    done = Rectification.objects.filter(order=order, done_at__isnull=False).order_by("-done_at").first()
    if done is not None and done.done_at is not None:
        days.append(business_day(done.done_at, zone))
    return max(days) + dt.timedelta(days=term.days)


def deem_due(today: dt.date | None = None) -> tuple[int, int]:
    """Warns of and records what silence accepts, each once; gives how many of both. Run by the schedule.

    Orders on hold wait: nothing is accepted while its people have stopped it, nor while goods that came back do.
    """
    today = today or business_today()
    silent = Order.objects.filter(
        state=Order.State.SHIPPED, on_hold=False, open_returns=0, acceptance_term__isnull=False
    )
    near = today + dt.timedelta(days=WARN_DAYS)
    done = [
        _deem(order, today) for order in silent.order_by("pk").iterator() if (day := deemed_on(order)) and day <= near
    ]
    return done.count("warned"), done.count("accepted")


@transaction.atomic
def _deem(order: Order, today: dt.date) -> str:
    order = locked(order)
    day = deemed_on(order)
    if day is None or order.state != Order.State.SHIPPED or order.on_hold or order.open_returns:
        return ""
    if today >= day:
        with translation.override(order.language):
            evidence = _("No objection until %(day)s: accepted by the days agreed.") % {
                "day": date_format(day, "SHORT_DATE_FORMAT")
            }
        accept_rest(
            order, events.DEEMED, evidence=evidence, signed_by="–", key=f"deemed:{order.pk}:{order.acceptance_round}",
            actor=system_user(), day=str(day),
        )  # fmt: skip
        return "accepted"
    term = AcceptanceTerm.objects.get(order=order)
    if term.warned_for == day:
        return ""
    was, term.warned_for = snapshot(term), day
    term.save()
    record(events.DEEMED_SOON, term, root=order, actor=None, before=was, after=snapshot(term), day=str(day))
    return "warned"


def request_certificate(order: Order, *, actor: "User | None") -> None:
    """Has the certificate of an accepted order made; asked twice it is one job."""
    enqueue(CERTIFICATE_JOB, key=f"{CERTIFICATE_JOB}:{order.pk}", params={"order": order.pk}, actor=actor)


def keep_certificate(order: Order, stored: StoredFile) -> AcceptanceCertificate:
    """Keeps the certificate, once: the one that is kept already wins."""
    kept, _made = AcceptanceCertificate.objects.get_or_create(order=order, defaults={"file": stored})
    return kept
