"""Aged receivables: by customer and currency, a page at a time, and their totals; the database does the sums."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When

from billing.models import Instalment
from customers.models import Customer, CustomerBalance
from ordermgmt.lib.claims import AGEING
from ordermgmt.lib.money import ZERO, quantise

from .receivables import BUCKETS, Rows, credit_at, credit_rows, open_rows, summed

#: So many accounts are summed up at once where all of them are wanted.
_CHUNK = 500


@dataclass
class Aged:
    """What was owed in one currency: by days since the due date, and the credit beside it. A total has no customer."""

    customer: Customer | None
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

    def add(self, bucket: str, amount: Decimal) -> None:
        """Adds to a bucket."""
        self.buckets[bucket] = quantise(self.buckets[bucket] + amount, self.currency)


def _bucket(day: dt.date) -> Case:
    """`OpenAt.bucket` for the database."""
    kept = When(what=Instalment.Kind.RETENTION, due__gte=day, then=Value("retention"))
    first = day.toordinal()
    by_age = [
        When(due__gte=dt.date.fromordinal(max(1, first - most)), then=Value(name)) for name, most in AGEING
    ]  # fmt: skip
    return Case(kept, *by_age, default=Value("d91_plus"), output_field=CharField())


def _by_bucket(day: dt.date, customers: Rows, *keys: str) -> Iterator[Any]:
    return summed([rows.annotate(age=_bucket(day)) for rows in open_rows(day, customers)], *keys, "age")


def accounts_at(day: dt.date, customers: QuerySet[Customer]) -> QuerySet[CustomerBalance]:
    """The accounts on which something was open or free at the end of the day, to be paged; with their customers."""
    among = customers.order_by().values("pk")
    found = Q(pk__in=[])
    for rows in (*open_rows(day, among), *credit_rows(day, among)):
        found |= Q(Exists(rows.filter(who=OuterRef("customer_id"), money=OuterRef("currency"))))
    return CustomerBalance.objects.filter(found, customer__in=among).select_related("customer").order_by()


def aged_of(day: dt.date, accounts: Iterable[CustomerBalance]) -> list[Aged]:
    """The rows of some accounts, in their order, in a fixed number of queries; without those that come to nothing."""
    found = {(one.customer_id, one.currency): Aged(one.customer, one.currency) for one in accounts}
    customers = Customer.objects.filter(pk__in={customer for customer, _currency in found})
    for who, money, age, amount in _by_bucket(day, customers.values("pk"), "who", "money"):
        if (who, money) in found:
            found[who, money].add(age, amount)
    for account, amount in credit_at(day, customers).items():
        if account in found:
            found[account].credit = amount
    return [row for row in found.values() if row.open or row.credit]


def aged_receivables(day: dt.date, customers: QuerySet[Customer]) -> Iterator[Aged]:
    """One row per customer and currency, by currency and the customer's name; rows without an amount are left out."""
    rows = accounts_at(day, customers).order_by("currency", "customer__name", "customer__pk")
    chunk: list[CustomerBalance] = []
    for one in rows.iterator(chunk_size=_CHUNK):
        chunk.append(one)
        if len(chunk) == _CHUNK:
            yield from aged_of(day, chunk)
            chunk = []
    yield from aged_of(day, chunk)


def aged_totals(day: dt.date, customers: QuerySet[Customer]) -> list[Aged]:
    """One sum per currency; amounts of different currencies are never added up."""
    sums: dict[str, Aged] = {}
    among = customers.order_by().values("pk")
    for money, age, amount in _by_bucket(day, among, "money"):
        sums.setdefault(money, Aged(None, money)).add(age, amount)
    for money, amount in summed(credit_rows(day, among), "money"):
        row = sums.setdefault(money, Aged(None, money))
        row.credit = quantise(row.credit + amount, money)
    return [row for _money, row in sorted(sums.items()) if row.open or row.credit]
