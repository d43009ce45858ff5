"""What a document offers to who pays early."""

from decimal import Decimal
from typing import Literal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from customers.models import EarlyMode
from ordermgmt.lib.claims import early_payment
from ordermgmt.lib.money import RateField, round_to

from .invoice import Invoice


class EarlyDiscount(models.Model):
    """So many percent come off a document that is paid within so many days. `until` is known from the issue on."""

    invoice = models.OneToOneField(Invoice, models.CASCADE, related_name="early")
    percent = RateField(_("early-payment discount %"))
    days = models.PositiveSmallIntegerField(_("paid within days"))
    mode = models.CharField(_("taken off"), max_length=8, choices=EarlyMode, default=EarlyMode.INCLUDED)
    until = models.DateField(_("to be paid by"), null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(percent__gt=0, percent__lt=100), name="early_discount_percent"),
        ]

    def __str__(self) -> str:
        return f"{self.percent.normalize():f} % / {self.days} {self.mode}"

    @property
    def pays(self) -> Decimal:
        """What pays the document in time, in its currency."""
        return self.invoice.due - self.amount

    @property
    def amount(self) -> Decimal:
        """What comes off, as it is printed: of the total, or of the net alone."""
        return self.off(self.invoice.due, self.invoice.tax_basis, self.invoice.tax_total)

    def off(self, due: Decimal, basis: Decimal, tax: Decimal) -> Decimal:
        """What comes off so much of the document."""
        one = self.invoice
        mode: Literal["included", "excluded"] = "excluded" if self.mode == EarlyMode.EXCLUDED else "included"
        off = basis + tax - early_payment(basis, tax, self.percent, mode, one.currency)
        return off if not one.cash_step else due - round_to(due - off, one.cash_step, one.currency)
