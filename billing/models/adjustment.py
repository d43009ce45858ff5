"""Allowances and charges on a document as a whole."""

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from ordermgmt.lib.money import AmountField, RateField

from .invoice import Invoice


class DocumentAdjustment(models.Model):
    """An allowance or a charge on a document as a whole, in one tax category; why is part of it.

    `base` and `percent` say how the amount came about, where it is round(base x percent).
    """

    class Kind(models.TextChoices):
        ALLOWANCE = "allowance", _("Allowance")
        CHARGE = "charge", _("Charge")

    invoice = models.ForeignKey(Invoice, models.CASCADE, related_name="adjustments")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    amount = AmountField(_("amount"))
    base = AmountField(_("base"), null=True, blank=True)
    percent = RateField(_("percent"), null=True, blank=True)
    tax_category = models.CharField(_("tax category"), max_length=2)
    tax_rate = RateField(_("tax %"))
    reason = models.CharField(_("reason"), max_length=100)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="document_adjustment_positive"),
            models.CheckConstraint(condition=~Q(reason=""), name="document_adjustment_has_a_reason"),
            models.CheckConstraint(
                condition=Q(base=None, percent=None)
                | Q(base__gt=0, percent__gt=0, base__isnull=False, percent__isnull=False),
                name="document_adjustment_percent_of_a_base",
            ),
        ]

    def __str__(self) -> str:
        return self.reason

    @property
    def signed(self) -> Decimal:
        """What it adds to the net: negative for an allowance."""
        amount: Decimal = self.amount
        return amount if self.kind == self.Kind.CHARGE else -amount
