"""What money and credit notes clear of foreign documents in the company's own currency, in the order it happened.

Every row of the past stays as it was: what is taken off again is a row of its own, on its day.
"""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db.models import Q

from billing.models import Allocation, Payment, Refund
from customers.models import Customer
from ordermgmt.company.services import business_day, default_seller
from ordermgmt.lib.claims import BaseBalance
from ordermgmt.lib.money import ZERO, quantise

if TYPE_CHECKING:
    from django.db.models import QuerySet


@dataclass(frozen=True)
class Clearing:
    """One share laid on a foreign document, or (negative) taken off it.

    `cleared` is what it takes of the booked base amount, `worth` what it is worth at the payment's rate: the difference
    is gained or lost. A write-off and a credit note are worth what they clear. `worth` is None without a rate.
    """

    key: int
    day: dt.date
    at: dt.date
    invoice: int
    payment: int | None
    credit_note: int | None
    amount: Decimal
    cleared: Decimal
    worth: Decimal | None

    @property
    def result(self) -> Decimal:
        """The gain; a loss is negative. 0 where nobody knows a rate."""
        return ZERO if self.worth is None else self.worth - self.cleared


@dataclass
class Clearings:
    """All shares until a day, and what each refund took of its payment's base amount, by its key."""

    rows: list[Clearing]
    refunds: dict[int, Decimal]

    def first_cleared(self) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
        """What payments and what credit notes cleared when they were laid, by their keys."""
        payments: dict[int, Decimal] = defaultdict(lambda: ZERO)
        notes: dict[int, Decimal] = defaultdict(lambda: ZERO)
        for one in self.rows:
            if one.amount > ZERO and one.payment is not None:
                payments[one.payment] += one.cleared
            elif one.amount > ZERO:
                notes[one.credit_note or 0] += one.cleared
        return payments, notes


def clearings(customers: "QuerySet[Customer]", *, start: dt.date | None = None, end: dt.date) -> Clearings:
    """Every share on a document that has a rate, laid or taken off until `end`, in the order of their making.

    With `start` only documents and payments are read of which something was laid, taken off or given back since.
    """
    seller = default_seller()
    base, zone = seller.currency, ZoneInfo(seller.time_zone)
    mine = Allocation.objects.filter(instalment__customer__in=customers.values("pk"))
    rows = mine.filter(instalment__invoice__base_rate__isnull=False).select_related("payment", "instalment__invoice")
    given = Refund.objects.filter(payment__customer__in=customers.values("pk"), payment__base_rate__isnull=False)
    if start is not None:
        since = mine.filter(Q(on__gte=start) | Q(on=None)).order_by()
        rows = rows.filter(instalment__invoice__in=since.values("instalment__invoice"))
        paid = Q(payment__in=since.filter(payment__isnull=False).values("payment"))
        paid |= Q(payment__in=given.filter(on__gte=start).values("payment"))
        mine, given = mine.filter(paid), given.filter(paid)
    worth, refunds = _worth(mine, given, base)
    documents: dict[int, BaseBalance] = {}
    found = []
    for one in rows.order_by("pk"):
        invoice, payment = one.instalment.invoice, one.payment
        if invoice is None:
            continue
        own = BaseBalance.of(invoice.due, invoice.base_rate or ZERO, invoice.currency, base)
        balance = documents.setdefault(invoice.pk, own)
        # A payment and a credit note may have the same key.
        source = one.payment_id or -(one.credit_note_id or 0)
        amount = quantise(one.amount, invoice.currency)
        cleared = balance.move(amount, source)
        given_up = payment is None or payment.method == Payment.Method.WRITE_OFF
        laid = business_day(one.at, zone)
        day = one.on or laid
        if day <= end:
            found.append(
                Clearing(one.pk, day, laid, invoice.pk, one.payment_id, one.credit_note_id, amount, cleared,
                         cleared if given_up else worth.get(one.pk))
            )  # fmt: skip
    return Clearings(found, refunds)


def _worth(
    mine: "QuerySet[Allocation]", given_back: "QuerySet[Refund]", base: str
) -> tuple[dict[int, Decimal], dict[int, Decimal]]:
    """What each share and each refund of a payment that has a rate is worth, by their keys."""
    shares = mine.filter(payment__base_rate__isnull=False).select_related("payment", "instalment")
    moves: list[Allocation | Refund] = [*shares, *given_back.select_related("payment")]
    balances: dict[int, BaseBalance] = {}
    laid: dict[int, Decimal] = {}
    given: dict[int, Decimal] = {}
    for one in sorted(moves, key=lambda one: (one.at, one.pk)):
        payment = one.payment
        if payment is None:
            continue
        own = BaseBalance.of(payment.amount, payment.base_rate or ZERO, payment.currency, base)
        balance = balances.setdefault(payment.pk, own)
        amount = quantise(one.amount, payment.currency)
        if isinstance(one, Refund):
            given[one.pk] = balance.move(amount, 0)
        else:
            laid[one.pk] = balance.move(amount, one.instalment.invoice_id or 0)
    return laid, given
