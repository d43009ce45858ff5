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
from billing.models import Allocation, ExchangeRate, Invoice, Payment
from customers.models import Customer
from ordermgmt.activity.services import record, snapshot
from ordermgmt.company.services import business_today, default_seller
from ordermgmt.lib.claims import base_amounts
from ordermgmt.lib.money import ZERO, exponent, quantise

from .base import require

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from ordermgmt.accounts.models import User


@dataclass(frozen=True)
class Exchange:
    """One payment of a foreign document: what it cleared in the company's currency, and its gain (loss: negative)."""

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

    Only what has a rate on both sides counts. The payment that completes a document clears the rest of it exactly.
    """
    base = default_seller().currency
    rows = Allocation.objects.filter(
        payment__isnull=False, payment__base_rate__isnull=False, instalment__invoice__base_rate__isnull=False,
        instalment__customer__in=customers.values("pk"),
    ).exclude(payment__method=Payment.Method.WRITE_OFF)  # fmt: skip
    laid: dict[Invoice, dict[Payment, tuple[Decimal, dt.date]]] = defaultdict(dict)
    for one in rows.select_related("payment", "instalment__invoice").order_by("pk"):
        invoice, payment = one.instalment.invoice, one.payment
        if invoice is not None and payment is not None:
            before, day = laid[invoice].get(payment, (ZERO, one.on or one.at.date()))
            laid[invoice][payment] = (before + one.amount, day)
    found = []
    for invoice, payments in laid.items():
        shares = [(payment, amount, day) for payment, (amount, day) in payments.items() if amount > ZERO]
        owed = quantise(invoice.due - invoice.credited, invoice.currency)
        given = [(quantise(amount, invoice.currency), payment.base_rate or ZERO) for payment, amount, _day in shares]
        results = base_amounts(given, owed, invoice.base_rate or ZERO, base)
        for (payment, amount, day), (cleared, result) in zip(shares, results, strict=True):
            if start <= day <= end:
                found.append(Exchange(day, invoice, payment, amount, cleared, result))
    return sorted(found, key=lambda one: (one.day, one.payment.pk))
