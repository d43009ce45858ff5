"""Exemption certificates: why no sales tax is taken of a customer, and until when."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .customer import Customer


class CertificateQuerySet(models.QuerySet["ExemptionCertificate"]):
    """Reads over certificates."""

    def valid(self, on: dt.date) -> Self:
        """Those that count on a day, both ends included."""
        return self.filter(valid_from__lte=on).filter(Q(valid_to=None) | Q(valid_to__gte=on))


class ExemptionCertificate(models.Model):
    """A customer's paper that frees its purchases of sales tax from one day to another, both included."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="certificates")
    number = models.CharField(_("certificate number"), max_length=60)
    authority = models.CharField(_("granted by"), max_length=100, blank=True)
    valid_from = models.DateField(_("valid from"))
    valid_to = models.DateField(_("valid until"), null=True, blank=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        ordering = ["-valid_from", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "number"], name="certificate_once_per_customer"),
            models.CheckConstraint(
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="certificate_dates_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return self.customer.get_absolute_url()

    @property
    def version(self) -> int:
        """The customer's: it moves with every certificate."""
        return self.customer.version
