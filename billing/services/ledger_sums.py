"""The journal added up by the database: control totals, balances, its days, and the check of the numbers."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    ExpressionWrapper,
    F,
    Max,
    Min,
    Q,
    QuerySet,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import Coalesce, Greatest, Lead
from django.utils.translation import gettext as _

from billing.models import Invoice, Payment, Refund
from customers.models import Customer
from ordermgmt.company.services import business_date
from ordermgmt.documents.models import NumberSeries
from ordermgmt.lib.money import ZERO, AmountField, quantise

from .receivables import Account, Rows

#: So many missing numbers of a series are named.
_NAMED = 100


@dataclass(frozen=True)
class Control:
    """A control total: how many entries of a kind and currency there are, and their sum."""

    kind: str
    label: str
    currency: str
    count: int
    amount: Decimal
    net: Decimal
    tax: Decimal


def kind_label(kind: str) -> str:
    """What an entry of the journal is called."""
    labels = {
        "payment": _("Payment"), "reversal": _("Payment taken back"), "refund": _("Refund"),
        "write_off": _("Write-off"), "write_off_reversal": _("Write-off taken back"),
    }  # fmt: skip
    return labels.get(kind) or str(Invoice.Kind(kind).label)


def _amount(expression: Any) -> Any:
    return ExpressionWrapper(expression, output_field=AmountField())


def _signed(field: str) -> Case:
    credit = When(kind=Invoice.Kind.CREDIT_NOTE, then=_amount(-F(field)))
    return Case(credit, default=F(field), output_field=AmountField())


def _money(rows: Rows, day: Any, sign: int, kinds: tuple[str, str]) -> Rows:
    """Payments as entries: write-offs are another kind."""
    written_off = When(method=Payment.Method.WRITE_OFF, then=Value(kinds[1]))
    return rows.annotate(
        what=Case(written_off, default=Value(kinds[0]), output_field=CharField()), who=F("customer_id"),
        money=F("currency"), counts_on=day, moved=_amount(sign * F("amount")),
        net=Value(ZERO, AmountField()), tax=Value(ZERO, AmountField()),
    )  # fmt: skip


def movements(customers: QuerySet[Customer], start: dt.date | None, end: dt.date) -> list[Rows]:
    """The entries of `ledger.journal` as rows: `what` (kind), `who`, `money`, `counts_on`, `moved`, `net` and `tax`."""
    among, first = customers.order_by().values("pk"), start or dt.date.min
    within = Q(counts_on__range=(first, end))
    documents: Rows = Invoice.objects.issued().filter(customer__in=among, issue_date__range=(first, end)).order_by()
    documents = documents.annotate(
        what=F("kind"), who=F("customer_id"), money=F("currency"), counts_on=F("issue_date"), moved=_signed("due"),
        net=_signed("tax_basis"), tax=_signed("tax_total"),
    )  # fmt: skip
    payments: Rows = Payment.objects.filter(customer__in=among, received_on__lte=end).order_by()
    taken_back = Greatest(Coalesce("cancelled_on", business_date("cancelled_at")), "received_on")
    refunds: Rows = Refund.objects.filter(payment__customer__in=among, on__range=(first, end)).order_by()
    refunds = refunds.annotate(
        what=Value("refund"), who=F("payment__customer_id"), money=F("payment__currency"), counts_on=F("on"),
        moved=F("amount"), net=Value(ZERO, AmountField()), tax=Value(ZERO, AmountField()),
    )  # fmt: skip
    cancelled = payments.filter(state=Payment.State.CANCELLED)
    return [
        documents,
        _money(payments, F("received_on"), -1, ("payment", "write_off")).filter(within),
        _money(cancelled, taken_back, 1, ("reversal", "write_off_reversal")).filter(within),
        refunds,
    ]


def control_totals(customers: QuerySet[Customer], *, start: dt.date | None = None, end: dt.date) -> list[Control]:
    """Count and sums by currency and kind, to be compared with what the accountant's program read. Four queries."""
    found = []
    for rows in movements(customers, start, end):
        sums = rows.values_list("money", "what").annotate(Count("pk"), a=Sum("moved"), n=Sum("net"), t=Sum("tax"))
        for currency, kind, count, *amounts in sums:
            amount, net, tax = (quantise(one, currency) for one in amounts)
            found.append(Control(kind, kind_label(kind), currency, count, amount, net, tax))
    return sorted(found, key=lambda one: (one.currency, one.kind))


def balances_at(day: dt.date, customers: QuerySet[Customer]) -> dict[Account, Decimal]:
    """What the ledger says by customer and currency at the end of a day. Four queries."""
    found: dict[Account, Decimal] = defaultdict(lambda: ZERO)
    for rows in movements(customers, None, day):
        for who, currency, amount in rows.values_list("who", "money").annotate(a=Sum("moved")):
            found[who, currency] += quantise(amount, currency)
    return {account: amount for account, amount in found.items() if amount}


def journal_days(customers: QuerySet[Customer], *, start: dt.date, end: dt.date) -> Iterator[dt.date]:
    """The days of a period that have entries, in order: a file of it is written day by day."""
    found: set[dt.date] = set()
    for rows in movements(customers, start, end):
        found.update(rows.values_list("counts_on", flat=True).distinct())
    yield from sorted(found)


def number_gaps() -> list[tuple[str, str, int, int, list[int]]]:
    """Series, period, count, last number given and the first missing ones, of which books in order have none.

    The last number is the counter's, so that one lost at the end of a series is missed too. Three queries.
    """
    numbered = Invoice.objects.filter(sequence__isnull=False).order_by()
    rows = numbered.values_list("series", "period").annotate(Count("pk"), Min("sequence"), Max("sequence"))
    given = {(one.key, one.period): one.last for one in NumberSeries.objects.all()}
    found = [
        (*row[:2], row[2], row[3], row[4], max(row[4], given.get(row[:2], 0)))
        for row in rows.order_by("series", "period")
    ]
    broken = Q(pk__in=[])
    for series, period, count, _first, _most, last in found:
        if count != last:
            broken |= Q(series=series, period=period)
    holes = _holes(numbered.filter(broken))
    return [
        (series, period, count, last, _missing(holes[series, period], first, most, last))
        for series, period, count, first, most, last in found
    ]


def _holes(rows: Rows) -> dict[tuple[str, str], list[range]]:
    """Where numbers between two others are missing, by series and period."""
    following = Window(Lead("sequence"), partition_by=["series", "period"], order_by="sequence")
    found: dict[tuple[str, str], list[range]] = defaultdict(list)
    holes = rows.annotate(following=following).filter(following__gt=F("sequence") + 1)
    for series, period, number, after in holes.values_list("series", "period", "sequence", "following")[:_NAMED]:
        found[series, period].append(range(number + 1, after))
    return found


def _missing(holes: list[range], first: int, most: int, last: int) -> list[int]:
    named: list[int] = []
    for one in (range(1, first), *sorted(holes, key=lambda one: one.start), range(most + 1, last + 1)):
        named += one[: _NAMED - len(named)]
    return named
