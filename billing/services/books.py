"""The journal as double entry: every movement of a customer's account with its counter-accounts, balanced to the cent.

In the document's currency and in the company's own. Nothing here is stored: the bookings of a period are made of its
documents, payments and shares whenever they are asked for.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from billing.models import Invoice, LedgerAccount, Payment
from customers.models import Customer
from ordermgmt.company.services import default_seller
from ordermgmt.lib.calculation import split_by_weight
from ordermgmt.lib.money import ZERO, quantise, total

from .book_documents import DocumentParts, Part, parts_of
from .chart import Slot
from .clearing import Clearing, Clearings, clearings
from .ledger import Entry, customer_numbers, journal
from .ledger_sums import journal_days

if TYPE_CHECKING:
    from django.db.models import QuerySet

USE = LedgerAccount.Use
Laid = tuple[dict[int, Decimal], dict[int, Decimal]]  # what payments and credit notes cleared, by their keys


@dataclass(frozen=True)
class Posting:
    """One side of a booking: above zero debit, below zero credit. `base` is None where nobody knows a rate."""

    slot: Slot
    amount: Decimal
    base: Decimal | None
    tax_category: str = ""
    tax_rate: Decimal | None = None


@dataclass(frozen=True)
class Booking:
    """A movement with all its sides; exchange gain and loss move the base amount alone."""

    entry: Entry
    postings: tuple[Posting, ...]

    @property
    def balanced(self) -> bool:
        """Whether debit is credit in both currencies."""
        known = [one.base for one in self.postings if one.base is not None]
        return total(one.amount for one in self.postings) == ZERO and total(known) == ZERO

    @property
    def rated(self) -> bool:
        """Whether it has amounts in the company's currency."""
        return all(one.base is not None for one in self.postings)

    @property
    def late(self) -> bool:
        """Whether it was recorded in a later month than it counts in: an earlier export of that month lacks it."""
        recorded, day = self.entry.recorded, self.entry.day
        return (recorded.year, recorded.month) > (day.year, day.month)


def bookings(customers: "QuerySet[Customer]", *, start: dt.date | None = None, end: dt.date) -> list[Booking]:
    """The bookings from `start` to `end` inclusive, by day and number."""
    entries = journal(customers, start=start, end=end)
    base, first = default_seller().currency, start or dt.date.min
    found = clearings(customers, start=start, end=end)
    issued = Invoice.objects.issued().filter(customer__in=customers.values("pk"), issue_date__range=(first, end))
    parts = parts_of(issued)
    laid = found.first_cleared()
    rows = [_booking(one, parts.get(one.pk) if one.is_document else None, found, laid, base) for one in entries]
    rows += _exchange(found.rows, first)
    return sorted(rows, key=lambda one: (one.entry.day, one.entry.key))


def _booking(entry: Entry, parts: DocumentParts | None, found: Clearings, laid: Laid, base: str) -> Booking:
    sides = [Part((USE.RECEIVABLE, ""), entry.amount)]
    if parts is not None:
        sign = -1 if parts.is_credit else 1
        sides += [replace(one, amount=-sign * one.amount) for one in parts.parts]
    else:
        given_up = entry.method == Payment.Method.WRITE_OFF
        sides.append(Part((USE.WRITE_OFF, "") if given_up else (USE.MONEY, entry.method), -entry.amount))
    if entry.currency == base:
        amounts: list[Decimal | None] = [quantise(one.amount, base) for one in sides]
    else:
        amounts = _in_base(sides, _worth(entry, found, laid, base), entry, base)
    postings = [
        Posting(side.slot, quantise(side.amount, entry.currency), amount, side.tax_category, side.tax_rate)
        for side, amount in zip(sides, amounts, strict=True)
        if side.amount or amount
    ]
    return Booking(entry, tuple(postings))


def _worth(entry: Entry, found: Clearings, laid: Laid, base: str) -> Decimal | None:
    """What an entry moves the receivables by in the company's currency; None without a rate.

    Credit notes and write-offs take what they cleared, so that what is closed leaves nothing over.
    """
    payments, notes = laid
    sign = 1 if entry.amount > ZERO else -1
    if entry.kind == "refund":
        return found.refunds.get(int(entry.key.rpartition("-F")[2]))
    if entry.kind == Invoice.Kind.CREDIT_NOTE:
        return sign * notes[entry.pk] if entry.pk in notes else None
    if entry.method == Payment.Method.WRITE_OFF:
        return sign * payments[entry.pk] if entry.pk in payments else None
    return None if entry.rate is None else quantise(entry.amount * entry.rate, base)


