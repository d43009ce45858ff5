"""What instalments of issued documents were before they were agreed anew, released or dated: `keep_terms`."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db.models import Q, QuerySet

from billing.models import FormerTerms, Instalment
from ordermgmt.company.services import business_today


def keep_terms(rows: Iterable[Instalment]) -> dt.date:
    """Keeps what rows of an issued document, under lock, are now, before they get other terms today.

    Returns the day to set as their `agreed_on`. Terms of this very day were in force on no evening and are not kept.
    """
    today = business_today()
    FormerTerms.objects.bulk_create(
        FormerTerms(
            key=one.pk, invoice_id=one.invoice_id or 0, kind=one.kind, amount=one.amount, due_date=one.due_date,
            since=one.agreed_on, until=today,
        )
        for one in rows
        if one.agreed_on != today
    )  # fmt: skip
    return today


def in_force(day: dt.date) -> Q:
    """Instalments whose present terms were those of the day already."""
    return Q(agreed_on=None) | Q(agreed_on__lte=day)


def former_terms(day: dt.date) -> "QuerySet[FormerTerms, Any]":
    """The terms that were in force at the end of the day and are no more."""
    return FormerTerms.objects.filter(Q(since=None) | Q(since__lte=day), until__gt=day)
