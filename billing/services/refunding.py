"""`refund_credit`: money that a customer has to their credit goes back, by somebody else than who recorded it."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Payment, Refund
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today

from .base import check_amount, money, refuse, require

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def refund_credit(
    payment: Payment, *, amount: Decimal, reason: str, key: str, actor: "User", on: dt.date | None = None
) -> Payment:
    """Books what was given back of a payment's credit; the same `key` twice books once.

    Raises ValidationError for a wrong amount or date, TransitionRefused for the recorder of the payment, for a
    cancelled one and for more than its credit, PermissionDenied without the right.
    """
    require(actor, "billing.refund_payment")
    payment = Payment.objects.locked(payment.pk)
    if Refund.objects.filter(key=key).exists():
        return payment
    day = on or business_today()
    if day > business_today() or day < payment.received_on:
        raise ValidationError({"on": _("Money is given back between its arrival and today.")})
    amount = check_amount(amount, payment.currency)
    if payment.method == Payment.Method.WRITE_OFF:
        raise refuse(_("What was written off never came in: there is nothing to give back."))
    if payment.recorded_by_id == actor.pk:
        raise refuse(_("You recorded this payment: somebody else must refund it."))
    if payment.state != Payment.State.RECORDED or amount > payment.amount - payment.allocated:
        raise refuse(_("The payment has no such credit left."), payment.get_absolute_url(), _("Open the payment"))
    refund = Refund.objects.create(
        payment=payment, amount=amount, on=day, reason=reason, key=key, recorded_by_id=payment.recorded_by_id, by=actor
    )
    payment.allocated += amount
    payment.version += 1
    payment.save(update_fields=["allocated", "version"])
    record(
        events.PAYMENT_REFUNDED, payment, root=payment.customer, actor=actor,
        after={"refund": snapshot(refund, "amount", "on", "reason", "key")}, number=payment.number,
        amount=money(amount, payment.currency), currency=payment.currency, reason=reason,
    )  # fmt: skip
    return payment
