"""Bank entries become payments or take them back: `book_line`, `return_line`, `set_line_aside`, `take_line_up`."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from billing import events
from billing.models import BankLine, Payment
from customers.models import Customer
from ordermgmt.activity.events import EventType
from ordermgmt.activity.services import record
from ordermgmt.lib.conflict import StaleVersion
from ordermgmt.lib.fsm import TransitionRefused, check_transition

from .bank_matching import match_lines, sure_match
from .base import money, refuse, require
from .paying import cancel_payment, record_payment

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User


@transaction.atomic
def book_line(
    line: BankLine,
    *,
    actor: "User",
    customer: Customer | None = None,
    allocations: Mapping[int, Decimal] | None = None,
    version: int | None = None,
    among: Iterable[int] | None = None,
) -> BankLine:
    """Records what came in as a payment of `customer`, laid on `allocations` (shares by instalment key).

    Without a customer it is booked as suggested, and only where that is sure; `among` are the customers that it was
    found to be of a moment ago. Raises TransitionRefused for an entry
    that is ambiguous, went out, or was dealt with; StaleVersion; PermissionDenied without the right.
    """
    line = _locked(line, version)
    check_transition(line.book, actor)
    if line.amount < 0:
        raise refuse(
            _("This money went out: it is no payment of a customer."), line.get_absolute_url(), _("Open the entry")
        )
    if customer is None:
        match = sure_match(line, among)
        if match is None:
            raise refuse(
                _("It is not sure whose money this is: choose the customer."),
                line.get_absolute_url(),
                _("Open the entry"),
            )
        customer, allocations = match.customer, match.shares
    payment = record_payment(
        customer=customer, amount=line.amount, currency=line.currency, received_on=line.booked_on,
        # Taken up again after its payment was cancelled, an entry is booked anew.
        key=f"bank:{line.pk}:{line.version}", reference=line.reference, remittance=line.text[:300],
        allocations=allocations, actor=actor,
    )  # fmt: skip
    line.book()
    return _done(line, events.BANK_LINE_BOOKED, actor, payment=payment, root=payment.customer, number=payment.number)


@transaction.atomic
def return_line(line: BankLine, *, payment: Payment, actor: "User", version: int | None = None) -> BankLine:
    """Takes the payment back that an entry says has bounced: its invoices are open again.

    Raises TransitionRefused for a payment of another amount or currency, and as `cancel_payment` does.
    """
    line = _locked(line, version)
    check_transition(line.give_back, actor)
    if payment.amount != -line.amount or payment.currency != line.currency:
        raise refuse(
            _("%(number)s is not over this amount.") % {"number": payment.number}, payment.get_absolute_url(),
            _("Open the payment"),
        )  # fmt: skip
    payment = cancel_payment(
        payment, reason=_("Came back: %(text)s") % {"text": line.text[:200] or line.reference}, actor=actor
    )
    line.give_back()
    return _done(line, events.BANK_LINE_RETURNED, actor, payment=payment, root=payment.customer, number=payment.number)


@transaction.atomic
def set_line_aside(line: BankLine, *, reason: str, actor: "User") -> BankLine:
    """Says that an entry is no customer's money, and why. Raises TransitionRefused where it was dealt with."""
    line = _locked(line)
    check_transition(line.set_aside, actor)
    line.set_aside()
    line.reason = reason
    return _done(line, events.BANK_LINE_ASIDE, actor, reason=reason)


@transaction.atomic
def take_line_up(line: BankLine, *, actor: "User") -> BankLine:
    """Lets an entry wait again that was set aside, or whose payment was cancelled.

    Raises TransitionRefused while its payment stands.
    """
    line = _locked(line)
    check_transition(line.take_up, actor)
    payment = line.payment
    if payment is not None and payment.state == Payment.State.RECORDED:
        raise refuse(
            _("Its payment %(number)s stands: cancel that first.") % {"number": payment.number},
            payment.get_absolute_url(), _("Open the payment"),
        )  # fmt: skip
    line.take_up()
    line.reason = ""
    return _done(line, events.BANK_LINE_UP, actor)


def _locked(line: BankLine, version: int | None = None) -> BankLine:
    fresh = BankLine.objects.locked(line.pk)
    if version is not None and fresh.version != version:
        raise StaleVersion(fresh)
    return fresh


def _done(
    line: BankLine, event: EventType, actor: "User", *, payment: Payment | None = None, root: Any = None, **told: Any
) -> BankLine:
    line.payment, line.by, line.at = payment, actor, timezone.now()
    line.version += 1
    line.save()
    record(
        event, line, root=root or line.account, actor=actor, after={"state": line.state}, day=line.booked_on.isoformat(),
        amount=money(abs(line.amount), line.currency), currency=line.currency, **told,
    )  # fmt: skip
    return line


def book_sure_lines(lines: list[BankLine], *, actor: "User") -> tuple[int, int]:
    """Books every entry that is sure, each for itself. Returns how many were booked and how many wait for a person."""
    require(actor, "billing.record_payment")
    booked = 0
    # All are looked through at once; only those that seem sure are asked again, each under its lock.
    matches = match_lines(lines)
    for line in lines:
        own = matches.get(line.pk, [])
        if not any(match.sure for match in own):
            continue
        try:
            book_line(line, among=[match.customer_id for match in own], actor=actor)
        except TransitionRefused:
            continue
        booked += 1
    return booked, len(lines) - booked
