"""What was said about a late document: `note_collection`, `close_collection_note`."""

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import events
from billing.models import CollectionNote, Invoice
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import check_transition

from .base import refuse, require, root_of

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_KEPT = ("kind", "text", "promised_on", "follow_up_on", "state", "outcome")


@transaction.atomic
def note_collection(
    invoice: Invoice,
    *,
    kind: str,
    text: str,
    actor: "User",
    promised_on: dt.date | None = None,
    follow_up_on: dt.date | None = None,
) -> CollectionNote:
    """Notes a call, a promise, a dispute or a remark about an issued document.

    A dispute holds its reminders until it is closed, a promise until its day. Raises ValidationError for a promise
    without a day or for a past one, TransitionRefused for a draft, a credit note, and a second open dispute;
    PermissionDenied without the right.
    """
    require(actor, "billing.note_collection")
    invoice = Invoice.objects.locked(invoice.pk)
    if invoice.is_draft or invoice.is_credit:
        raise refuse(_("Only an issued invoice is collected."), invoice.get_absolute_url(), _("Open the invoice"))
    today = business_today()
    if kind == CollectionNote.Kind.PROMISE and (promised_on is None or promised_on < today):
        raise ValidationError({"promised_on": _("A promise names a day from today on.")})
    if follow_up_on is not None and follow_up_on < today:
        raise ValidationError({"follow_up_on": _("This day is over.")})
    standing = CollectionNote.objects.standing().filter(invoice=invoice)
    if kind == CollectionNote.Kind.DISPUTE and standing.filter(kind=kind).exists():
        raise refuse(_("This invoice is disputed already."), invoice.get_absolute_url(), _("Open the invoice"))
    if kind == CollectionNote.Kind.PROMISE:
        follow_up_on = follow_up_on or _day_after(promised_on)
    else:
        promised_on = None
    one = CollectionNote.objects.create(
        invoice=invoice, kind=kind, text=text, promised_on=promised_on, follow_up_on=follow_up_on, by=actor
    )
    record(
        events.COLLECTION_NOTED, one, root=root_of(invoice), actor=actor, after=snapshot(one, *_KEPT),
        number=invoice.number, what=kind, text=text,
    )  # fmt: skip
    return one


def _day_after(day: dt.date | None) -> dt.date | None:
    return day if day in (None, dt.date.max) else day + dt.timedelta(days=1)


@transaction.atomic
def close_collection_note(one: CollectionNote, *, actor: "User", outcome: str = "") -> CollectionNote:
    """Says that nothing is left to do; a dispute needs to say how it ended.

    Raises TransitionRefused a second time, ValidationError for a dispute without outcome, PermissionDenied.
    """
    one = CollectionNote.objects.locked(one.pk)
    check_transition(one.close, actor)
    if one.kind == CollectionNote.Kind.DISPUTE and not outcome.strip():
        raise ValidationError({"outcome": _("Say how the dispute ended.")})
    before = snapshot(one, *_KEPT)
    one.close()
    one.closed_by, one.closed_at, one.outcome = actor, timezone.now(), outcome
    one.version += 1
    one.save()
    record(
        events.COLLECTION_CLOSED, one, root=root_of(one.invoice), actor=actor, before=before, after=snapshot(one, *_KEPT),
        number=one.invoice.number, what=one.kind, outcome=outcome,
    )  # fmt: skip
    return one
