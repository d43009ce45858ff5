"""The accounts of the company's bookkeeping that bookings are exported to."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class LedgerAccount(models.Model):
    """Where one use is booked in the accountant's chart; `category` is a tax category, a method of payment, or empty.

    What is not set is not exported. Documents know nothing of it: an export of an earlier period takes what is set now.
    """

    class Use(models.TextChoices):
        RECEIVABLE = "receivable", _("Receivables")
        REVENUE = "revenue", _("Revenue")
        TAX = "tax", _("Tax")
        MONEY = "money", pgettext_lazy("bookkeeping", "Money")
        DEPOSIT = "deposit", _("Deposits received")
        DISCOUNT = "discount", _("Discounts and allowances")
        PENALTY = "penalty", _("Penalties for late delivery")
        LATE_FEE = "late_fee", _("Late interest and reminder fees")
        WRITE_OFF = "write_off", _("Write-offs")
        GAIN = "gain", _("Exchange gain")
        LOSS = "loss", _("Exchange loss")
        ROUNDING = "rounding", _("Rounding")
        OPENING = "opening", _("Opening balances")

    use = models.CharField(_("use"), max_length=12, choices=Use)
    category = models.CharField(_("category"), max_length=10, blank=True)
    number = models.CharField(_("account"), max_length=20)

    class Meta:
        ordering = ["use", "category"]
        constraints = [
            models.UniqueConstraint(fields=["use", "category"], name="ledger_account_once_per_use"),
            models.CheckConstraint(condition=~Q(number=""), name="ledger_account_has_a_number"),
        ]

    def __str__(self) -> str:
        return f"{self.use} {self.category} {self.number}"
