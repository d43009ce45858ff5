"""Late interest: `set_late_fee_policy`, `propose_late_fees`, `charge_late_fee`, `waive_late_fee`."""

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, Sum
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from billing import events
from billing.models import Allocation, CollectionNote, Instalment, Invoice, LateFee, LateFeePolicy, Reminder
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_day, business_today, company_zone
from ordermgmt.lib.claims import InterestPolicy, InterestRate, late_interest
from ordermgmt.lib.fsm import check_transition
from ordermgmt.lib.money import ZERO, quantise
from orders.models import Order

from .allocating import lock_instalments
from .base import UNTAXED, lock_company, money, refuse, require, root_of
from .handwriting import draft_by_hand

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_KEPT = ("start", "annual", "year_days", "grace_days", "flat_fee", "cap")


@transaction.atomic
def set_late_fee_policy(*, start: dt.date, annual: Decimal, actor: "User", **terms: Any) -> LateFeePolicy:
    """Keeps the terms of late interest from a day on; those of earlier days stay as they were.

    Raises ValidationError for a rate below zero and for a day that has terms, PermissionDenied without the right.
    """
    require(actor, "billing.set_reminders")
    if annual < ZERO:
        raise ValidationError({"annual": _("A rate is not below zero.")})
    lock_company()
    if LateFeePolicy.objects.filter(start=start).exists():
        raise ValidationError({"start": _("There are terms of this day already.")})
    one = LateFeePolicy.objects.create(start=start, annual=annual, by=actor, **terms)
    record(
        events.LATE_TERMS_SET,
        one,
        actor=actor,
        after=snapshot(one, *_KEPT),
        rate=f"{annual.normalize():f}",
        day=start.isoformat(),
    )
    return one


def interest_policy(as_of: dt.date) -> InterestPolicy | None:
    """The terms on a day with the rates of all days before it; None where nobody has set any."""
    rows = list(LateFeePolicy.objects.filter(start__lte=as_of))
    if not rows:
        return None
    present = rows[0]
    rates = [InterestRate(one.start, annual=one.annual) for one in rows]
    return InterestPolicy(rates, present.year_days, present.grace_days, present.cap, present.flat_fee)


def interest_on(one: Instalment, as_of: dt.date) -> Decimal:
    """All interest and fee on an instalment from its due date to a day inclusive, whatever was claimed before."""
    policy = interest_policy(as_of)
    if policy is None or _asks_for_lateness(one.invoice_id):
        return ZERO
    rows = Allocation.objects.filter(instalment=one).values_list("on", "at", "amount")
    zone = company_zone()
    paid = [(on or business_day(at, zone), amount) for on, at, amount in rows]
    return late_interest(one.amount, one.due_date, as_of, paid, policy, one.currency)


def _asks_for_lateness(invoice: int | None) -> bool:
    """Whether a document asks for interest or a reminder's fee: neither bears interest in its turn."""
    if invoice is None:
        return False
    return LateFee.objects.filter(debit_note=invoice).exists() or Reminder.objects.filter(fee_note=invoice).exists()


@transaction.atomic
def propose_late_fees(invoice: Invoice, *, actor: "User", as_of: dt.date | None = None) -> Invoice:
    """Proposes what each late instalment of a document costs up to a day, less what was claimed before.

    An undecided claim is computed anew. Raises TransitionRefused where nothing is to be claimed, for a disputed
    document and where nobody has set terms; ValidationError for a day to come.
    """
    require(actor, "billing.propose_late_fee")
    as_of = as_of or business_today()
    if as_of > business_today():
        raise ValidationError({"as_of": _("Interest of the future is not known.")})
    claimed = invoice.instalments.all()
    if invoice.order is not None and invoice.order.state == Order.State.SETTLED:
        claimed = claimed.filter(kind=Instalment.Kind.RETENTION)  # what stands apart is collected after its day
    rows = lock_instalments(claimed.values_list("pk", flat=True), retained=True)
    invoice = Invoice.objects.locked(invoice.pk)
    if CollectionNote.objects.disputes().filter(invoice=invoice).exists():
        raise refuse(
            _("This invoice is disputed: settle that first."), invoice.get_absolute_url(), _("Open the invoice")
        )
    if invoice.is_draft or invoice.is_credit or interest_policy(as_of) is None:
        raise refuse(
            _("There are no terms of late interest for this day."), "/billing/late-fees/terms/", _("Set the terms")
        )
    made = [fee for row in rows.values() if (fee := _propose(row, as_of, actor)) is not None]
    if not made:
        raise refuse(_("Nothing is to be claimed: not late, within the grace, or claimed already."))
    for fee in made:
        record(
            events.LATE_FEE_PROPOSED, fee, root=root_of(invoice), actor=actor, number=invoice.number,
            amount=invoice.money(fee.amount), currency=fee.currency, day=as_of.isoformat(),
        )  # fmt: skip
    return invoice


