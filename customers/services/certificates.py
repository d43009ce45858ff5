"""Exemption certificates of a customer. The customer's version moves with each."""

import datetime as dt
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from customers import events
from customers.models import Customer, ExemptionCertificate
from ordermgmt.activity.services import record, snapshot

from .base import locked, save

if TYPE_CHECKING:
    from ordermgmt.accounts.models import User

_FIELDS = ("number", "authority", "valid_from", "valid_to")


@transaction.atomic
def add_certificate(
    customer: Customer,
    *,
    number: str,
    valid_from: dt.date,
    actor: "User",
    authority: str = "",
    valid_to: dt.date | None = None,
    version: int | None = None,
) -> ExemptionCertificate:
    """Keeps a certificate. Raises StaleVersion, ValidationError for one that is there or whose days are not in order."""
    fresh = locked(customer, version=version)
    if valid_to is not None and valid_to < valid_from:
        raise ValidationError({"valid_to": _("It ends before it begins.")})
    if fresh.certificates.filter(number=number).exists():
        raise ValidationError({"number": _("This certificate is there already: remove it to enter other days.")})
    made = ExemptionCertificate.objects.create(
        customer=fresh, number=number, authority=authority, valid_from=valid_from, valid_to=valid_to
    )
    save(fresh)
    record(
        events.CERTIFICATE_SAVED, made, root=fresh, actor=actor, after=snapshot(made, *_FIELDS), number=number
    )  # fmt: skip
    return made


@transaction.atomic
def remove_certificate(certificate: ExemptionCertificate, *, actor: "User", version: int | None = None) -> None:
    """Takes a certificate away; documents of the past keep its number. Raises StaleVersion."""
    customer = locked(certificate.customer, version=version)
    before, number = snapshot(certificate, *_FIELDS), certificate.number
    certificate.delete()
    save(customer)
    record(events.CERTIFICATE_REMOVED, customer, actor=actor, before=before, number=number)


def exemption_certificate(customer: Customer, on: dt.date) -> str:
    """The number of a certificate that is valid on a day, "" where there is none."""
    numbers = ExemptionCertificate.objects.valid(on).filter(customer=customer).values_list("number", flat=True)
    return numbers.first() or ""
