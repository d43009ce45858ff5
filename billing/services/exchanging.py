"""Foreign currencies: rates by day, and what was gained or lost between a document and its payments."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from billing import events
from billing.models import Invoice, Payment
from customers.models import Customer
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.models import ExchangeRate
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.money import ZERO, exponent

from .base import lock_company, require
from .clearing import clearings

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class Exchange:
    """One payment of a foreign document on a day: what it cleared in the company's currency, and its gain (loss: negative).

    Negative where it was taken off again.
    """

    day: dt.date
    invoice: Invoice
    payment: Payment
    amount: Decimal
    cleared: Decimal
    result: Decimal


@transaction.atomic
def set_exchange_rate(*, currency: str, day: dt.date, rate: Decimal, actor: "User") -> ExchangeRate:
    """Keeps what one unit of a currency is worth from a day on; what is booked already keeps its own rate.

    Raises ValidationError for the company's own currency, a code that is none, a rate that is not above zero, a day
    that has one, and a day in the future.
    """
    require(actor, "billing.set_exchange_rate")
    try:
        exponent(currency)
    except ValueError as error:
        raise ValidationError({"currency": _("This is not a currency code.")}) from error
    if currency == default_seller().currency:
        raise ValidationError({"currency": _("This is the company's own currency.")})
    if rate <= ZERO:
        raise ValidationError({"rate": _("A rate is above zero.")})
    if day > business_today():
        raise ValidationError({"day": _("Rates of the future are not known.")})
    lock_company()
    if ExchangeRate.objects.filter(currency=currency, day=day).exists():
        raise ValidationError({"day": _("There is a rate of this day already.")})
    one = ExchangeRate.objects.create(currency=currency, day=day, rate=rate, by=actor)
    record(
        events.RATE_SET, one, actor=actor, after=snapshot(one, "currency", "day", "rate"), currency=currency,
        rate=f"{rate.normalize():f}", day=day.isoformat(),
    )  # fmt: skip
    return one


def rate_on(currency: str, day: dt.date) -> Decimal | None:
    """What a document or payment of that day is booked at; None in the company's own currency and without a rate."""
    return None if currency == default_seller().currency else ExchangeRate.objects.on(currency, day)


def exchange_results(customers: "QuerySet[Customer]", *, start: dt.date, end: dt.date) -> list[Exchange]:
    """Every payment that cleared a foreign document from `start` to `end` inclusive, with its gain or loss.

    Only what has a rate on both sides counts. What was taken off again takes its result back, on its own day.
    """
    sums: dict[tuple[dt.date, int, int], list[Decimal]] = defaultdict(lambda: [ZERO, ZERO, ZERO])
    for one in clearings(customers, start=start, end=end).rows:
        if one.payment is not None and one.worth is not None and one.day >= start:
            row = sums[one.day, one.invoice, one.payment]
            for place, amount in enumerate((one.amount, one.cleared, one.result)):
                row[place] += amount
    invoices = Invoice.objects.in_bulk({invoice for _day, invoice, _payment in sums})
    payments = Payment.objects.exclude(method=Payment.Method.WRITE_OFF).in_bulk({key for _day, _one, key in sums})
    return [
        Exchange(day, invoices[invoice], payments[payment], *row)
        for (day, invoice, payment), row in sorted(sums.items())
        if any(row) and payment in payments
    ]
