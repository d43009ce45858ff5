"""Exchange rates by day, as finance keeps them."""

import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class ExchangeRateQuerySet(models.QuerySet["ExchangeRate"]):
    """Reads over exchange rates."""

    def on(self, currency: str, day: dt.date) -> Decimal | None:
        """The last rate known on a day; None where there is none yet."""
        found = self.filter(currency=currency, day__lte=day).order_by("-day").values_list("rate", flat=True)
        return found.first()


class ExchangeRate(models.Model):
    """What one unit of a currency is worth in the company's own, from a day on. Never changed: documents keep theirs."""

    currency = models.CharField(_("currency"), max_length=3)
    day = models.DateField(_("day"))
    rate = models.DecimalField(_("rate"), max_digits=18, decimal_places=8)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = ExchangeRateQuerySet.as_manager()

    class Meta:
        db_table = "billing_exchangerate"  # where it began; its rows are append-only
        ordering = ["-day", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["currency", "day"], name="exchange_rate_once_per_day"),
            models.CheckConstraint(condition=Q(rate__gt=0), name="exchange_rate_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} {self.day} {self.rate}"
