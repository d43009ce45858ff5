"""What a draft offers to who pays early, and from the issue on until when."""

import datetime as dt
from decimal import Decimal

from billing.models import EarlyDiscount, Invoice
from customers.models import EarlyMode

#: Percent, days and mode; without a percentage nothing comes off.
Early = tuple[Decimal | None, int | None, str]
_OFFERING = {Invoice.Kind.STANDARD, Invoice.Kind.PROGRESS, Invoice.Kind.FINAL, Invoice.Kind.PROFORMA}


def early_of(invoice: Invoice) -> EarlyDiscount | None:
    """What a document offers, None where it offers nothing."""
    found: EarlyDiscount | None = getattr(invoice, "early", None)
    return found


def offer_early(invoice: Invoice) -> None:
    """Gives a new draft the customer's terms, where its kind is one that they are for and they end before it is due."""
    terms = invoice.customer
    set_early(invoice, None, None)
    if invoice.kind in _OFFERING and terms.early_percent and (terms.early_days or 0) < invoice.payment_days:
        set_early(invoice, terms.early_percent, terms.early_days, terms.early_mode)


def set_early(invoice: Invoice, percent: Decimal | None, days: int | None, mode: str = EarlyMode.INCLUDED) -> None:
    """Writes what a draft offers; a verb around it holds the lock and keeps the record."""
    EarlyDiscount.objects.filter(invoice=invoice).delete()
    invoice._state.fields_cache.pop("early", None)
    if percent is not None:
        EarlyDiscount.objects.create(invoice=invoice, percent=percent, days=days or 0, mode=mode)


def date_early(invoice: Invoice) -> None:
    """Counts the days from the date of issue."""
    early = early_of(invoice)
    if early is not None and invoice.issue_date is not None:
        early.until = invoice.issue_date + dt.timedelta(days=early.days)
        early.save(update_fields=["until"])
