"""The journal: what moved customers' accounts, day by day. Statement and ledger export are cuts of it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from billing.models import Invoice, Payment, Refund
from customers.models import Customer
from ordermgmt.company.services import business_day, company_zone
from ordermgmt.lib.money import ZERO, quantise

from .ledger_sums import journal_days, kind_label
from .receivables import Account, cancelled_on


@dataclass(frozen=True)
class Entry:
    """One movement: positive raises what the customer owes.

    `key` is its own for ever: the number of its document, with a letter for what was taken back or given back. `pk` is
    the invoice's or the payment's; `rate` what one unit of its currency was worth in the company's own, if anybody said.
    """

    key: str
    pk: int
    day: dt.date
    recorded: dt.date
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
    rate: Decimal | None = None
    method: str = ""

    @property
    def is_document(self) -> bool:
        """Whether `pk` is an invoice's or credit note's."""
        return self.kind in Invoice.Kind.values

    @property
    def debit(self) -> Decimal | None:
        """What it adds."""
        return self.amount if self.amount > ZERO else None

    @property
    def credit(self) -> Decimal | None:
        """What it takes off, as a positive amount."""
        return -self.amount if self.amount < ZERO else None


def journal(customers: QuerySet[Customer], *, start: dt.date | None = None, end: dt.date) -> list[Entry]:
    """Issued documents, payments and their cancellations from `start` to `end` inclusive, in order of day and number."""
    first, zone = start or dt.date.min, company_zone()
    among = customers.values("pk")
    documents = Invoice.objects.issued().filter(customer__in=among, issue_date__range=(first, end))
    entries = [_document(one, zone) for one in documents]
    payments = Payment.objects.filter(customer__in=among, received_on__lte=end)
    entries.extend(_payment(one, one.received_on, -one.amount, zone) for one in payments.filter(received_on__gte=first))
    for one in payments.filter(state=Payment.State.CANCELLED):
        # Money that was taken back before it came in by its date counts on no day.
        day = max(cancelled_on(one), one.received_on)
        if first <= day <= end:
            back = _payment(one, day, one.amount, zone)
            entries.append(replace(back, key=f"{one.number}-R", recorded=_day(one.cancelled_at, zone)))
    given_back = Refund.objects.filter(payment__customer__in=among, on__range=(first, end)).select_related("payment")
    entries.extend(
        replace(
            _payment(one.payment, one.on, one.amount, zone), kind="refund", label=kind_label("refund"),
            key=f"{one.payment.number}-F{one.pk}", recorded=_day(one.at, zone),
        )
        for one in given_back
    )  # fmt: skip
    return sorted(entries, key=lambda entry: (entry.day, entry.number, entry.amount))


def _day(at: dt.datetime | None, zone: ZoneInfo) -> dt.date:
    return business_day(at, zone) if at else dt.date.min


def _document(one: Invoice, zone: ZoneInfo) -> Entry:
    sign = -1 if one.is_credit else 1
    return Entry(
        str(one.number), one.pk, one.issue_date or dt.date.min, _day(one.issued_at, zone), one.kind, str(one.get_kind_display()), str(one.number), one.customer_id,
        one.customer_name, one.order_number, one.currency, one.signed_due, sign * one.tax_basis, sign * one.tax_total,
        one.get_absolute_url(), one.base_rate,
    )  # fmt: skip


def _payment(one: Payment, day: dt.date, amount: Decimal, zone: ZoneInfo) -> Entry:
    kind = "payment" if amount < ZERO else "reversal"
    if one.method == Payment.Method.WRITE_OFF:
        kind = "write_off" if amount < ZERO else "write_off_reversal"
    return Entry(
        one.number, one.pk, day, _day(one.recorded_at, zone), kind, kind_label(kind), one.number, one.customer_id, one.customer_name, one.reference, one.currency, amount, ZERO,
        ZERO, one.get_absolute_url(), one.base_rate, one.method,
    )  # fmt: skip


def balances(entries: Iterable[Entry]) -> dict[Account, Decimal]:
    """Σ by customer and currency: the ledger's balance."""
    found: dict[Account, Decimal] = defaultdict(lambda: ZERO)
    for entry in entries:
        found[entry.customer_id, entry.currency] += entry.amount
    return {account: amount for account, amount in found.items() if amount}


#: The layout for other programs, described in the guide: one entry a row, amounts with a point, never reordered.
JOURNAL_COLUMNS = [
    "date", "kind", "number", "account", "name", "reference", "currency", "debit", "credit", "net", "tax",
]  # fmt: skip


def journal_file(customers: QuerySet[Customer], *, start: dt.date, end: dt.date) -> Iterator[list[object]]:
    """The entries of a period in that layout, of which those of a day are held at once."""
    for day in journal_days(customers, start=start, end=end):
        yield from _rows(journal(customers, start=day, end=day))


def _rows(entries: Sequence[Entry]) -> Iterator[list[object]]:
    numbers = customer_numbers(entries)
    for one in entries:
        account = numbers[one.customer_id]
        yield [
            one.day, one.kind, one.number, account, one.customer_name, one.order, one.currency,
            _plain(one.debit, one.currency), _plain(one.credit, one.currency), _plain(one.net, one.currency),
            _plain(one.tax, one.currency),
        ]  # fmt: skip


def customer_numbers(entries: Iterable[Entry]) -> dict[int, str]:
    """The numbers of the entries' customers, by their keys."""
    wanted = {one.customer_id for one in entries}
    return {pk: one.number for pk, one in Customer.objects.only("number").in_bulk(wanted).items()}


def _plain(amount: Decimal | None, currency: str) -> Decimal | None:
    return None if amount is None else quantise(amount, currency)
