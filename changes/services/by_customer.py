"""What the customer does to a change request: asks for one, takes it back, agrees, says no.

The portal calls these when it knows who asks (`contact`, the name that stays on record) and that the order is theirs. The
application itself is the actor: a customer's request is judged and approved by us like any other, and their consent
stands for exactly the content that was on their screen (`content_hash`).
"""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from changes.models import ChangeReason, ChangeRequest, Consent
from ordermgmt.accounts.services import system_user
from ordermgmt.company.services import business_today
from orders.models import Order
from orders.services import locked as locked_order

from .base import locked, refuse
from .judging import record_consent
from .raising import raise_change, refuse_change, submit_change, withdraw_change

if TYPE_CHECKING:
    from .values import Op

_SOURCE = ChangeRequest.Source.CUSTOMER


@transaction.atomic
def ask_as_customer(
    order: Order, *, contact: str, reason: ChangeReason, text: str, operations: "Sequence[Op]", key: str,
    wished_date: dt.date | None = None,
) -> ChangeRequest:  # fmt: skip
    """Asks for a change in the customer's name and submits it. The same `key` twice is one request.

    Raises TransitionRefused (a state that allows none, nothing in it), ValidationError (no name, an operation).
    """
    order = locked_order(order)
    known = ChangeRequest.objects.filter(source_key=f"customer:{order.pk}:{key}").first()
    if known is not None:
        return known
    change = raise_change(
        order, reason=reason, text=text, operations=operations, wished_date=wished_date, source=_SOURCE,
        contact=_named(contact), source_key=f"customer:{order.pk}:{key}", actor=system_user(),
    )  # fmt: skip
    return submit_change(change, actor=system_user())


@transaction.atomic
def withdraw_as_customer(change: ChangeRequest, *, contact: str, reason: str) -> ChangeRequest:
    """The customer does not want it any more; only what they asked for. Raises TransitionRefused."""
    change, _order = locked(change)
    if change.source != _SOURCE or change.requested_by_id != system_user().pk:
        raise refuse(_("Only what the customer asked for is theirs to withdraw."))
    return withdraw_change(change, reason=f"{_named(contact)}: {reason}"[:500], actor=system_user())


@transaction.atomic
def consent_as_customer(change: ChangeRequest, *, contact: str, content_hash: str, evidence: str) -> Consent:
    """The customer agrees to the content that was on their screen. Twice is once.

    Raises TransitionRefused where it is another content by now, not judged yet or decided.
    """
    change, _order = locked(change)
    _same(change, content_hash)
    return record_consent(
        change, given_by=_named(contact), given_on=business_today(), evidence=evidence, actor=system_user()
    )


@transaction.atomic
def decline_as_customer(change: ChangeRequest, *, contact: str, content_hash: str, reason: str) -> ChangeRequest:
    """The customer says no to what was on their screen: the request is refused. Raises TransitionRefused."""
    change, _order = locked(change)
    _same(change, content_hash)
    if change.requested_by_id == system_user().pk:
        return withdraw_change(change, reason=f"{_named(contact)}: {reason}"[:500], actor=system_user())
    return refuse_change(change, reason=f"{_named(contact)}: {reason}"[:500], actor=system_user())


def _same(change: ChangeRequest, content_hash: str) -> None:
    if not content_hash or change.content_hash != content_hash:
        raise refuse(_("The change is another by now: look at it again."), change.get_absolute_url())


def _named(contact: str) -> str:
    if not contact.strip():
        raise ValidationError({"contact": _("Say who asks.")})
    return contact.strip()[:150]
