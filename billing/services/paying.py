"""Payments: `record_payment` and `cancel_payment`."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import events
from billing.models import Payment
from customers.models import Customer
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.documents.services import take_number
from ordermgmt.lib.fsm import check_transition
from ordermgmt.lib.money import total

from .allocating import check_shares, laid_of, lay, lock_instalments, record_laid, suggest
from .base import check_amount, money, refuse, require
from .early import take_back_discounts
from .exchanging import rate_on

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


_KEPT = (
    "number",
    "customer",
    "currency",
    "amount",
    "received_on",
    "method",
    "instalments",
    "reference",
    "remittance",
    "state",
    "key",
)


def record_payment(
    *,
    customer: Customer,
    amount: Decimal,
    received_on: dt.date,
    key: str,
    actor: "User",
    currency: str = "",
    method: str = Payment.Method.BANK,
    reference: str = "",
    remittance: str = "",
    instalments: int = 1,
    allocations: Mapping[int, Decimal] | None = None,
) -> Payment:
    """Books money that came in and lays it on instalments.

    `allocations` are shares by instalment key; None lays it on documents named in `remittance`, then on the oldest
    due. What is left over is the customer's credit. `instalments` tells in how many parts the payer is charged for it,
    where a card company does that. The same `key` twice gives back the first payment. Raises
    ValidationError for a wrong amount or date, TransitionRefused for a share above what is open (P10, P11),
    PermissionDenied without the right.
    """
    require(actor, "billing.record_payment")
    if method == Payment.Method.WRITE_OFF:
        raise ValidationError({"method": _("A write-off is no money that came in: write off the invoice.")})
    currency = currency or customer.currency
    amount = check_amount(amount, currency)
    if received_on > business_today():
        raise ValidationError({"received_on": _("A payment can't arrive in the future.")})
    payment = Payment(
        customer=customer, customer_name=customer.name, currency=currency, amount=amount, received_on=received_on,
        method=method, reference=reference, remittance=remittance, instalments=instalments, key=key, recorded_by=actor,
    )  # fmt: skip
    try:
        with transaction.atomic():
            earlier = Payment.objects.filter(key=key).first()
            return earlier or book(payment, allocations, actor)
    except IntegrityError:
        # The same form sent twice at once: the other one was faster.
        earlier = Payment.objects.filter(key=key).first()
        if earlier is None:
            raise
        return earlier


def book(payment: Payment, allocations: Mapping[int, Decimal] | None, actor: "User") -> Payment:
    """Numbers a payment (or a write-off, in a series of its own), saves it and lays it on instalments, all under lock."""
    if allocations is None:
        first = suggest(payment.customer, payment.currency, payment.amount, payment.remittance)
        rows = lock_instalments(first, retained=True)
        # Under lock some may be paid meanwhile: their shares become credit.
        shares = {pk: min(share, rows[pk].open) for pk, share in first.items() if rows[pk].open > 0}
    else:
        shares = {pk: share for pk, share in allocations.items() if share}
        rows = lock_instalments(shares, retained=True)
    check_shares(rows, shares, payment.customer, payment.currency)
    if total(shares.values()) > payment.amount:
        raise ValidationError({"amount": _("More is laid on invoices than came in.")})
    year = payment.received_on.year
    prefix, series = ("WO", "write-off") if payment.method == Payment.Method.WRITE_OFF else ("PAY", "payment")
    payment.number = f"{prefix}-{year}-{take_number(series, period=str(year)):05d}"
    payment.base_rate = rate_on(payment.currency, payment.received_on)
    payment.save()
    record(
        events.PAYMENT_RECORDED, payment, root=payment.customer, actor=actor, after=snapshot(payment, *_KEPT),
        number=payment.number, amount=money(payment.amount, payment.currency), currency=payment.currency,
    )  # fmt: skip
    lay(rows, shares, payment=payment, actor=actor, since=payment.received_on)
    payment.save(update_fields=["allocated"])
    record_laid(payment, rows, shares, actor)
    payment.refresh_from_db(fields=["unallocated"])
    return payment


@transaction.atomic
def cancel_payment(payment: Payment, *, reason: str, actor: "User") -> Payment:
    """Takes a payment back (bounced, booked by mistake): counter-allocations open its instalments again.

    Somebody else than the recorder does it. Raises TransitionRefused for the recorder, for a second time, and where
    it is laid on a settled order.
    """
    laid = laid_of(payment)
    rows = lock_instalments(laid, retained=True)
    payment = Payment.objects.locked(payment.pk)
    check_transition(payment.cancel, actor)
    if payment.recorded_by_id == actor.pk:
        raise refuse(_("You recorded this payment: somebody else must cancel it."))
    if payment.refunds.exists():
        raise refuse(_("Some of this payment was given back: it can't be cancelled."))
    if laid != laid_of(payment):
        raise refuse(_("The payment was moved just now. Try again."), payment.get_absolute_url(), _("Open the payment"))
    lay(rows, {key: -share for key, share in laid.items()}, payment=payment, actor=actor, reason=reason[:100])
    payment.cancel()
    payment.cancelled_by, payment.cancelled_at, payment.cancel_reason = actor, timezone.now(), reason
    payment.cancelled_on = business_today()
    payment.version += 1
    payment.save()
    take_back_discounts(payment, {row.invoice.pk: row.invoice for row in rows.values() if row.invoice}.values())
    record(
        events.PAYMENT_CANCELLED, payment, root=payment.customer, actor=actor, before={"state": "recorded"},
        after={"state": payment.state}, number=payment.number, amount=money(payment.amount, payment.currency), currency=payment.currency,
        reason=reason,
    )  # fmt: skip
    return payment
