"""The journal: what moved customers' accounts, day by day. Statement and ledger export are cuts of it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from billing.models import Invoice, Payment, Refund
from customers.models import Customer
from ordermgmt.documents.models import NumberSeries
from ordermgmt.lib.money import ZERO, quantise

from .receivables import Account, cancelled_on


@dataclass(frozen=True)
class Entry:
    """One movement: positive raises what the customer owes."""

    day: dt.date
    kind: str
    label: str
    number: str
    customer_id: int
    customer_name: str
    order: str
    currency: str
    amount: Decimal
    net: Decimal
    tax: Decimal
    url: str

    @property
    def debit(self) -> Decimal | None:
        """What it adds."""
        return self.amount if self.amount > ZERO else None

    @property
    def credit(self) -> Decimal | None:
        """What it takes off, as a positive amount."""
        return -self.amount if self.amount < ZERO else None


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


def journal(customers: QuerySet[Customer], *, start: dt.date | None = None, end: dt.date) -> list[Entry]:
    """Issued documents, payments and their cancellations from `start` to `end` inclusive, in order of day and number."""
    first = start or dt.date.min
    among = customers.values("pk")
    documents = Invoice.objects.issued().filter(customer__in=among, issue_date__range=(first, end))
    entries = [_document(one) for one in documents]
    payments = Payment.objects.filter(customer__in=among, received_on__lte=end)
    entries.extend(_payment(one, one.received_on, -one.amount) for one in payments.filter(received_on__gte=first))
    for one in payments.filter(state=Payment.State.CANCELLED):
        # Money that was taken back before it came in by its date counts on no day.
        day = max(cancelled_on(one), one.received_on)
        if first <= day <= end:
            entries.append(_payment(one, day, one.amount))
    given_back = Refund.objects.filter(payment__customer__in=among, on__range=(first, end)).select_related("payment")
    entries.extend(
        replace(_payment(one.payment, one.on, one.amount), kind="refund", label=_("Refund")) for one in given_back
    )
    return sorted(entries, key=lambda entry: (entry.day, entry.number, entry.amount))


def _document(one: Invoice) -> Entry:
    sign = -1 if one.is_credit else 1
    return Entry(
        one.issue_date or dt.date.min, one.kind, str(one.get_kind_display()), str(one.number), one.customer_id,
        one.customer_name, one.order_number, one.currency, one.signed_due, sign * one.tax_basis, sign * one.tax_total,
        one.get_absolute_url(),
    )  # fmt: skip


def _payment(one: Payment, day: dt.date, amount: Decimal) -> Entry:
    kind, label = ("payment", _("Payment")) if amount < ZERO else ("reversal", _("Payment taken back"))
    if one.method == Payment.Method.WRITE_OFF:
        kind, label = (
            ("write_off", _("Write-off")) if amount < ZERO else ("write_off_reversal", _("Write-off taken back"))
        )
    return Entry(
        day, kind, label, one.number, one.customer_id, one.customer_name, one.reference, one.currency, amount, ZERO,
        ZERO, one.get_absolute_url(),
    )  # fmt: skip


def balances(entries: Iterable[Entry]) -> dict[Account, Decimal]:
    """Σ by customer and currency: the ledger's balance."""
    found: dict[Account, Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        found[entry.customer_id, entry.currency] += entry.amount
    return {account: amount for account, amount in found.items() if amount}


def controls(entries: Iterable[Entry]) -> list[Control]:
    """Count and sums by currency and kind, to be compared with what the accountant's program read."""
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.currency, entry.kind].append(entry)
    return [
        Control(
            kind, rows[0].label, currency, len(rows), sum((one.amount for one in rows), ZERO),
            sum((one.net for one in rows), ZERO), sum((one.tax for one in rows), ZERO),
        )
        for (currency, kind), rows in sorted(groups.items())
    ]  # fmt: skip


#: The layout for other programs, described in the guide: one entry a row, amounts with a point, never reordered.
JOURNAL_COLUMNS = [
    "date", "kind", "number", "account", "name", "reference", "currency", "debit", "credit", "net", "tax",
]  # fmt: skip


def journal_rows(entries: Sequence[Entry]) -> Iterator[list[object]]:
    """The entries in that layout."""
    accounts = Customer.objects.filter(pk__in={one.customer_id for one in entries})
    numbers = dict(accounts.values_list("pk", "number"))
    for one in entries:
        account = numbers[one.customer_id]
        yield [
            one.day, one.kind, one.number, account, one.customer_name, one.order, one.currency,
            _plain(one.debit, one.currency), _plain(one.credit, one.currency), _plain(one.net, one.currency),
            _plain(one.tax, one.currency),
        ]  # fmt: skip


def _plain(amount: Decimal | None, currency: str) -> Decimal | None:
    return None if amount is None else quantise(amount, currency)


def number_gaps() -> list[tuple[str, str, int, int, list[int]]]:
    """Series, period, count, last number given and the missing ones, of which there are none in books that are in order.

    The last number is the counter's, so that one lost at the end of a series is missed too.
    """
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    rows = Invoice.objects.filter(sequence__isnull=False).values_list("series", "period", "sequence")
    for series, period, sequence in rows.iterator():
        found[series, period].append(sequence or 0)
    given = {(one.key, one.period): one.last for one in NumberSeries.objects.filter(key__in={key for key, _p in found})}
    rows_found = []
    for (series, period), numbers in sorted(found.items()):
        last = max(*numbers, given.get((series, period), 0))
        rows_found.append((series, period, len(numbers), last, sorted(set(range(1, last + 1)) - set(numbers))))
    return rows_found
