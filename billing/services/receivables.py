"""What was open on a day, today or in the past: the one definition behind ageing, statement, forecast and the pages.

A document counts from its date, a payment from the day it came in until it is cancelled, a share from `Allocation.on`,
an instalment's amount and day until others were agreed. The present counters are taken, and what happened after the day
is taken off again: so today costs no history.
"""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce, Round

from billing.models import Allocation, Instalment, Payment, Refund
from customers.models import Customer
from ordermgmt.company.services import business_day, business_day_end, business_today
from ordermgmt.lib.claims import AGEING, ageing_bucket
from ordermgmt.lib.money import ZERO, AmountField, quantise

from .terms import former_terms, in_force

Account = tuple[int, str]  # customer and currency
Rows = QuerySet[Any, Any]
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


def shares_since(day: dt.date) -> QuerySet[Allocation]:
    """Shares that count only after the day."""
    return Allocation.objects.filter(Q(on__gt=day) | Q(on=None, at__gte=business_day_end(day))).order_by()


def sum_of(rows: Rows, key: str) -> Coalesce:
    """Σ amount of the rows whose `key` is the outer row's; 0 where there is none."""
    zero, summed = ZERO, rows.order_by().values(key).annotate(sum=Sum("amount")).values("sum")
    return Coalesce(Subquery(summed, output_field=AmountField()), zero, output_field=AmountField())


def _exact(expression: Any) -> Round:
    """Rounded because SQLite counts in binary fractions: a rest of nothing would be open."""
    return Round(expression, 4, output_field=AmountField())


def open_rows(day: dt.date, customers: Rows) -> list[Rows]:
    """The instalments that were open at the end of the day, as they are, and in a second part as they were agreed.

    `customers` are keys. Each row has `who`, `money`, `due`, `what` (its kind) and `rest`.
    """
    rows: Rows = Instalment.objects.filter(
        in_force(day), invoice__issue_date__lte=day, customer__in=customers
    ).order_by()
    rows = rows.annotate(who=F("customer_id"), money=F("currency"), due=F("due_date"), what=F("kind"))
    if day >= business_today():
        return [rows.filter(open__gt=0).annotate(rest=F("open"))]
    since = shares_since(day)
    later = sum_of(since.filter(instalment=OuterRef("pk")), "instalment")
    rows = rows.filter(Q(open__gt=0) | Q(pk__in=since.values("instalment"))).annotate(rest=_exact(F("open") + later))
    return [rows.filter(rest__gt=0), _former_rows(day, since, customers)]


def _former_rows(day: dt.date, since: QuerySet[Allocation], customers: Rows) -> Rows:
    rows: Rows = former_terms(day).filter(invoice__issue_date__lte=day, invoice__customer__in=customers).order_by()
    later = sum_of(since.filter(instalment=OuterRef("key")), "instalment")
    now = Instalment.objects.filter(pk=OuterRef("key")).order_by().values(laid=F("paid") + F("credited"))
    laid = Coalesce(Subquery(now, output_field=AmountField()), ZERO, output_field=AmountField())
    rows = rows.annotate(
        who=F("invoice__customer_id"), money=F("invoice__currency"), due=F("due_date"), what=F("kind"),
        rest=_exact(F("amount") - laid + later),
    )  # fmt: skip
    return rows.filter(rest__gt=0)


def open_at(day: dt.date, customers: QuerySet[Customer]) -> list[OpenAt]:
    """Every instalment that was open at the end of the day, oldest due first: for one customer, or a few."""
    fields = ("who", "money", "invoice__number", "invoice__issue_date", "due", "rest", "what", "pk")
    found: list[tuple[int, OpenAt]] = []
    for rows in open_rows(day, customers.order_by().values("pk")):
        for who, money, number, issued, due, rest, what, pk in rows.values_list(*fields):
            found.append((pk, OpenAt(who, money, number, issued, due, quantise(rest, money), what)))
    return [one for _pk, one in sorted(found, key=lambda pair: (pair[1].due_date, pair[0]))]


def credit_rows(day: dt.date, customers: Rows) -> list[Rows]:
    """Payments, and shares of credit notes, that lay on nothing at the end of the day; each with `who`, `money`, `rest`."""
    rows: Rows = Payment.objects.filter(customer__in=customers, received_on__lte=day).order_by()
    rows = rows.annotate(who=F("customer_id"), money=F("currency"))
    recorded = Q(state=Payment.State.RECORDED)
    if day >= business_today():
        return [rows.filter(recorded, unallocated__gt=0).annotate(rest=F("unallocated"))]
    since, refunds = shares_since(day), Refund.objects.filter(on__gt=day).order_by()
    counted = recorded | Q(cancelled_on__gt=day) | Q(cancelled_on=None, cancelled_at__gte=business_day_end(day))
    moved = Q(pk__in=since.filter(payment__isnull=False).values("payment")) | Q(pk__in=refunds.values("payment"))
    later = sum_of(since.filter(payment=OuterRef("pk")), "payment")
    given_back = sum_of(refunds.filter(payment=OuterRef("pk")), "payment")
    rows = rows.filter(counted, Q(unallocated__gt=0) | moved).annotate(
        rest=_exact(F("amount") - F("allocated") + later + given_back)
    )
    notes: Rows = since.filter(credit_note__customer__in=customers, credit_note__issue_date__lte=day)
    notes = notes.annotate(who=F("credit_note__customer_id"), money=F("credit_note__currency"), rest=F("amount"))
    return [rows.exclude(rest=0), notes]


def credit_at(day: dt.date, customers: QuerySet[Customer]) -> dict[Account, Decimal]:
    """Money and credit notes that lay on nothing at the end of the day."""
    found: dict[Account, Decimal] = {}
    for who, money, rest in summed(credit_rows(day, customers.order_by().values("pk")), "who", "money"):
        found[who, money] = quantise(found.get((who, money), ZERO) + rest, money)
    return {account: amount for account, amount in found.items() if amount}


def summed(parts: Iterable[Rows], *keys: str) -> Iterator[Any]:
    """Σ rest by keys, added up by the database; a key may come once in each part."""
    for rows in parts:
        yield from rows.values_list(*keys).annotate(sum=Sum("rest"))


def cancelled_on(payment: Payment) -> dt.date:
    """From when a cancelled payment no longer counts."""
    if payment.cancelled_on is not None:
        return payment.cancelled_on
    return business_day(payment.cancelled_at) if payment.cancelled_at else dt.date.max