def _in_base(sides: Sequence[Part], worth: Decimal | None, entry: Entry, base: str) -> list[Decimal | None]:
    """All sides in the company's currency: the counter-accounts share exactly what the receivables move by."""
    if worth is None:
        return [None] * len(sides)
    rate = entry.rate or ZERO
    found = [worth, *(quantise(one.amount * (one.booked_at or rate), base) for one in sides[1:])]
    free = [place for place, one in enumerate(sides) if place and one.booked_at is None]
    weights = [sides[place].amount for place in free]
    rest = -total(amount for place, amount in enumerate(found) if place not in free)
    if free and total(weights):
        for place, amount in zip(free, split_by_weight(rest, weights, base), strict=True):
            found[place] = amount
    else:
        # Nothing to share by: the greatest of them takes what rounding leaves.
        greatest = max(free or range(1, len(found)), key=lambda place: abs(found[place]))
        found[greatest] -= total(found)
    return list(found)


def _exchange(rows: Iterable[Clearing], start: dt.date) -> list[Booking]:
    found = [one for one in rows if one.result and one.day >= start and one.payment is not None]
    payments = Payment.objects.in_bulk({one.payment for one in found if one.payment is not None})
    invoices = dict(Invoice.objects.filter(pk__in={one.invoice for one in found}).values_list("pk", "number"))
    return [_gain(one, payments[one.payment or 0], str(invoices[one.invoice])) for one in found]


def _gain(one: Clearing, payment: Payment, invoice: str) -> Booking:
    # What is taken back is taken back where it was booked.
    gained = (one.result > ZERO) == (one.amount > ZERO)
    entry = Entry(
        f"{payment.number}-X{one.key}", payment.pk, one.day, one.at, "exchange",
        _("Exchange gain") if gained else _("Exchange loss"), payment.number, payment.customer_id,
        payment.customer_name, invoice, payment.currency, ZERO, ZERO, ZERO, payment.get_absolute_url(),
        payment.base_rate, payment.method,
    )  # fmt: skip
    other = USE.GAIN if gained else USE.LOSS
    return Booking(entry, (Posting((USE.RECEIVABLE, ""), ZERO, one.result), Posting((other, ""), ZERO, -one.result)))


#: The layout for other programs, described in docs/ledger-export.md: one side of a booking a row, never reordered.
BOOKING_COLUMNS = [
    "entry", "date", "recorded", "kind", "document", "reference", "account", "use", "customer", "name", "currency",
    "debit", "credit", "tax_category", "tax_percent", "base_currency", "rate", "base_debit", "base_credit",
]  # fmt: skip


def booking_file(
    customers: "QuerySet[Customer]", accounts: Mapping[Slot, str], *, start: dt.date, end: dt.date
) -> Iterator[list[object]]:
    """The bookings of a period in that layout, of which those of a day are held at once; an account for each slot."""
    base = default_seller().currency
    for day in journal_days(customers, start=start, end=end):
        yield from booking_rows(bookings(customers, start=day, end=day), accounts, base)


def booking_rows(found: Sequence[Booking], accounts: Mapping[Slot, str], base: str) -> Iterator[list[object]]:
    """Bookings in that layout; `accounts` has one for each slot."""
    numbers = customer_numbers(one.entry for one in found)
    for one in found:
        entry = one.entry
        for side in one.postings:
            rate = entry.rate if entry.currency != base else None
            yield [
                entry.key, entry.day, entry.recorded, entry.kind, entry.number, entry.order, accounts[side.slot],
                ":".join(filter(None, side.slot)), numbers[entry.customer_id], entry.customer_name, entry.currency,
                *_sides(side.amount, entry.currency), side.tax_category,
                "" if side.tax_rate is None else f"{side.tax_rate.normalize():f}", base,
                "" if rate is None else f"{rate.normalize():f}",
                *((None, None) if side.base is None else _sides(side.base, base)),
            ]  # fmt: skip


def _sides(amount: Decimal, currency: str) -> tuple[Decimal | None, Decimal | None]:
    amount = quantise(amount, currency)
    return (amount if amount > ZERO else None, -amount if amount < ZERO else None)


@dataclass
class AccountTotal:
    """What a period moved an account by, in the company's currency."""

    slot: Slot
    count: int = 0
    debit: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def balance(self) -> Decimal:
        """Debit less credit."""
        return self.debit - self.credit


def account_totals(found: Iterable[Booking]) -> list[AccountTotal]:
    """The control totals by account, receivables first; what has no rate is not in them."""
    sums: dict[Slot, AccountTotal] = {}
    for one in found:
        for side in one.postings:
            row = sums.setdefault(side.slot, AccountTotal(side.slot))
            row.count += 1
            row.debit += max(side.base or ZERO, ZERO)
            row.credit += max(-(side.base or ZERO), ZERO)
    order = {use: place for place, use in enumerate(USE.values)}
    return sorted(sums.values(), key=lambda row: (order[row.slot[0]], row.slot[1]))