def _propose(row: Instalment, as_of: dt.date, actor: "User") -> LateFee | None:
    # A claim whose draft was deleted asked for nothing.
    gone = Q(state=LateFee.State.CHARGED, debit_note=None)
    decided = LateFee.objects.filter(instalment=row).exclude(state=LateFee.State.PROPOSED).exclude(gone)
    before = quantise(decided.aggregate(sum=Sum("amount"))["sum"] or ZERO, row.currency)
    amount = interest_on(row, as_of) - before
    if amount <= ZERO:
        return None
    LateFee.objects.undecided().filter(instalment=row).delete()
    return LateFee.objects.create(
        instalment=row, currency=row.currency, amount=amount, as_of=as_of, days=(as_of - row.due_date).days,
        before=before, proposed_by=actor,
    )  # fmt: skip


@transaction.atomic
def charge_late_fee(fee: LateFee, *, actor: "User") -> LateFee:
    """Drafts the debit note that asks for a claim; it is issued like any other document.

    Raises TransitionRefused for who proposed it and a second time, PermissionDenied without the right.
    """
    fee = LateFee.objects.locked(fee.pk)
    check_transition(fee.charge, actor)
    if fee.proposed_by_id == actor.pk:
        raise refuse(_("You proposed it: somebody else must decide."))
    invoice = fee.instalment.invoice
    if invoice is None:  # an instalment without a document is never late
        raise refuse(_("Only an issued invoice is collected."))
    with translation.override(invoice.customer.language):  # it is printed
        due, until = (date_format(day, "SHORT_DATE_FORMAT") for day in (fee.instalment.due_date, fee.as_of))
        words = {"number": invoice.number, "due": due, "until": until}
        reason = _("Interest on late payment of %(number)s, due %(due)s, until %(until)s") % words
    line = {
        "description": reason, "unit": "pcs", "quantity": Decimal(1), "unit_price": fee.amount, "tax_category": UNTAXED,
        "tax_rate": ZERO,
    }  # fmt: skip
    fee.debit_note = draft_by_hand(
        invoice.customer, [line], actor=actor, currency=fee.currency, kind=Invoice.Kind.DEBIT_NOTE, original=invoice,
        reason=reason, source_key=f"late-fee:{fee.pk}",
    )  # fmt: skip
    fee.charge()
    return _decided(fee, actor)


@transaction.atomic
def waive_late_fee(fee: LateFee, *, reason: str, actor: "User") -> LateFee:
    """Lets a claim go, with a reason; it is not claimed again. Raises TransitionRefused a second time."""
    fee = LateFee.objects.locked(fee.pk)
    check_transition(fee.waive, actor)
    fee.reason = reason
    fee.waive()
    return _decided(fee, actor)


def _decided(fee: LateFee, actor: "User") -> LateFee:
    fee.decided_by, fee.decided_at = actor, timezone.now()
    fee.version += 1
    fee.save()
    invoice = fee.instalment.invoice
    record(
        events.LATE_FEE_DECIDED, fee, root=root_of(invoice) if invoice else fee, actor=actor, before={"state": "proposed"},
        after={"state": fee.state}, number=str(invoice), what=fee.state, amount=money(fee.amount, fee.currency), currency=fee.currency,
    )  # fmt: skip
    return fee
