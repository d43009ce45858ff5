"""Write-offs: `ask_write_off`, `approve_write_off`, `refuse_write_off`."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import events
from billing.models import Allocation, Instalment, Invoice, Payment, WriteOff
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today
from ordermgmt.lib.fsm import Blocker, TransitionRefused, check_transition
from ordermgmt.lib.instalments import OpenItem, allocate
from ordermgmt.lib.money import ZERO, quantise, unit
from orders.models import Order

from .allocating import lock_instalments
from .base import check_amount, refuse, require, root_of
from .paying import book

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

#: So many smallest units of a currency may be written off without a second person: 1.00 EUR, 100 JPY.
TOLERANCE_UNITS = 100
_KEPT = ("invoice", "amount", "currency", "reason", "state", "within_tolerance")


def tolerance(currency: str) -> Decimal:
    """The most that one person may write off of a document."""
    return unit(currency) * TOLERANCE_UNITS


def write_off_blocked(invoice: Invoice, actor: "User") -> list[Blocker]:
    """Why this very person can't ask to write a document off; empty when they can."""
    own = invoice.issued_by_id == actor.pk
    return [Blocker(_("You issued this document: somebody else must write it off."))] if own else []


def decision_blocked(one: WriteOff, actor: "User") -> list[Blocker]:
    """Why this very person can't book a write-off that was asked for; empty when they can."""
    own = actor.pk in (one.asked_by_id, one.invoice.issued_by_id)
    return [Blocker(_("You asked for it or issued the document: somebody else must decide."))] if own else []


@transaction.atomic
def ask_write_off(invoice: Invoice, *, amount: Decimal, reason: str, key: str, actor: "User") -> WriteOff:
    """Asks to give up so much of a document. Within the tolerance, all write-offs of the document counted, it is booked
    at once; above it waits for a second person. The same `key` twice asks once.

    Raises ValidationError for a wrong amount, TransitionRefused for the issuer of the document and for more than is
    open, PermissionDenied without the right.
    """
    require(actor, "billing.write_off")
    rows = lock_instalments(invoice.instalments.values_list("pk", flat=True))
    invoice = Invoice.objects.locked(invoice.pk)
    if earlier := WriteOff.objects.filter(key=key).first():
        return earlier
    amount = check_amount(amount, invoice.currency)
    if found := write_off_blocked(invoice, actor):
        raise TransitionRefused(found)
    _check_open(invoice, rows, amount)
    before = WriteOff.objects.standing().filter(invoice=invoice)
    given_up = sum(before.values_list("amount", flat=True), ZERO)
    small = given_up + amount <= tolerance(invoice.currency)
    one = WriteOff.objects.create(
        invoice=invoice, currency=invoice.currency, amount=amount, reason=reason, key=key, asked_by=actor,
        within_tolerance=small,
    )  # fmt: skip
    record(
        events.WRITE_OFF_ASKED, one, root=root_of(invoice), actor=actor, after=snapshot(one, *_KEPT),
        number=invoice.number, amount=invoice.money(amount), currency=invoice.currency, reason=reason,
    )  # fmt: skip
    return _book(one, invoice, actor) if small else one


def written_off(order: Order) -> Decimal:
    """What of an order's documents is given up. It counts in what is paid, so that the account closes."""
    rows = Allocation.objects.filter(instalment__invoice__order=order, payment__method=Payment.Method.WRITE_OFF)
    return quantise(rows.aggregate(sum=Sum("amount"))["sum"] or ZERO, order.currency)


def _check_open(invoice: Invoice, rows: dict[int, Instalment], amount: Decimal) -> None:
    left = sum((row.open for row in rows.values()), ZERO)
    if invoice.is_draft or invoice.is_credit or amount > left:
        raise refuse(
            _("%(number)s has only %(open)s %(currency)s open.")
            % {"number": invoice, "open": invoice.money(left), "currency": invoice.currency},
            invoice.get_absolute_url(), _("Open the invoice"),
        )  # fmt: skip


@transaction.atomic
def approve_write_off(one: WriteOff, *, actor: "User", remark: str = "") -> WriteOff:
    """Books a write-off that somebody else asked for. Raises TransitionRefused for who asked, for the issuer of the
    document, a second time, and where less is open meanwhile; PermissionDenied without the right.
    """
    require(actor, "billing.approve_write_off")
    lock_instalments(one.invoice.instalments.values_list("pk", flat=True))
    invoice = Invoice.objects.locked(one.invoice_id)
    one = WriteOff.objects.select_for_update(no_key=True, of=("self",)).get(pk=one.pk)
    check_transition(one.book, actor)
    if found := decision_blocked(one, actor):
        raise TransitionRefused(found)
    one.remark = remark
    return _book(one, invoice, actor)


@transaction.atomic
def refuse_write_off(one: WriteOff, *, actor: "User", remark: str) -> WriteOff:
    """Leaves the amount owed. Raises TransitionRefused for who asked and a second time, PermissionDenied without the right."""
    require(actor, "billing.approve_write_off")
    one = WriteOff.objects.select_for_update(no_key=True, of=("self",)).select_related("invoice").get(pk=one.pk)
    check_transition(one.refuse, actor)
    if one.asked_by_id == actor.pk:
        raise refuse(_("You asked for it or issued the document: somebody else must decide."), one.get_absolute_url())
    one.refuse()
    one.decided_by, one.decided_at, one.remark = actor, timezone.now(), remark
    one.version += 1
    one.save()
    record(
        events.WRITE_OFF_REFUSED, one, root=root_of(one.invoice), actor=actor, after=snapshot(one, *_KEPT),
        number=one.invoice.number, amount=one.invoice.money(one.amount), currency=one.currency, reason=remark,
    )  # fmt: skip
    return one


def _book(one: WriteOff, invoice: Invoice, actor: "User") -> WriteOff:
    today: dt.date = business_today()
    owed = Instalment.objects.owed().filter(invoice=invoice)
    items = [OpenItem(row.pk, row.due_date, row.open) for row in owed]
    shares, rest = allocate(one.amount, items)
    if rest:
        _check_open(invoice, {row.pk: row for row in owed}, one.amount)
    payment = Payment(
        customer=invoice.customer, customer_name=invoice.customer_name, currency=one.currency, amount=one.amount,
        received_on=max(today, invoice.issue_date or today), method=Payment.Method.WRITE_OFF, remittance=one.reason,
        key=f"write-off:{one.pk}", recorded_by=actor,
    )  # fmt: skip
    one.payment = book(payment, dict(shares), actor)
    one.decided_by, one.decided_at = actor, timezone.now()
    one.version += 1
    one.book()
    one.save()
    record(
        events.WRITE_OFF_BOOKED, one, root=root_of(invoice), actor=actor, after=snapshot(one, *_KEPT),
        number=invoice.number, amount=invoice.money(one.amount), currency=one.currency,
    )  # fmt: skip
    return one
