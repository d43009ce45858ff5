"""What was open on a day, today or in the past: the one definition behind ageing, statement, ledger and the pages.

A document counts from its date, a payment from the day it came in until it is cancelled, a share from `Allocation.on`.
The present counters are taken, and what happened after the day is taken off again: so today costs no history.
"""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q, QuerySet

from billing.models import Allocation, Instalment, Payment, Refund
from customers.models import Customer
from ordermgmt.lib.claims import AGEING, ageing_bucket
from ordermgmt.lib.money import ZERO, quantise

Account = tuple[int, str]  # customer and currency
#: By days since the due date; what is kept back and not yet due stands apart.
BUCKETS = (*(name for name, _most in AGEING), "d91_plus", "retention")


@dataclass(frozen=True)
class OpenAt:
    """An instalment with what was open of it."""

    customer_id: int
    currency: str
    invoice: str
    issue_date: dt.date
    due_date: dt.date
    amount: Decimal
    kind: str = ""

    def bucket(self, day: dt.date) -> str:
        """Where it stands on a day."""
        kept = self.kind == Instalment.Kind.RETENTION and self.due_date >= day
        return "retention" if kept else ageing_bucket(self.due_date, day)


@dataclass
class Aged:
    """What one customer owed in one currency: by days since the due date, and the credit beside it."""

    customer: Customer
    currency: str
    buckets: dict[str, Decimal] = field(default_factory=lambda: dict.fromkeys(BUCKETS, ZERO))
    credit: Decimal = ZERO

    @property
    def open(self) -> Decimal:
        """What the documents have open."""
        return sum(self.buckets.values(), ZERO)

    @property
    def overdue(self) -> Decimal:
        """What of it was due before the day."""
        return self.open - self.buckets["not_due"] - self.buckets["retention"]

    @property
    def balance(self) -> Decimal:
        """Open less credit: what the ledger says."""
        return self.open - self.credit

    @property
    def shown(self) -> list[Decimal]:
        """The buckets in the order of the columns."""
        return [self.buckets[name] for name in BUCKETS]


def _since(day: dt.date) -> QuerySet[Allocation]:
    """Shares that count only after the day."""
    return Allocation.objects.filter(Q(on__gt=day) | Q(on=None, at__date__gt=day)).order_by()


def _sums(rows: Iterable[tuple[int | None, Decimal]]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for key, amount in rows:
        found[key or 0] += amount
    return found


def open_at(day: dt.date, customers: QuerySet[Customer]) -> list[OpenAt]:
    """Every instalment that was open at the end of the day, oldest due first."""
    since = _since(day).filter(instalment__customer__in=customers.values("pk"))
    later = _sums(since.values_list("instalment_id", "amount"))
    rows = Instalment.objects.filter(
        Q(open__gt=0) | Q(pk__in=since.values("instalment")),
        customer__in=customers.values("pk"),
        invoice__issue_date__lte=day,
    ).oldest_first()
    fields = ("pk", "customer_id", "currency", "invoice__number", "invoice__issue_date", "due_date", "open", "kind")
    found = []
    for pk, customer, currency, number, issued, due, still, kind in rows.values_list(*fields):
        amount = quantise(still + later[pk], currency)
        if amount:
            found.append(OpenAt(customer, currency, number, issued, due, amount, kind))
    return found


def credit_at(day: dt.date, customers: QuerySet[Customer]) -> dict[Account, Decimal]:
    """Money and credit notes that lay on nothing at the end of the day."""
    since = _since(day)
    found: dict[Account, Decimal] = defaultdict(lambda: ZERO)
    later = _sums(since.filter(payment__customer__in=customers.values("pk")).values_list("payment_id", "amount"))
    refunds = Refund.objects.filter(on__gt=day).order_by()
    for key, amount in refunds.filter(payment__customer__in=customers.values("pk")).values_list("payment_id", "amount"):
        later[key] += amount
    payments = Payment.objects.filter(customer__in=customers.values("pk"), received_on__lte=day).filter(
        Q(unallocated__gt=0)
        | Q(pk__in=since.filter(payment__isnull=False).values("payment"))
        | Q(pk__in=refunds.values("payment"))
    )
    for one in payments:
        counts = one.state == Payment.State.RECORDED or cancelled_on(one) > day
        rest = (one.amount if counts else ZERO) - one.allocated + later[one.pk]
        found[one.customer_id, one.currency] += quantise(rest, one.currency)
    notes = since.filter(credit_note__customer__in=customers.values("pk"), credit_note__issue_date__lte=day)
    for customer, currency, amount in notes.values_list("credit_note__customer_id", "credit_note__currency", "amount"):
        found[customer, currency] += amount
    return {account: amount for account, amount in found.items() if amount}


def cancelled_on(payment: Payment) -> dt.date:
    """From when a cancelled payment no longer counts."""
    if payment.cancelled_on is not None:
        return payment.cancelled_on
    return payment.cancelled_at.date() if payment.cancelled_at else dt.date.max


def aged_receivables(day: dt.date, customers: QuerySet[Customer]) -> list[Aged]:
    """One row per customer and currency, by the customer's name; rows without an amount are left out."""
    items, credit = open_at(day, customers), credit_at(day, customers)
    accounts = {(one.customer_id, one.currency) for one in items} | credit.keys()
    names = Customer.objects.in_bulk({customer for customer, _currency in accounts})
    found = {account: Aged(names[account[0]], account[1]) for account in accounts}
    for one in items:
        found[one.customer_id, one.currency].buckets[one.bucket(day)] += one.amount
    for account, amount in credit.items():
        found[account].credit = amount
    return sorted(found.values(), key=lambda row: (row.currency, row.customer.name, row.customer.pk))


def aged_totals(rows: Iterable[Aged]) -> list[Aged]:
    """One sum per currency; amounts of different currencies are never added up."""
    sums: dict[str, Aged] = {}
    for row in rows:
        into = sums.setdefault(row.currency, Aged(row.customer, row.currency))
        for name in BUCKETS:
            into.buckets[name] += row.buckets[name]
        into.credit += row.credit
    return list(sums.values())
